import type { ChartName } from './chart-name.ts';
import { compareText, type IndexSettings, type LiveVersion } from './entry.ts';
import { renderFragment, renderIndex } from './index-file.ts';
import type { Repository } from './repository.ts';

/**
 * Renders the index of one chart, which is a repository of its own to Helm: each entry as in the index of its
 * repository, but for an address that is relative to where this one lies.
 *
 * Pure: the same versions give the same bytes, whatever their order; `generated` is when the newest of them was
 * published.
 *
 * @param live every live version of the chart, in any order
 * @returns undefined if there is none
 */
export function renderChartIndex(
  name: ChartName,
  live: readonly LiveVersion[],
  settings: IndexSettings,
  repository: Repository,
): Uint8Array | undefined {
  const fragment = renderFragment(name, live, settings, repository, { of: 'chart' });
  if (fragment === undefined) return undefined;
  const generated = live.map(({ created }) => created).reduce((a, b) => (compareText(a, b) < 0 ? b : a));
  return renderIndex([fragment], generated, settings).bytes;
}
