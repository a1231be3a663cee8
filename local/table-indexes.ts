type KeySchema = readonly { readonly AttributeName: string }[];

/** A table's keys, as CloudFormation has them. */
export type TableSchema = {
  readonly AttributeDefinitions: unknown;
  readonly KeySchema: KeySchema;
  readonly LocalSecondaryIndexes?:
    | readonly { readonly IndexName: string; readonly KeySchema: KeySchema }[]
    | undefined;
};

type Item = Readonly<Record<string, unknown>>;
type Send = (operation: string, request: object) => Promise<Record<string, unknown>>;

/**
 * Brings a table's indexes in line with its items. dynalite writes first the one and then the other, so a
 * runner that was killed in between left an entry that no item has, or an item without its entry.
 */
export async function mendIndexes(TableName: string, schema: TableSchema, send: Send): Promise<void> {
  const textOf = (item: Item, keys: KeySchema) =>
    JSON.stringify(keys.map(({ AttributeName: name }) => item[name]));
  const put = (...parts: readonly Item[]) =>
    send('PutItem', { TableName, Item: Object.assign({}, ...parts) });

  async function* scan(index: object): AsyncGenerator<Item> {
    let position: object = {};
    do {
      const page = await send('Scan', { TableName, ...index, ...position });
      yield* page['Items'] as readonly Item[];
      const { LastEvaluatedKey: last } = page;
      position = last === undefined ? {} : { ExclusiveStartKey: last };
    } while ('ExclusiveStartKey' in position);
  }

  for (const { IndexName, KeySchema } of schema.LocalSecondaryIndexes ?? []) {
    const isIndexed = (item: Item) => KeySchema.every(({ AttributeName: name }) => name in item);
    const items = new Map<string, Item>();
    for await (const item of scan({})) items.set(textOf(item, schema.KeySchema), item);
    const missing = new Map([...items].filter(([, item]) => isIndexed(item)));
    for await (const entry of scan({ IndexName })) {
      const key = textOf(entry, schema.KeySchema);
      const item = items.get(key);
      if (item !== undefined && textOf(item, KeySchema) === textOf(entry, KeySchema)) missing.delete(key);
      // Who changes an item takes the entry along that the item had, so it gets this one first.
      else if (item !== undefined) {
        await put(item, Object.fromEntries(KeySchema.map(({ AttributeName: name }) => [name, entry[name]])));
        await put(item);
      } else {
        await put(entry);
        const Key = Object.fromEntries(
          schema.KeySchema.map(({ AttributeName: name }) => [name, entry[name]]),
        );
        await send('DeleteItem', { TableName, Key });
      }
    }
    for (const item of missing.values()) await put(item);
  }
}
