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
  const some = (item: Item, keys: KeySchema) =>
    Object.fromEntries(keys.map(({ AttributeName: name }) => [name, item[name]]));
  const put = (...parts: readonly Item[]) =>
    send('PutItem', { TableName, Item: Object.assign({}, ...parts) });
  const whole = async (item: Item) =>
    (await send('GetItem', { TableName, Key: some(item, schema.KeySchema) }))['Item'] as Item;

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
    // Of a large table there is much, of which the keys are little.
    const names = [...new Set([...schema.KeySchema, ...KeySchema].map((key) => key.AttributeName))];
    const keysAlone = {
      ProjectionExpression: names.map((_, n) => `#n${n}`).join(),
      ExpressionAttributeNames: Object.fromEntries(names.map((name, n) => [`#n${n}`, name])),
    };
    for await (const item of scan(keysAlone)) items.set(textOf(item, schema.KeySchema), item);
    const missing = new Map([...items].filter(([, item]) => isIndexed(item)));
    for await (const entry of scan({ IndexName })) {
      const key = textOf(entry, schema.KeySchema);
      const item = items.get(key);
      if (item !== undefined && textOf(item, KeySchema) === textOf(entry, KeySchema)) missing.delete(key);
      // Who changes an item takes the entry along that the item had, so it gets this one first.
      else if (item !== undefined) {
        const before = await whole(item);
        await put(before, some(entry, KeySchema));
        await put(before);
      } else {
        await put(entry);
        await send('DeleteItem', { TableName, Key: some(entry, schema.KeySchema) });
      }
    }
    for (const item of missing.values()) await put(await whole(item));
  }
}
