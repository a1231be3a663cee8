import fc from 'fast-check';

type Mutation = (bytes: Buffer) => Buffer;

const place = fc.nat(1_000_000);
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc
    .constantFrom('\0', '\n', '\r\n', '\r\n\r\n', '--', ':', ' ', '"', '\xff')
    .map((text) => Buffer.from(text, 'latin1')),
);

const overwrite = fc.tuple(place, piece).map(
  ([at, some]): Mutation =>
    (bytes) =>
      spliced(bytes, at, some.length, some),
);
const insert = fc.tuple(place, piece).map(
  ([at, some]): Mutation =>
    (bytes) =>
      spliced(bytes, at, 0, some),
);
const remove = fc.tuple(place, fc.nat(600)).map(
  ([at, count]): Mutation =>
    (bytes) =>
      spliced(bytes, at, count, Buffer.alloc(0)),
);
const flip = fc.tuple(place, fc.nat(7)).map(
  ([at, bit]): Mutation =>
    (bytes) => {
      const mutated = Buffer.from(bytes);
      const index = at % Math.max(bytes.length, 1);
      mutated[index] = (mutated[index] ?? 0) ^ (1 << bit);
      return mutated;
    },
);
const truncate = place.map(
  (at): Mutation =>
    (bytes) =>
      bytes.subarray(0, at % (bytes.length + 1)),
);
const repeat = fc.tuple(place, place).map(
  ([from, to]): Mutation =>
    (bytes) => {
      const some = bytes.subarray(from % (bytes.length + 1), to % (bytes.length + 1));
      return Buffer.concat([bytes, some]);
    },
);

function spliced(bytes: Buffer, at: number, count: number, some: Uint8Array): Buffer {
  const start = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, start), some, bytes.subarray(start + count)]);
}

/** One to four changes of a text of bytes, to be applied in turn. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .array(fc.oneof({ weight: 3, arbitrary: flip }, overwrite, insert, remove, truncate, repeat), {
    minLength: 1,
    maxLength: 4,
  })
  .map((all) => (bytes: Buffer) => all.reduce((mutated, mutate) => mutate(mutated), bytes));
