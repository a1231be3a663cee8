import { dump, load } from 'js-yaml';
import type { ChartName } from './chart-name.ts';
import type { Digest } from './digest.ts';
import {
  compareText,
  type IndexOf,
  type IndexSettings,
  type LiveVersion,
  newestFirst,
  renderEntry,
} from './entry.ts';
import type { Repository } from './repository.ts';
import type { ChartVersion } from './version.ts';
import { yamlSafeJson } from './yaml-safe-json.ts';

/** The bytes of one chart's entries inside the index. */
export type Fragment = {
  readonly name: ChartName;
  readonly bytes: Uint8Array;
  /** How many versions it lists. */
  readonly versions: number;
  /** How many the chart has, the older ones too that an index may leave out. */
  readonly live: number;
};

/** Where each chart's fragment is: in the order of the file, sizes in bytes. */
export type Ranges = readonly {
  readonly name: ChartName;
  readonly sizeBytes: number;
  readonly versions: number;
  readonly live: number;
}[];

/** An index and where its fragments are. */
export type IndexFile = { readonly bytes: Uint8Array; readonly ranges: Ranges };

/** What stands around and between the fragments, by format. */
type Frame = { readonly head: Buffer; readonly separator: Buffer; readonly tail: Buffer };

/**
 * Renders the entries of one chart.
 *
 * Pure: the same versions give the same bytes, whatever their order.
 *
 * @param live every live version of the chart, in any order
 * @param newest how many of them are listed at most, the newest ones; 0 for all
 * @returns undefined if there is none: such a chart is not in the index
 */
export function renderFragment(
  name: ChartName,
  live: readonly LiveVersion[],
  settings: IndexSettings,
  repository: Repository,
  { of, newest = 0 }: { readonly of?: IndexOf; readonly newest?: number | undefined } = {},
): Fragment | undefined {
  if (live.length === 0) return undefined;
  const listed = live.toSorted(newestFirst).slice(0, newest === 0 ? undefined : newest);
  const entries = listed.map((version) => renderEntry(version, settings, repository, of));
  const text =
    settings.format === 'json'
      ? `"${name}":[\n${entries.join(',\n')}\n]`
      : `  ${JSON.stringify(name)}:\n${entries.map(yamlItem).join('')}`;
  return { name, bytes: Buffer.from(text), versions: listed.length, live: live.length };
}

/** One entry as an item of a block sequence; every string quoted, so that no reader takes it for a number. */
function yamlItem(entry: string): string {
  const block = dump(JSON.parse(entry), {
    forceQuotes: true,
    quoteStyle: 'double',
    lineWidth: -1,
    noRefs: true,
  });
  const lines = block.trimEnd().split('\n');
  return lines.map((line, number) => `${number === 0 ? '  - ' : '    '}${line}\n`).join('');
}

/**
 * Renders a repository's index.yaml from all its fragments: the full rebuild.
 *
 * @param fragments in any order
 * @param generated instant written in the index, RFC 3339 in UTC
 * @see https://helm.sh/docs/topics/chart_repository/#the-index-file
 */
export function renderIndex(
  fragments: readonly Fragment[],
  generated: string,
  settings: IndexSettings,
): IndexFile {
  const sorted = fragments.toSorted((a, b) => compareText(a.name, b.name));
  return assemble(sorted, generated, settings);
}

/**
 * The pieces of an index, each as soon as its fragment is there: byte for byte what {@link renderIndex} gives.
 *
 * @param fragments names ascending
 * @param ranges gets where they are
 * @param generated asked once all fragments are there
 */
export async function* indexPieces(
  fragments: AsyncIterable<Fragment>,
  ranges: Ranges[number][],
  generated: () => string,
  settings: IndexSettings,
): AsyncGenerator<Uint8Array> {
  const { head, separator } = frame(1, '', settings);
  for await (const fragment of fragments) {
    yield ranges.length === 0 ? head : separator;
    yield fragment.bytes;
    ranges.push(rangeOf(fragment));
  }
  const { head: whole, tail } = frame(ranges.length, generated(), settings);
  if (ranges.length === 0) yield whole;
  yield tail;
}

function assemble(fragments: readonly Fragment[], generated: string, settings: IndexSettings): IndexFile {
  const { head, separator, tail } = frame(fragments.length, generated, settings);
  const parts: Uint8Array[] = [head];
  for (const [position, fragment] of fragments.entries()) {
    if (position > 0) parts.push(separator);
    parts.push(fragment.bytes);
  }
  parts.push(tail);
  return {
    bytes: Buffer.concat(parts),
    ranges: fragments.map(rangeOf),
  };
}

export const rangeOf = ({ bytes, ...each }: Fragment): Ranges[number] => ({
  ...each,
  sizeBytes: bytes.length,
});

/** What stands around and between the fragments of so many charts. */
export function frame(charts: number, generated: string, settings: IndexSettings): Frame {
  const serverInfo = settings.contextPath === '' ? {} : { contextPath: settings.contextPath };
  if (settings.format === 'json') {
    return {
      head: Buffer.from('{"apiVersion":"v1","entries":{\n'),
      separator: Buffer.from(',\n'),
      tail: Buffer.from(`\n},"generated":"${generated}","serverInfo":${JSON.stringify(serverInfo)}}\n`),
    };
  }
  return {
    head: Buffer.from(charts === 0 ? 'apiVersion: "v1"\nentries: {}\n' : 'apiVersion: "v1"\nentries:\n'),
    separator: Buffer.alloc(0),
    tail: Buffer.from(`generated: "${generated}"\nserverInfo: ${JSON.stringify(serverInfo)}\n`),
  };
}

/** Where the fragment of each chart begins and how long it is, in bytes. */
export function fragmentPlaces(
  ranges: Ranges,
  format: IndexSettings['format'],
): ReadonlyMap<ChartName, { readonly offset: number; readonly sizeBytes: number }> {
  const { head, separator } = frame(ranges.length, '', { format, chartUrl: '', contextPath: '' });
  const places = new Map<ChartName, { offset: number; sizeBytes: number }>();
  let offset = head.length;
  for (const { name, sizeBytes } of ranges) {
    places.set(name, { offset, sizeBytes });
    offset += sizeBytes + separator.length;
  }
  return places;
}

/** Charts whose fragments follow one another in an index, and where these are in it, in bytes. */
export type Stretch = { readonly charts: Ranges; readonly offset: number; readonly sizeBytes: number };

/** The charts from one position to before another, fewer where the index ends before. */
export function stretchOf(
  ranges: Ranges,
  from: number,
  to: number,
  format: IndexSettings['format'],
): Stretch {
  const charts = ranges.slice(from, to);
  const places = fragmentPlaces(ranges, format);
  const [first, last] = [charts.at(0), charts.at(-1)].map((chart) => chart && places.get(chart.name));
  const offset = first?.offset ?? 0;
  return { charts, offset, sizeBytes: last === undefined ? 0 : last.offset + last.sizeBytes - offset };
}

/**
 * Renders some charts of an index as the API lists them: one JSON object, compact.
 *
 * @param bytes the stretch of the index
 */
export function renderList(stretch: Stretch, bytes: Uint8Array, format: IndexSettings['format']): Buffer {
  // The index has the same text on more lines; within an entry there is no raw line end.
  if (format === 'json') return Buffer.concat([Buffer.from('{'), ...linesOf(bytes), Buffer.from('}')]);
  const charts = Array.from(
    readStretch(stretch, bytes, format),
    ({ name, versions }) => `${JSON.stringify(name)}:[${versions.map(yamlSafeJson).join(',')}]`,
  );
  return Buffer.from(`{${charts.join(',')}}`);
}

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  const lineEnd = '\n'.charCodeAt(0);
  let start = 0;
  for (let end = bytes.indexOf(lineEnd); end >= 0; end = bytes.indexOf(lineEnd, start)) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
  yield bytes.subarray(start);
}

/** What a stretch of an index says of its charts, one after the other. */
export function* readStretch(
  { charts }: Pick<Stretch, 'charts'>,
  bytes: Uint8Array,
  format: IndexSettings['format'],
): Generator<{ readonly name: ChartName; readonly versions: readonly ListedVersion[] }> {
  for (const fragment of fragmentsIn(charts, bytes, format)) {
    yield { name: fragment.name, versions: readFragment(fragment, format) };
  }
}

/** A chart by its newest version. */
export type NewestOfChart = { readonly name: ChartName; readonly newest: NewestVersion };

/**
 * The newest version of each chart in a stretch of an index; the others are not parsed.
 *
 * @returns undefined for bytes that are not what the ranges say
 */
export function readNewest(
  { charts }: Pick<Stretch, 'charts'>,
  bytes: Uint8Array,
  format: IndexSettings['format'],
): readonly NewestOfChart[] | undefined {
  const found: NewestOfChart[] = [];
  for (const fragment of fragmentsIn(charts, bytes, format)) {
    const newest = newestOf(fragment, format);
    if (newest === undefined) return undefined;
    found.push({ name: fragment.name, newest });
  }
  return found;
}

function* fragmentsIn(
  charts: Ranges,
  bytes: Uint8Array,
  format: IndexSettings['format'],
): Generator<Pick<Fragment, 'name' | 'bytes'>> {
  const { separator } = frame(charts.length, '', { format, chartUrl: '', contextPath: '' });
  let offset = 0;
  for (const { name, sizeBytes } of charts) {
    yield { name, bytes: bytes.subarray(offset, offset + sizeBytes) };
    offset += sizeBytes + separator.length;
  }
}

/** How long an index with these fragments is, in bytes. */
export function indexSize(ranges: Ranges, settings: IndexSettings): number {
  const fragments = ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return sizeOfIndex(ranges.length, fragments, settings);
}

/** How long one of so many charts is, whose fragments have so many bytes. */
export function sizeOfIndex(charts: number, fragmentBytes: number, settings: IndexSettings): number {
  const { head, separator, tail } = frame(charts, '1970-01-01T00:00:00Z', settings);
  return head.length + fragmentBytes + separator.length * Math.max(0, charts - 1) + tail.length;
}

/** What a fragment says of each version. */
export type ListedVersion = {
  readonly version: ChartVersion;
  readonly digest: Digest;
  readonly created: string;
  /** Of several indexes that may have been current not all list it so: it may have been deleted or replaced. */
  readonly isDoubtful?: boolean;
};

/** Reads what {@link renderFragment} wrote. */
export function readFragment(
  { name, bytes }: Pick<Fragment, 'name' | 'bytes'>,
  format: IndexSettings['format'],
): readonly ListedVersion[] {
  const text = Buffer.from(bytes).toString();
  const chart = format === 'json' ? JSON.parse(`{${text}}`) : load(text);
  return (chart as Record<ChartName, ListedVersion[]>)[name] ?? [];
}

/** What a search looks at, beside what the index says of every version. */
export type NewestVersion = ListedVersion & {
  readonly description?: string;
  readonly keywords?: readonly string[] | null;
};

/** The first version of a fragment is the newest. @returns undefined for bytes that are no fragment of the chart */
function newestOf(
  { name, bytes }: Pick<Fragment, 'name' | 'bytes'>,
  format: IndexSettings['format'],
): NewestVersion | undefined {
  const fragment = viewOf(bytes);
  // Between two entries; in YAML there is one before the first entry too.
  const between = format === 'json' ? ',\n' : '\n  - ';
  const from = format === 'json' ? 0 : fragment.indexOf(between) + 1;
  const end = fragment.indexOf(between, from);
  const rest = Buffer.from(format === 'json' ? ']' : '\n');
  const first = end === -1 ? bytes : Buffer.concat([fragment.subarray(0, end), rest]);
  try {
    const [newest] = readFragment({ name, bytes: first }, format);
    return isNewest(newest) ? newest : undefined;
  } catch {
    return undefined;
  }
}

function isNewest(value: NewestVersion | undefined): boolean {
  const { version, description, keywords }: Readonly<Record<string, unknown>> = Object(value);
  const areTexts = [version, description ?? ''].every((text) => typeof text === 'string');
  return areTexts && Array.isArray(keywords ?? []);
}

/** The same bytes, to be searched for text. */
export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Reads a whole index without its ranges. @returns undefined for bytes that are none */
export function readIndex(bytes: Uint8Array): ReadonlyMap<ChartName, readonly ListedVersion[]> | undefined {
  try {
    const text = Buffer.from(bytes).toString();
    const index = (text.startsWith('{') ? JSON.parse(text) : load(text)) as {
      entries: Record<ChartName, ListedVersion[]>;
    };
    return new Map(Object.entries(index.entries) as [ChartName, ListedVersion[]][]);
  } catch {
    return undefined;
  }
}

/** Whether these are the bytes that follow the last fragment of an index. */
export function isTail(bytes: Uint8Array, format: IndexSettings['format']): boolean {
  return Buffer.from(bytes)
    .toString()
    .startsWith(format === 'json' ? '\n},"generated":"' : 'generated: "');
}

/** How many versions the charts of an index have, those too that it leaves out. */
export function countVersions(ranges: readonly Pick<Ranges[number], 'live'>[]): number {
  return ranges.reduce((sum, { live }) => sum + live, 0);
}
