import { Fault } from './fault.ts';
import { scalarText } from './go-scalar.ts';
import { type GoYaml, isList, isMap } from './go-yaml.ts';

/**
 * How Helm puts a YAML value into a field of a Go struct: sigs.k8s.io/yaml turns the document into JSON with the
 * field's type in view, and encoding/json decodes that over what the field already holds.
 *
 * @param before what an earlier document (or an equal key) left in the field
 * @throws Fault `invalid_package`
 */
export type Decoder<Value> = (yaml: GoYaml, before: Value | undefined, field: string) => Value | undefined;

/** What a set of decoders, one for each field, makes. */
export type Struct<Decoders> = {
  readonly [Field in keyof Decoders]?: Decoders[Field] extends Decoder<infer Value> ? Value : never;
};

/** Text; numbers and booleans become text. Null leaves the field alone. */
export const text: Decoder<string> = (yaml, before, field) => {
  if (yaml === null) return before;
  if (isList(yaml) || isMap(yaml)) throw mismatch(field, 'text', yaml);
  return scalarText(yaml);
};

export const flag: Decoder<boolean> = (yaml, before, field) => {
  if (yaml === null) return before;
  if (typeof yaml !== 'boolean') throw mismatch(field, 'true or false', yaml);
  return yaml;
};

/** A time in RFC 3339, kept as text. */
export const time: Decoder<string> = (yaml, before, field) => {
  if (yaml === null) return before;
  if (typeof yaml !== 'string' || !isTime(yaml)) throw mismatch(field, 'a time (RFC 3339)', yaml);
  return yaml;
};

function isTime(value: string): boolean {
  const shape = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?(Z|[+-]\d\d:\d\d)$/;
  return shape.test(value) && !Number.isNaN(Date.parse(value.replace(',', '.')));
}

/** Any value, as the JSON it becomes. */
export const json: Decoder<unknown> = (yaml) => toJson(yaml);

/** A list; null empties it. An item is decoded over the item that was at its place, as encoding/json does. */
export function listOf<Item, Absent>(
  item: Decoder<Item>,
  whenNull: Absent,
): Decoder<readonly (Item | Absent)[]> {
  return (yaml, before, field) => {
    if (yaml === null) return undefined;
    if (!isList(yaml)) throw mismatch(field, 'a list', yaml);
    return yaml.map((one, index) => {
      const old = before?.[index];
      return (
        item(one, old === whenNull ? undefined : (old as Item | undefined), `${field}[${index}]`) ?? whenNull
      );
    });
  };
}

/** A mapping of texts; null empties it. */
export const texts: Decoder<ReadonlyMap<string, string>> = (yaml, before, field) => {
  if (yaml === null) return undefined;
  if (!isMap(yaml)) throw mismatch(field, 'a mapping', yaml);
  const map = new Map(before);
  for (const [key, value] of yaml) map.set(key, text(value, undefined, `${field}.${key}`) ?? '');
  return map;
};

/** A pointer to a struct: null clears it. */
export function structOf<Decoders extends object>(decoders: Decoders): Decoder<Struct<Decoders>> {
  return (yaml, before, field) => (yaml === null ? undefined : decodeStruct(decoders, yaml, before, field));
}

/**
 * Decodes a mapping over a struct. Names match as in encoding/json: exactly, else whatever the case; of two that
 * match one field, the one later in byte order wins. Keys that match no field are checked and dropped.
 */
export function decodeStruct<Decoders extends object>(
  decoders: Decoders,
  yaml: GoYaml,
  before: Struct<Decoders> | undefined,
  field: string,
): Struct<Decoders> {
  if (!isMap(yaml)) throw mismatch(field, 'a mapping', yaml);
  const struct = new Map<string, unknown>(Object.entries(before ?? {}));
  const fields = new Map<string, Decoder<unknown>>(Object.entries(decoders));
  const byFold = new Map([...fields.keys()].map((name) => [fold(name), name]));
  for (const [key, value] of [...yaml].sort(([a], [b]) => compareBytes(a, b))) {
    const name = fields.has(key) ? key : (byFold.get(fold(key)) ?? '');
    const decode = fields.get(name);
    if (decode === undefined) assertJson(value, key, new Set());
    else struct.set(name, decode(value, struct.get(name), key));
  }
  return Object.fromEntries([...struct].filter(([, value]) => value !== undefined)) as Struct<Decoders>;
}

/** encoding/json folds ASCII letters with the Kelvin sign (whose lower case is k) and the long s. */
function fold(name: string): string {
  return name.replaceAll('\u017f', 's').toLowerCase();
}

/** Order of UTF-8 bytes, which is how encoding/json sorts the keys of a map. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * The JSON of a value: numbers become 64-bit floats, as Go decodes JSON without a type in view.
 *
 * @throws Fault `invalid_package` on an infinite number or NaN, which JSON does not have
 */
export function toJson(yaml: GoYaml): unknown {
  assertJson(yaml, 'the document', new Set());
  return jsonOf(yaml);
}

function jsonOf(yaml: GoYaml): unknown {
  if (typeof yaml === 'bigint') return Number(yaml);
  if (isList(yaml)) return yaml.map(jsonOf);
  if (!isMap(yaml)) return yaml;
  const object: Record<string, unknown> = {};
  for (const [key, value] of yaml) {
    // Not by assignment: "__proto__" is a key like any other.
    const descriptor = { value: jsonOf(value), enumerable: true, configurable: true, writable: true };
    Object.defineProperty(object, key, descriptor);
  }
  return object;
}

/** @param seen what was checked already, so that shared values are walked once */
function assertJson(yaml: GoYaml, where: string, seen: Set<GoYaml>): void {
  if (typeof yaml === 'number' && !Number.isFinite(yaml)) {
    throw new Fault('invalid_package', `${where} holds ${scalarText(yaml)}, which JSON cannot have`);
  }
  if (!(isList(yaml) || isMap(yaml)) || seen.has(yaml)) return;
  seen.add(yaml);
  for (const child of yaml.values()) assertJson(child, where, seen);
}

function mismatch(field: string, wanted: string, yaml: GoYaml): Fault {
  const found = isList(yaml) ? 'a list' : isMap(yaml) ? 'a mapping' : `${yaml === null ? 'null' : yaml}`;
  const shown = found.length > 60 ? `${found.slice(0, 60)}…` : found;
  return new Fault('invalid_package', `${field} must be ${wanted}, not ${shown}`);
}
