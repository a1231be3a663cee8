import type { Branded } from './branded.ts';
import { Fault } from './fault.ts';

/** A chart's name; see {@link parseChartName}. */
export type ChartName = Branded<'ChartName'>;

// No '/' and no '#': a name cannot step out of its S3 prefix nor into another item's sort key.
const NAME = /^[a-zA-Z0-9._-]{1,250}$/;

/** Words that stand beside a chart's name in a path; a chart so called would give a URL two readings. */
const RESERVED = new Set(['.', '..', 'charts', 'prov', 'uploads', 'index.yaml', 'artifacthub-repo.yml']);

// "a-1.2.3-b-1.0.0.tgz" would read as version "1.2.3-b-1.0.0" of "a" as well.
const VERSION_INSIDE = /-v?\d+\.\d+\.\d+/;

export function isChartName(text: string): text is ChartName {
  return NAME.test(text) && !RESERVED.has(text) && !VERSION_INSIDE.test(text);
}

/**
 * A chart's name: 1 to 250 of `a-zA-Z0-9._-` (the alphabet of `helm create`), none of the reserved words,
 * and without a version inside, so that `<name>-<version>.tgz` has one reading.
 *
 * @throws Fault `invalid_name`
 */
export function parseChartName(text: string): ChartName {
  if (isChartName(text)) return text;
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  if (VERSION_INSIDE.test(text) && NAME.test(text)) {
    throw new Fault(
      'invalid_name',
      `"${shown}" is not a chart name: it holds a version, so its file name could be read in two ways`,
    );
  }
  if (RESERVED.has(text)) throw new Fault('invalid_name', `"${shown}" is reserved and cannot name a chart`);
  throw new Fault(
    'invalid_name',
    `"${shown}" is not a chart name: use 1 to 250 letters, digits, ".", "_" and "-"`,
  );
}
