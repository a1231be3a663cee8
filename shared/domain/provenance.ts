import { type ChartName, parseChartName } from './chart-name.ts';
import { type Digest, digestOf, isDigest } from './digest.ts';
import { Fault } from './fault.ts';
import { packageFileName } from './package-file.ts';
import { type ChartVersion, parseChartVersion } from './version.ts';

/** A provenance file: what somebody signed about a package. */
export type ProvenanceFile = {
  readonly name: ChartName;
  readonly version: ChartVersion;
  /** The package's digest, as the file states it. */
  readonly package: Digest;
  /** The digest of the file's own bytes. */
  readonly digest: Digest;
};

// Chart.yaml's metadata, some digests and one signature: real ones have 1 to 3 KB.
const MAX_BYTES = 256 * 1024;

/** A clear-signed message. */
export type ClearSigned = {
  /** The lines that are signed: without the escapes, and without blanks at their ends, which no signature counts. */
  readonly lines: readonly string[];
  /** The signature over them, armoured. */
  readonly signature: string;
};

const BEGIN_MESSAGE = '-----BEGIN PGP SIGNED MESSAGE-----';
const BEGIN_SIGNATURE = '-----BEGIN PGP SIGNATURE-----';
const END_SIGNATURE = '-----END PGP SIGNATURE-----';

/**
 * Reads a provenance file as `helm package --sign` writes it (pkg/provenance/sign.go): a clear-signed message of
 * the chart's metadata, a line `...`, and the digests of files. Only what is signed counts. The signature is not
 * verified here: that takes the keys that somebody trusts.
 *
 * @throws Fault `invalid_provenance`
 */
export function parseProvenance(bytes: Uint8Array): ProvenanceFile {
  const { lines } = parseClearSigned(bytes);
  const [metadata = [], sums = []] = documents(lines);
  const { name, version } = chartOf(metadata);
  const file = packageFileName(name, version);
  return { name, version, package: statedDigest(sums, file), digest: digestOf(bytes) };
}

/**
 * Takes a provenance file apart: the one place that says what of it is signed, so that nobody believes a line that
 * the signature does not cover. As `helm verify` does, it takes the first message and disregards what follows; it is
 * stricter in that nothing may come before, and that the text may hold no second reading.
 *
 * @throws Fault `invalid_provenance` if it is no clear-signed message
 * @see https://www.rfc-editor.org/rfc/rfc9580#section-7
 */
export function parseClearSigned(bytes: Uint8Array): ClearSigned {
  if (bytes.length > MAX_BYTES) throw invalid(`it is larger than ${MAX_BYTES} bytes`);
  // Some editors and clients turn LF into CRLF; clear-signing does not count line ends.
  const lines = decode(bytes)
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines[0] !== BEGIN_MESSAGE) {
    throw invalid(`it does not begin with "${BEGIN_MESSAGE}"; send what "helm package --sign" writes`);
  }
  const begin = lines.indexOf(BEGIN_SIGNATURE);
  if (begin === -1) throw invalid('it has no PGP SIGNATURE');
  const end = lines.indexOf(END_SIGNATURE, begin);
  if (end === -1) throw invalid(`it breaks off before "${END_SIGNATURE}"`);
  const blank = lines.slice(0, begin).findIndex((line) => line.trim() === '');
  // Headers are not signed: one of them may not pass for the chart's name.
  if (blank === -1 || lines.slice(1, blank).some((line) => !line.startsWith('Hash:'))) {
    throw invalid('only "Hash:" and an empty line may stand between its first line and the signed text');
  }
  return {
    lines: lines.slice(blank + 1, begin).map(signedLine),
    signature: `${lines.slice(begin, end + 1).join('\n')}\n`,
  };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw invalid('it is not UTF-8', error);
  }
}

function signedLine(line: string): string {
  // For YAML, a carriage return ends a line; for the signature, it does not.
  if (line.includes('\r')) throw invalid('a line holds a carriage return that does not end it');
  if (line.startsWith('-') && !line.startsWith('- ')) {
    throw invalid('a signed line begins with "-" and is not escaped as "- -"');
  }
  const text = line.startsWith('- ') ? line.slice(2) : line;
  let end = text.length;
  // A regular expression would take quadratic time where a line holds many blanks.
  while (text[end - 1] === ' ' || text[end - 1] === '\t') end -= 1;
  return text.slice(0, end);
}

/** The documents between lines `...`: the first two are what Helm reads, whatever follows. */
function documents(lines: readonly string[]): string[][] {
  const found: string[][] = [[]];
  for (const line of lines) {
    if (line === '...') found.push([]);
    else found.at(-1)?.push(line);
  }
  return found;
}

/** The first lines that say name and version, as ChartMuseum reads them; quotes are YAML's, not the name's. */
function chartOf(metadata: readonly string[]): { name: ChartName; version: ChartVersion } {
  const name = fieldOf(metadata, 'name');
  const version = fieldOf(metadata, 'version');
  if (name === undefined || version === undefined) throw invalid('it names no chart or no version');
  try {
    return { name: parseChartName(name), version: parseChartVersion(version) };
  } catch (error) {
    if (error instanceof Fault) throw invalid(error.message, error);
    throw error;
  }
}

function fieldOf(metadata: readonly string[], field: string): string | undefined {
  const line = metadata.find((each) => each.startsWith(`${field}:`));
  return line === undefined ? undefined : unquoted(line.slice(field.length + 1));
}

/** The digest in the block `files:`. */
function statedDigest(sums: readonly string[], file: string): Digest {
  const begin = sums.indexOf('files:');
  for (const line of begin === -1 ? [] : sums.slice(begin + 1)) {
    if (!/^[ \t]/.test(line)) break;
    const colon = line.lastIndexOf(': ');
    if (unquoted(line.slice(0, colon)) !== file) continue;
    const [, digest = ''] = /^sha256:(.*)$/.exec(unquoted(line.slice(colon + 1))) ?? [];
    const lower = digest.toLowerCase();
    if (isDigest(lower)) return lower;
  }
  throw invalid(`it states no sha256 digest of ${file}`);
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2');
}

function invalid(why: string, cause?: unknown): Fault {
  return new Fault('invalid_provenance', `not a provenance file: ${why}`, { cause });
}
