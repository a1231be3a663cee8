import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { Journal } from './journal.ts';

export type StoredObject = {
  readonly key: string;
  /** Name of the file that holds the bytes, and the object's version id. */
  readonly blob: string;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
  readonly modified: string;
  /** What is answered with the bytes: content type and the like, `x-amz-meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * A bucket's objects on disk: each body is a file of its own, under a random name since a key may hold any
 * character, and a journal says which key has which. An object is there once its line in the journal is, whole;
 * what a killed process wrote before that is removed at the next start.
 */
export class ObjectFiles {
  readonly #blobs: string;
  readonly #journal: Journal<StoredObject>;
  #sorted: readonly StoredObject[] | undefined;

  constructor(folder: string) {
    this.#blobs = path.join(folder, 'blobs');
    fs.mkdirSync(this.#blobs, { recursive: true });
    this.#journal = new Journal(path.join(folder, 'journal.jsonl'));
    const named = new Set([...this.#journal.values()].map(({ blob }) => blob));
    for (const blob of fs.readdirSync(this.#blobs)) if (!named.has(blob)) this.#discard(blob);
  }

  get(key: string): StoredObject | undefined {
    return this.#journal.get(key);
  }

  /** All objects in the order of their keys' UTF-8 bytes, which is S3's. */
  sorted(): readonly StoredObject[] {
    this.#sorted ??= [...this.#journal.values()]
      .map((object) => ({ object, bytes: Buffer.from(object.key) }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
      .map(({ object }) => object);
    return this.#sorted;
  }

  /** The bytes from `start` to `end`, both included. Opened at once, so that a delete cannot come in between. */
  read({ blob }: StoredObject, { start, end }: { start: number; end: number }): Readable {
    if (end < start) return Readable.from([]);
    return fs.createReadStream('', { fd: fs.openSync(path.join(this.#blobs, blob), 'r'), start, end });
  }

  put({
    bytes,
    ...object
  }: Pick<StoredObject, 'key' | 'etag' | 'headers'> & { bytes: Buffer }): StoredObject {
    const before = this.get(object.key);
    const stored = {
      ...object,
      blob: randomUUID(),
      sizeBytes: bytes.length,
      modified: new Date().toISOString(),
    };
    fs.writeFileSync(path.join(this.#blobs, stored.blob), bytes);
    this.#sorted = undefined;
    this.#journal.put(stored);
    if (before !== undefined) this.#discard(before.blob);
    return stored;
  }

  delete({ key, blob }: StoredObject): void {
    this.#sorted = undefined;
    this.#journal.delete(key);
    this.#discard(blob);
  }

  close(): void {
    this.#journal.close();
  }

  /** Who is reading the bytes keeps them till the end of the read. */
  #discard(blob: string): void {
    fs.rmSync(path.join(this.#blobs, blob), { force: true });
  }
}
