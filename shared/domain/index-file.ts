import { dump, load } from 'js-yaml';
import type { ChartName } from './chart-name.ts';
import type { Kept, Piece } from './compose-index.ts';
import type { Digest } from './digest.ts';
import { compareText, type IndexSettings, type LiveVersion, newestFirst, renderEntry } from './entry.ts';
import type { Repository } from './repository.ts';
import type { ChartVersion } from './version.ts';
import { yamlSafeJson } from './yaml-safe-json.ts';

/** The bytes of one chart's entries inside the index. */
export type Fragment = { readonly name: ChartName; readonly bytes: Uint8Array; readonly versions: number };

/** Where each chart's fragment is: in the order of the file, sizes in bytes. */
export type Ranges = readonly {
  readonly name: ChartName;
  readonly sizeBytes: number;
  readonly versions: number;
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
 * @returns undefined if there is none: such a chart is not in the index
 */
export function renderFragment(
  name: ChartName,
  live: readonly LiveVersion[],
  settings: IndexSettings,
  repository: Repository,
): Fragment | undefined {
  if (live.length === 0) return undefined;
  const entries = live.toSorted(newestFirst).map((version) => renderEntry(version, settings, repository));
  const text =
    settings.format === 'json'
      ? `"${name}":[\n${entries.join(',\n')}\n]`
      : `  ${JSON.stringify(name)}:\n${entries.map(yamlItem).join('')}`;
  return { name, bytes: Buffer.from(text), versions: live.length };
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

/** An index by its pieces, and where its fragments will be. */
export type SplicedIndex = { readonly pieces: readonly Piece[]; readonly ranges: Ranges };

/**
 * Puts changed charts into an index without reading the others: byte for byte what {@link renderIndex}
 * gives for the same state.
 *
 * @param previous the ranges of an index rendered with the same settings
 * @param changes the new fragment of each changed chart; undefined for one that is gone
 */
export function spliceIndex(
  previous: Ranges,
  changes: ReadonlyMap<ChartName, Fragment | undefined>,
  generated: string,
  settings: IndexSettings,
): SplicedIndex {
  const places = fragmentPlaces(previous, settings.format);
  const { head, separator } = frame(1, generated, settings);
  const pieces: Piece[] = [];
  const stretches: Ranges[] = [];

  const keep = (from: number, to: number) => {
    if (from === to) return;
    const isFirst = pieces.length === 0;
    // What precedes its first fragment in the index before, where that is what must precede it here.
    const before = from === 0 ? head : separator;
    const isSame = isFirst === (from === 0);
    if (!isSame) pieces.push(isFirst ? head : separator);
    const offset = places.offsetOf(from) - (isSame ? before.length : 0);
    pieces.push({ offset, sizeBytes: places.endOf(to - 1) - offset });
    stretches.push(previous.slice(from, to));
  };

  let next = 0;
  for (const [name, fragment] of [...changes].sort(([a], [b]) => compareText(a, b))) {
    const position = places.firstFrom(name);
    keep(next, position);
    next = previous[position]?.name === name ? position + 1 : position;
    if (fragment === undefined) continue;
    pieces.push(pieces.length === 0 ? head : separator, fragment.bytes);
    stretches.push([rangeOf(fragment)]);
  }
  keep(next, previous.length);
  const ranges = stretches.flat();
  const { head: whole, tail } = frame(ranges.length, generated, settings);
  if (pieces.length === 0) pieces.push(whole);
  return { pieces: [...pieces, tail], ranges };
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

const rangeOf = ({ name, bytes, versions }: Fragment) => ({ name, sizeBytes: bytes.length, versions });

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

/** The ranges as text, to be kept beside the index. An array of arrays: a chart may be called `__proto__`. */
export function renderRanges(ranges: Ranges): string {
  return JSON.stringify(ranges.map(({ name, sizeBytes, versions }) => [name, sizeBytes, versions]));
}

/** Reads back what {@link renderRanges} wrote. @returns undefined for bytes that are something else */
export function readRanges(bytes: Uint8Array): Ranges | undefined {
  try {
    const rows = JSON.parse(Buffer.from(bytes).toString()) as [ChartName, number, number][];
    return rows.map(([name, sizeBytes, versions]) => ({ name, sizeBytes, versions }));
  } catch {
    return undefined;
  }
}

/** Where fragments are in an index, in bytes. */
type FragmentPlaces = {
  /** @returns undefined for a chart that the index does not list */
  get(name: ChartName): Kept | undefined;
  /** The position of the first chart that comes not before this name; their number if none does. */
  firstFrom(name: ChartName): number;
  offsetOf(position: number): number;
  endOf(position: number): number;
};

/** Where each fragment begins and ends, by its place in the order of names: nothing is made of a single chart. */
export function fragmentPlaces(ranges: Ranges, format: IndexSettings['format']): FragmentPlaces {
  const { head, separator } = frame(ranges.length, '', { format, chartUrl: '', contextPath: '' });
  const ends = new Float64Array(ranges.length);
  let end = head.length - separator.length;
  for (const [position, { sizeBytes }] of ranges.entries()) {
    end += separator.length + sizeBytes;
    ends[position] = end;
  }
  const endOf = (position: number) => ends[position] ?? 0;
  const offsetOf = (position: number) => endOf(position) - (ranges[position]?.sizeBytes ?? 0);

  function firstFrom(name: ChartName): number {
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareText(ranges[middle]?.name ?? '', name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function get(name: ChartName): Kept | undefined {
    const position = firstFrom(name);
    const range = ranges[position];
    return range?.name === name ? { offset: offsetOf(position), sizeBytes: range.sizeBytes } : undefined;
  }

  return { get, firstFrom, offsetOf, endOf };
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
  const { head, separator, tail } = frame(ranges.length, '1970-01-01T00:00:00Z', settings);
  const fragments = ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return head.length + fragments + separator.length * Math.max(0, ranges.length - 1) + tail.length;
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

/** How many versions an index lists. */
export function countVersions(ranges: Ranges): number {
  return ranges.reduce((sum, { versions }) => sum + versions, 0);
}
