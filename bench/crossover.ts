import type { Figure } from './figures.ts';
import { refreshFigures } from './refresh.ts';

/** Around where the two meet. */
export const crossoverSizes = [5_000, 10_000, 20_000, 50_000];

/** One refresh both ways: the index put as a whole, and composed inside the bucket. */
export async function crossoverFigures(count: number): Promise<readonly Figure[]> {
  const ways = [
    ['whole', Number.MAX_SAFE_INTEGER],
    ['composed', 0],
  ] as const;
  const figures: Figure[] = [];
  for (const [way, wholeBytes] of ways) {
    const measured = await refreshFigures(count, { wholeBytes });
    figures.push(...measured.map((figure) => ({ ...figure, name: `${figure.name}, ${way}` })));
  }
  return figures;
}
