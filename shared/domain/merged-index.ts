import { createHash } from 'node:crypto';
import { compareText, type IndexSettings, settingsFingerprint } from './entry.ts';
import { frame, isTail, type Ranges, viewOf } from './index-file.ts';
import type { Repository } from './repository.ts';

/** The published index of one project, as a part of the merged one. */
export type MergedPart = {
  readonly project: Repository;
  readonly ranges: Ranges;
  /** Of the whole index. */
  readonly sizeBytes: number;
};

/** Charts of one part that are copied together: where they are in its index, and where they go. */
export type Piece<Part extends MergedPart = MergedPart> = {
  readonly part: Part;
  readonly charts: Ranges;
  /** What is to be read of the part's index; the last piece of a part has what follows its charts, too. */
  readonly source: { readonly offset: number; readonly sizeBytes: number };
  readonly isLast: boolean;
  /** Where the first of the charts begins in the merged index. */
  readonly target: number;
};

/** How large a merged index is, and out of which pieces it is made. */
export type MergePlan<Part extends MergedPart = MergedPart> = {
  readonly sizeBytes: number;
  readonly pieces: readonly Piece<Part>[];
};

/** What a merged index says when no part says when it was generated. */
const NEVER_GENERATED = '1970-01-01T00:00:00Z';

// Stands in the digest: whoever changes the bytes that are made of the same parts makes this another number.
const LAYOUT = 1;

/** Order of the parts, which is the order of their keys: a slash comes after `-` and `.`, and before all else. */
export const byProject = (a: Repository, b: Repository): number => compareText(`${a}/`, `${b}/`);

/**
 * The digest of what decides the bytes of a merged index, known before any of its parts is read.
 *
 * @param states each project with what names the state of its index, in the order of {@link byProject}
 */
export function mergedDigest(
  states: readonly { readonly project: Repository; readonly state: string }[],
  settings: IndexSettings,
): string {
  const decisive = [
    LAYOUT,
    settingsFingerprint(settings),
    states.map(({ project, state }) => [project, state]),
  ];
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

/**
 * Plans a merged index by the ranges of its parts alone.
 *
 * Each key `<chart>` becomes `<project>/<chart>`, and each relative address of a package begins with `<project>/`; the
 * entries stay as they are, with the plain name: Helm from 3.14.1 on drops an entry whose name has a slash.
 *
 * @param parts in the order of {@link byProject}
 * @param pieceBytes how much is read together, if a single chart does not take more
 */
export function planMerge<Part extends MergedPart>(
  parts: readonly Part[],
  settings: IndexSettings,
  pieceBytes: number,
): MergePlan<Part> {
  const charts = parts.reduce((sum, { ranges }) => sum + ranges.length, 0);
  const { head, separator, tail } = frame(charts, NEVER_GENERATED, settings);
  const pieces: Piece<Part>[] = [];
  let target = head.length;
  for (const part of parts) {
    for (const { piece, grownBytes } of piecesOf(part, settings, pieceBytes)) {
      pieces.push({ ...piece, target });
      target += grownBytes;
    }
  }
  return { sizeBytes: target - (charts > 0 ? separator.length : 0) + tail.length, pieces };
}

/** The pieces of one part; `grownBytes` is what each takes in the merged index, the separators behind its charts too. */
function* piecesOf<Part extends MergedPart>(part: Part, settings: IndexSettings, pieceBytes: number) {
  const { project, ranges, sizeBytes } = part;
  const { head, separator } = frame(ranges.length, NEVER_GENERATED, settings);
  const insertedBytes = Buffer.byteLength(insertedFor(project));
  let first = 0;
  let offset = head.length;
  do {
    let end = first;
    let readBytes = 0;
    let grownBytes = 0;
    for (let chart = ranges[end]; chart !== undefined; chart = ranges[end]) {
      if (end > first && readBytes + chart.sizeBytes > pieceBytes) break;
      readBytes += chart.sizeBytes + separator.length;
      grownBytes += chart.sizeBytes + insertions(chart.versions, settings) * insertedBytes + separator.length;
      end += 1;
    }
    const isLast = end === ranges.length;
    const source = { offset, sizeBytes: isLast ? sizeBytes - offset : readBytes };
    yield { piece: { part, charts: ranges.slice(first, end), source, isLast }, grownBytes };
    offset += readBytes;
    first = end;
  } while (first < ranges.length);
}

const insertedFor = (project: Repository) => `${project}/`;

/** In how many places the project is written: in the key, and in each address that is relative. */
const insertions = (versions: number, settings: IndexSettings) => (isRelative(settings) ? versions + 1 : 1);

const isRelative = ({ chartUrl }: IndexSettings) => chartUrl === '';

/**
 * Copies a piece to its place in a merged index.
 *
 * @param bytes what its source says, of the part's index
 * @returns with the last piece of a part, when it was generated; undefined where the bytes are not what the ranges say
 */
export function copyPiece(
  { part, charts, isLast, target }: Piece,
  bytes: Uint8Array,
  merged: Buffer,
  settings: IndexSettings,
): { readonly generated?: string } | undefined {
  const { separator } = frame(charts.length, NEVER_GENERATED, settings);
  const source = viewOf(bytes);
  const inserted = Buffer.from(insertedFor(part.project));
  let from = 0;
  let to = target;
  for (const { name, sizeBytes, versions } of charts) {
    const fragment = source.subarray(from, from + sizeBytes);
    const places = placesIn(fragment, name, settings);
    if (fragment.length < sizeBytes || places?.length !== insertions(versions, settings)) return undefined;
    let copied = 0;
    for (const place of places) {
      to += fragment.copy(merged, to, copied, place);
      to += inserted.copy(merged, to);
      copied = place;
    }
    to += fragment.copy(merged, to, copied);
    // Behind the last of all comes the tail, which is written over it.
    to += separator.copy(merged, to);
    from += sizeBytes + separator.length;
  }
  if (!isLast) return {};
  // Nothing separates the last fragment from the tail.
  const generated = generatedIn(source.subarray(charts.length === 0 ? 0 : from - separator.length), settings);
  return generated === undefined ? undefined : { generated };
}

/** Where the project is written into a fragment, ascending. */
function placesIn(fragment: Buffer, name: string, settings: IndexSettings): number[] | undefined {
  const key = Buffer.from(settings.format === 'json' ? `"${name}":[\n` : `  ${JSON.stringify(name)}:\n`);
  if (!fragment.subarray(0, key.length).equals(key)) return undefined;
  const inKey = key.indexOf('"') + 1;
  if (!isRelative(settings)) return [inKey];
  return [inKey, ...(settings.format === 'json' ? inJson(fragment) : inYaml(fragment))];
}

const JSON_URLS = Buffer.from('"urls":["');
const LINE_END = '\n'.charCodeAt(0);

/** In each line with an entry, whose last key but two is `urls`; quotes inside of texts are escaped. */
function* inJson(fragment: Buffer): Generator<number> {
  let start = fragment.indexOf(LINE_END) + 1;
  for (let end = fragment.indexOf(LINE_END, start); end >= 0; end = fragment.indexOf(LINE_END, start)) {
    const place = fragment.subarray(start, end).lastIndexOf(JSON_URLS);
    if (place >= 0) yield start + place + JSON_URLS.length;
    start = end + 1;
  }
}

// With this indentation a key is the entry's own, and inside of texts line ends are escaped.
const YAML_URLS = Buffer.from('\n    urls:\n      - "');

function* inYaml(fragment: Buffer): Generator<number> {
  for (let at = fragment.indexOf(YAML_URLS); at >= 0; at = fragment.indexOf(YAML_URLS, at + 1)) {
    yield at + YAML_URLS.length;
  }
}

function generatedIn(tail: Buffer, { format }: IndexSettings): string | undefined {
  return isTail(tail, format) ? /"?generated"?: ?"([^"]*)"/.exec(tail.toString())?.[1] : undefined;
}

/**
 * Writes what stands before and behind the charts of a merged index.
 *
 * @param generated instants, RFC 3339 in UTC, the newest of which is written
 */
export function frameMerged(
  { pieces }: MergePlan,
  generated: readonly string[],
  merged: Buffer,
  settings: IndexSettings,
): void {
  const charts = pieces.reduce((sum, piece) => sum + piece.charts.length, 0);
  const { head, tail } = frame(charts, generated.toSorted(compareText).at(-1) ?? NEVER_GENERATED, settings);
  head.copy(merged);
  tail.copy(merged, merged.length - tail.length);
}
