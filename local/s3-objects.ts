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

// A file is called so until the journal names it.
const NEW = '.new';

/**
 * A bucket's objects on disk: each body is a file of its own, under a random name since a key may hold any
 * character, and a journal says which key has which. An object is there once its line in the journal is, whole,
 * and as long as its file is.
 *
 * What a killed process left is removed at the next start: a file that is still called new, and one that the
 * journal says was replaced. A file of which the journal says nothing stays: it may be the journal that lost it.
 */
export class ObjectFiles extends Journal<StoredObject> {
  readonly #blobs: string;

  constructor(folder: string) {
    const journal = path.join(folder, 'journal.jsonl');
    const blobs = path.join(folder, 'blobs');
    fs.mkdirSync(blobs, { recursive: true });
    if (!fs.existsSync(journal) && fs.readdirSync(blobs).length > 0) {
      const way = 'put it back from a copy, or see "The files of this computer" in docs/runbook.md';
      throw new Error(`${journal} is missing, which names the files in ${blobs}: ${way}`);
    }
    super(journal, ({ blob }) => fs.rmSync(path.join(blobs, blob), { force: true }));
    this.#blobs = blobs;
    const named = new Set([...this.values()].map(({ blob }) => blob));
    for (const file of fs.readdirSync(blobs)) {
      const blob = path.basename(file, NEW);
      if (file !== blob && named.has(blob)) this.#keep(blob);
      else if (file !== blob) fs.rmSync(path.join(blobs, file));
    }
  }

  /** @returns nothing also for an object whose file is missing or cut short */
  override get(key: string): StoredObject | undefined {
    const object = super.get(key);
    return object && this.isWhole(object) ? object : undefined;
  }

  isWhole({ blob, sizeBytes }: StoredObject): boolean {
    return fs.statSync(path.join(this.#blobs, blob), { throwIfNoEntry: false })?.size === sizeBytes;
  }

  /** All objects, whole or not, in the order of their keys' UTF-8 bytes, which is S3's. */
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
    const blob = randomUUID();
    const stored = { ...object, blob, sizeBytes: bytes.length, modified: new Date().toISOString() };
    fs.writeFileSync(path.join(this.#blobs, blob + NEW), bytes);
    this.put(stored);
    this.#keep(blob);
    return stored;
  }

  #keep(blob: string): void {
    fs.renameSync(path.join(this.#blobs, blob + NEW), path.join(this.#blobs, blob));
  }
}
