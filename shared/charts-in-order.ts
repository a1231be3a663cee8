import type { ChartName } from './domain/chart-name.ts';
import { compareText } from './domain/entry.ts';
import type { VersionItem } from './store/version-store.ts';

/** A chart with its items; with none where only others know its name. */
export type ChartItems = { readonly name: ChartName; readonly items: readonly VersionItem[] };

/**
 * The charts of a repository, names ascending, each once: those that have items, and those of which something
 * else knows. Only one chart's items are held.
 *
 * @param items charts in ascending order of name
 * @param names of charts, in any order
 */
export async function* chartsInOrder(
  items: AsyncIterable<VersionItem>,
  names: Iterable<ChartName>,
): AsyncGenerator<ChartItems> {
  const others = [...new Set(names)].sort(compareText);
  let next = 0;
  for await (const chart of byChart(items)) {
    for (let name = others[next]; name !== undefined && name <= chart.name; name = others[next]) {
      if (name !== chart.name) yield { name, items: [] };
      next += 1;
    }
    yield chart;
  }
  for (const name of others.slice(next)) yield { name, items: [] };
}

async function* byChart(items: AsyncIterable<VersionItem>): AsyncGenerator<ChartItems> {
  let chart: VersionItem[] = [];
  for await (const item of items) {
    const [first] = chart;
    if (first !== undefined && first.name !== item.name) {
      yield { name: first.name, items: chart };
      chart = [];
    }
    chart.push(item);
  }
  const [first] = chart;
  if (first !== undefined) yield { name: first.name, items: chart };
}
