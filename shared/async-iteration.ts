// Enough to hide the latency of single reads and writes, far from a partition's 1,000 writes a second.
const PARALLEL = 16;

/** Everything that an iterable gives, in its order. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Does the same with each of many items, a few at a time. */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  atOnce = PARALLEL,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}

/**
 * Does the same with each item as it comes, a few at a time. Nothing is under way any more when it ends, in whichever way.
 *
 * @param work gets the item and its position
 */
export async function eachInParallel<T>(
  items: AsyncIterable<T>,
  work: (item: T, position: number) => Promise<void>,
  atOnce: number,
): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const underWay = new Set<Promise<void>>();
  try {
    for await (const item of items) {
      const working = work(item, next)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => underWay.delete(working));
      next += 1;
      underWay.add(working);
      if (underWay.size >= atOnce) await Promise.race(underWay);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  for (const error of failures) throw error;
}

/** Throws what was put off so that everything else could be done first. */
export function throwAll(errors: readonly unknown[]): void {
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join('; '));
  for (const error of errors) throw error;
}
