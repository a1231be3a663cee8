import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { Fault } from './fault.ts';

/** How much an archive may hold; shared by a package and the packages inside it, and used up while reading. */
export type ArchiveBudget = { unpackedBytes: number; members: number; readonly fileBytes: number };

/** A file of an archive, without the top directory. */
export type ArchiveFile = {
  readonly path: string;
  readonly sizeBytes: number;
  /** Undefined for files that nobody asked for. */
  readonly data: Uint8Array | undefined;
};

const BLOCK_BYTES = 512;
const TRAILING = 'something follows the end of the gzip data';
// After an empty pax header or long name, tar-stream passes over bytes that Go reads, and is no more at a block's
// start: what it would read from there is another chart than Helm's.
const OUT_OF_PLACE = `it cannot be unpacked (not every member begins at a block of ${BLOCK_BYTES} bytes)`;
const EMPTY_BLOCK = Buffer.alloc(BLOCK_BYTES);

// Tar of before POSIX too, which Go reads; tar-stream's types do not know the option.
const ANY_TAR: object = { allowUnknownFormat: true };

/**
 * Unpacks a gzipped tar in memory while its limits are checked, so that no archive costs more than its budget.
 * Takes what Helm's loader takes (pkg/chart/loader/archive.go), minus what reads differently elsewhere: links,
 * devices, several top directories, absolute paths, a wrong checksum, anything after the end.
 *
 * @param wanted which files' bytes to keep
 * @throws Fault `invalid_package`
 */
export async function readArchive(
  bytes: Uint8Array,
  budget: ArchiveBudget,
  wanted: (path: string) => boolean,
): Promise<ArchiveFile[]> {
  if (bytes.length > 0 && (bytes[0] !== 0x1f || bytes[1] !== 0x8b)) {
    throw invalid('it is not gzipped; send the .tgz file that "helm package" writes');
  }
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  const tape = new Tape(budget);
  const members = extract(ANY_TAR);
  // Go reads the records of a global header and forgets them; tar-stream would copy them to every member.
  Object.defineProperty(members, '_paxGlobal', { get: () => null, set: () => {} });
  const flow = pipeline(gunzip, tape, members).catch((error: unknown) => error);
  gunzip.end(bytes);
  const files = await collect(members, new MemberRules(budget, tape), wanted).catch(
    async (error: unknown) => {
      members.destroy();
      const origin = await flow;
      throw asFault(error instanceof Fault ? error : (origin ?? error));
    },
  );
  const error = await flow;
  if (error !== undefined) throw asFault(error);
  if (gunzip.bytesWritten !== bytes.length) throw invalid(TRAILING); // zlib passes over zeros
  if (!tape.isWhole()) throw invalid(OUT_OF_PLACE);
  if (files.length === 0) throw invalid('it holds no files');
  return files;
}

async function collect(
  members: ReturnType<typeof extract>,
  rules: MemberRules,
  wanted: (path: string) => boolean,
): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = [];
  for await (const member of members) {
    const path = rules.pathOf(member.header);
    // A directory has no bytes, whatever its header says; tar-stream would wait for them.
    if (path === undefined) member.header.size = 0;
    const chunks: Uint8Array[] = [];
    const keep = path !== undefined && wanted(path);
    for await (const chunk of member) if (keep && chunk instanceof Uint8Array) chunks.push(chunk);
    if (path === undefined) continue;
    const data = keep ? Buffer.concat(chunks) : undefined;
    files.push({ path, sizeBytes: member.header.size, data });
  }
  return files;
}

/** Counts what streams past, and remembers which blocks were empty: two of them end a tar. */
class Tape extends Transform {
  readonly #budget: ArchiveBudget;
  readonly #limit: number;
  readonly #emptyBlocks = new Set<number>();
  #position = 0;
  #blockIsEmpty = true;

  constructor(budget: ArchiveBudget) {
    super();
    this.#budget = budget;
    this.#limit = budget.unpackedBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#budget.unpackedBytes -= chunk.length;
    if (this.#budget.unpackedBytes < 0) {
      done(invalid(`it unpacks to more than ${this.#limit} bytes`));
      return;
    }
    for (let start = 0; start < chunk.length; ) {
      const end = Math.min(chunk.length, start + BLOCK_BYTES - (this.#position % BLOCK_BYTES));
      this.#look(chunk.subarray(start, end));
      start = end;
    }
    done(null, chunk);
  }

  #look(part: Buffer): void {
    this.#blockIsEmpty &&= part.equals(EMPTY_BLOCK.subarray(0, part.length));
    this.#position += part.length;
    if (this.#position % BLOCK_BYTES !== 0) return;
    if (this.#blockIsEmpty) this.#emptyBlocks.add(this.#position / BLOCK_BYTES - 1);
    this.#blockIsEmpty = true;
  }

  /** Whether it ended at the end of a block. */
  isWhole(): boolean {
    return this.#position % BLOCK_BYTES === 0;
  }

  /** Whether an empty block begins in a range of bytes. */
  hasEmptyBlock(start: number, end: number): boolean {
    for (let at = start; at < end; at += BLOCK_BYTES)
      if (this.#emptyBlocks.has(at / BLOCK_BYTES)) return true;
    return false;
  }
}

/** Decides on each member in turn. */
class MemberRules {
  readonly #budget: ArchiveBudget;
  readonly #tape: Tape;
  #end = 0;
  #top: string | undefined;

  constructor(budget: ArchiveBudget, tape: Tape) {
    this.#budget = budget;
    this.#tape = tape;
  }

  /** @returns the path below the top directory; undefined for what holds no bytes of a chart */
  pathOf(header: Header & { readonly byteOffset?: number }): string | undefined {
    this.#budget.members -= 1;
    if (this.#budget.members < 0) throw invalid('it has too many members');
    this.#checkPlace(header);
    const isDirectory = checkKind(header);
    checkRoute(header.name);
    if (isDirectory && /^[./\\]*$/.test(header.name)) return undefined;
    const { top, path } = splitTop(header.name);
    this.#top ??= top;
    if (top !== this.#top) throw invalid(`it has several top directories: "${this.#top}" and "${top}"`);
    if (isDirectory) return undefined;
    const { size } = header;
    if (size > this.#budget.fileBytes) {
      throw invalid(
        `"${header.name}" is larger than ${this.#budget.fileBytes} bytes, the most that Helm loads`,
      );
    }
    return chartPath(header.name, path);
  }

  /** Go's reader stops at the end mark, others go on: an archive that continues would have two readings. */
  #checkPlace({
    byteOffset = 0,
    size = 0,
    type,
  }: {
    byteOffset?: number;
    size?: number;
    type?: unknown;
  }): void {
    if (byteOffset % BLOCK_BYTES !== 0) throw invalid(OUT_OF_PLACE);
    if (this.#tape.hasEmptyBlock(this.#end, byteOffset)) throw invalid('it continues after its end mark');
    const bytes = type === 'directory' ? 0 : size;
    this.#end = byteOffset + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

const FILE_TYPE_BITS = 0o170000;
const REGULAR_FILE = 0o100000;
const DIRECTORY = 0o040000;

/** @returns whether it is a directory: by its type, or by its mode as Go's FileInfo sees it */
function checkKind({ name, type, mode, pax }: Header): boolean {
  const bits = mode & FILE_TYPE_BITS;
  if (Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse.'))) {
    throw invalid(`"${name}" is a sparse file: pack it as a plain one`);
  }
  if (type === 'directory' || bits === DIRECTORY) return true;
  if ((type === 'file' || type === 'contiguous-file') && (bits === 0 || bits === REGULAR_FILE)) return false;
  throw invalid(`"${name}" is neither a file nor a directory: replace links by what they name`);
}

function checkRoute(name: string): void {
  if (/^([/\\]|[a-zA-Z]:[/\\])/.test(name)) throw invalid(`"${name}" is an absolute path`);
  if (name.split(/[/\\]/).includes('..')) throw invalid(`"${name}" references a parent directory`);
}

// A name with a backslash was packed on Windows, and "\" alone parts it (archive.go).
function splitTop(name: string): { top: string; path: string } {
  const [top = '', ...rest] = name.split(name.includes('\\') ? '\\' : '/');
  return { top, path: rest.join('/') };
}

function chartPath(name: string, path: string): string {
  const clean = path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  if (clean === '')
    throw invalid(`"${name}" is outside the chart's directory: run "helm package" on the directory`);
  if (clean.startsWith('..')) throw invalid(`"${name}" references a parent directory`);
  if (path.startsWith('/') || /^[a-zA-Z]:\//.test(clean)) throw invalid(`"${name}" is an absolute path`);
  return clean;
}

function invalid(why: string, cause?: unknown): Fault {
  return new Fault('invalid_package', `not a chart package: ${why}`, { cause });
}

/** Streams fail on the bytes they are given alone: what is no Fault yet is one of gzip or tar. */
function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (reason === 'incorrect header check') {
    return invalid(TRAILING, error); // of a second gzip member: the first one's was looked at before
  }
  if (reason === 'unexpected end of file' || reason === 'Unexpected end of data') {
    return invalid('it is empty or cut off; upload the whole file (curl: --data-binary @file)', error);
  }
  return invalid(`it cannot be unpacked (${reason})`, error);
}
