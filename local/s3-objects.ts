import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
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
export class ObjectFiles extends Journal<StoredObject> {
  readonly #blobs: string;

  constructor(folder: string) {
    super(path.join(folder, 'journal.jsonl'));
    this.#blobs = path.join(folder, 'blobs');
    fs.mkdirSync(this.#blobs, { recursive: true });
    const named = new Set([...this.values()].map(({ blob }) => blob));
    for (const blob of fs.readdirSync(this.#blobs)) if (!named.has(blob)) this.#discard(blob);
  }

  /** All objects in the order of their keys' UTF-8 bytes, which is S3's. */
  sorted(): readonly StoredObject[] {
    return [...this.values()]
      .map((object) => ({ object, bytes: Buffer.from(object.key) }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
      .map(({ object }) => object);
  }

  read({ blob }: StoredObject): Buffer {
    return fs.readFileSync(path.join(this.#blobs, blob));
  }

  store(object: Pick<StoredObject, 'key' | 'etag' | 'headers'>, bytes: Buffer): StoredObject {
    const before = this.get(object.key);
    const blob = randomUUID();
    const stored = { ...object, blob, sizeBytes: bytes.length, modified: new Date().toISOString() };
    fs.writeFileSync(path.join(this.#blobs, blob), bytes);
    this.put(stored);
    if (before !== undefined) this.#discard(before.blob);
    return stored;
  }

  remove({ key, blob }: StoredObject): void {
    this.delete(key);
    this.#discard(blob);
  }

  #discard(blob: string): void {
    fs.rmSync(path.join(this.#blobs, blob), { force: true });
  }
}
