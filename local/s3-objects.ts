import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';

export type StoredObject = {
  readonly key: string;
  /** Name of the file that holds the bytes. */
  readonly blob: string;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
  readonly modified: string;
  /** What is answered with the bytes: content type and the like, `x-amz-meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
};

type JournalLine = { readonly put: StoredObject } | { readonly delete: string };

/**
 * A bucket's objects on disk: each body is a file of its own, under a random name since a key may hold any
 * character, and a journal says which key has which. An object is there once its journal line is, so a killed
 * process leaves whole objects only.
 */
export class ObjectFiles {
  readonly #folder: string;
  readonly #journal: number;
  readonly #objects = new Map<string, StoredObject>();
  #keys: readonly string[] | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(path.join(folder, 'blobs'), { recursive: true });
    const journal = path.join(folder, 'journal.jsonl');
    if (existsSync(journal)) this.#replay(readFileSync(journal, 'utf8'));
    this.#dropOrphans();
    const lines = [...this.#objects.values()].map((put) => `${JSON.stringify({ put })}\n`);
    writeFileSync(`${journal}.new`, lines.join(''));
    renameSync(`${journal}.new`, journal);
    this.#journal = openSync(journal, 'a');
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** All keys in the order of their UTF-8 bytes, which is S3's. */
  keys(): readonly string[] {
    this.#keys ??= [...this.#objects.keys()]
      .map((key) => Buffer.from(key))
      .sort(Buffer.compare)
      .map((key) => key.toString());
    return this.#keys;
  }

  newBlob(): string {
    return randomUUID();
  }

  file(blob: string): string {
    return path.join(this.#folder, 'blobs', blob);
  }

  /** The bytes from `start` to `end`, both included. Opened at once, so that a delete cannot come in between. */
  read(blob: string, { start, end }: { start: number; end: number }): Readable {
    if (end < start) return Readable.from([]);
    return createReadStream('', { fd: openSync(this.file(blob), 'r'), start, end });
  }

  put(object: StoredObject): void {
    const before = this.#objects.get(object.key);
    this.#write({ put: object });
    if (before !== undefined) this.discard(before.blob);
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    const before = this.#objects.get(key);
    if (before === undefined) return false;
    this.#write({ delete: key });
    this.discard(before.blob);
    return true;
  }

  /** Removes bytes that no object names. Who is reading them keeps them till the end of the read. */
  discard(blob: string): void {
    rmSync(this.file(blob), { force: true });
  }

  close(): void {
    closeSync(this.#journal);
  }

  #write(line: JournalLine): void {
    appendFileSync(this.#journal, `${JSON.stringify(line)}\n`);
    this.#apply(line);
  }

  #apply(line: JournalLine): void {
    const key = 'put' in line ? line.put.key : line.delete;
    if (!('put' in line) || !this.#objects.has(key)) this.#keys = undefined;
    if ('put' in line) this.#objects.set(key, line.put);
    else this.#objects.delete(key);
  }

  #replay(journal: string): void {
    // What follows the last line feed is a line whose writer was killed: that request was never answered.
    for (const line of journal.split('\n').slice(0, -1)) this.#apply(JSON.parse(line) as JournalLine);
  }

  #dropOrphans(): void {
    const named = new Set([...this.#objects.values()].map(({ blob }) => blob));
    for (const blob of readdirSync(path.join(this.#folder, 'blobs'))) {
      if (!named.has(blob)) this.discard(blob);
    }
  }
}
