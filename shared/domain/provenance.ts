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

// Name, version and digests take less. The expressions below take time that grows with the square of a line's length.
const MAX_LINE = 1024;

/**
 * Reads a provenance file as `helm package --sign` writes it (pkg/provenance/sign.go): a clear-signed message of
 * the chart's metadata, a line `...`, and the digests of files. The signature is not verified: `helm verify` does
 * that with the keys its user trusts.
 *
 * @throws Fault `invalid_provenance`
 */
export function parseProvenance(bytes: Uint8Array): ProvenanceFile {
  if (bytes.length > MAX_BYTES) throw invalid(`it is larger than ${MAX_BYTES} bytes`);
  // Some editors and clients turn LF into CRLF; clear-signing does not count line ends.
  const text = new TextDecoder('utf-8').decode(bytes).replaceAll('\r', '');
  const signed = signedPart(text);
  const { name, version } = chartOf(signed);
  const file = packageFileName(name, version);
  return { name, version, package: statedDigest(signed, file), digest: digestOf(bytes) };
}

function signedPart(text: string): string {
  if (!text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----\n')) {
    throw invalid(
      'it does not begin with "-----BEGIN PGP SIGNED MESSAGE-----"; send what "helm package --sign" writes',
    );
  }
  const end = text.indexOf('\n-----BEGIN PGP SIGNATURE-----');
  if (end === -1) throw invalid('it has no PGP SIGNATURE');
  return text.slice(0, end + 1);
}

/** The first lines that say name and version, as ChartMuseum reads them; quotes are YAML's, not the name's. */
function chartOf(signed: string): { name: ChartName; version: ChartVersion } {
  const name = fieldOf(signed, 'name');
  const version = fieldOf(signed, 'version');
  if (name === undefined || version === undefined) throw invalid('it names no chart or no version');
  try {
    return { name: parseChartName(name), version: parseChartVersion(version) };
  } catch (error) {
    if (error instanceof Fault) throw invalid(error.message, error);
    throw error;
  }
}

function fieldOf(signed: string, field: string): string | undefined {
  const line = signed.split('\n').find((one) => one.startsWith(`${field}:`)) ?? '';
  const [, value] = (line.length <= MAX_LINE && /^\w+:[ \t]*(.*?)[ \t]*$/.exec(line)) || [];
  return value?.replace(/^(["'])(.*)\1$/, '$2');
}

/** The digest below `files:`, which follows the line `...`: a description cannot pretend to be it. */
function statedDigest(signed: string, file: string): Digest {
  const files = signed.split(/^\.\.\.[ \t]*$/m).at(-1) ?? '';
  for (const line of files
    .split(/^files:[ \t]*$/m)
    .at(1)
    ?.split('\n') ?? []) {
    if (line.length > MAX_LINE) continue;
    const [, key = '', digest = ''] =
      /^[ \t]+(.+):[ \t]+["']?sha256:([0-9a-fA-F]+)["']?[ \t]*$/.exec(line) ?? [];
    if (key.replace(/^(["'])(.*)\1$/, '$2') !== file) continue;
    const lower = digest.toLowerCase();
    if (isDigest(lower)) return lower;
  }
  throw invalid(`it states no sha256 digest of ${file}`);
}

function invalid(why: string, cause?: unknown): Fault {
  return new Fault('invalid_provenance', `not a provenance file: ${why}`, { cause });
}
