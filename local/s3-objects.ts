import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
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
 * process leaves whole objects only. Changes are synchronous: no other request comes in between.
 */
export class ObjectFiles {
  readonly #folder: string;
  readonly #journal: number;
  readonly #objects = new Map<string, StoredObject>();
  readonly #keys: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    fs.mkdirSync(path.join(folder, 'blobs'), { recursive: true });
    const journal = path.join(folder, 'journal.jsonl');
    // What follows the last line feed is a line whose writer was killed: that request was never answered.
    const lines = fs.existsSync(journal) ? fs.readFileSync(journal, 'utf8').split('\n').slice(0, -1) : [];
    for (const line of lines) this.#apply(JSON.parse(line) as JournalLine);
    const blobs = new Set([...this.#objects.values()].map(({ blob }) => blob));
    for (const blob of fs.readdirSync(path.join(folder, 'blobs'))) if (!blobs.has(blob)) this.#discard(blob);
    const present = [...this.#objects.values()].map((put) => `${JSON.stringify({ put })}\n`);
    fs.writeFileSync(`${journal}.new`, present.join(''));
    fs.renameSync(`${journal}.new`, journal);
    this.#journal = fs.openSync(journal, 'a');
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** All keys in the order of their UTF-8 bytes, which is S3's. */
  keys(): readonly string[] {
    return this.#keys;
  }

  /** The bytes from `start` to `end`, both included. Opened at once, so that a delete cannot come in between. */
  read({ blob }: StoredObject, { start, end }: { start: number; end: number }): Readable {
    if (end < start) return Readable.from([]);
    return fs.createReadStream('', { fd: fs.openSync(this.#file(blob), 'r'), start, end });
  }

  put(object: Pick<StoredObject, 'key' | 'etag' | 'headers'>, bytes: Buffer): void {
    const before = this.#objects.get(object.key);
    const blob = randomUUID();
    fs.writeFileSync(this.#file(blob), bytes);
    const modified = new Date().toISOString();
    this.#write({ put: { ...object, blob, sizeBytes: bytes.length, modified } });
    if (before !== undefined) this.#discard(before.blob);
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    const before = this.#objects.get(key);
    if (before === undefined) return false;
    this.#write({ delete: key });
    this.#discard(before.blob);
    return true;
  }

  close(): void {
    fs.closeSync(this.#journal);
  }

  #file(blob: string): string {
    return path.join(this.#folder, 'blobs', blob);
  }

  /** Who is reading the bytes keeps them till the end of the read. */
  #discard(blob: string): void {
    fs.rmSync(this.#file(blob), { force: true });
  }

  #write(line: JournalLine): void {
    fs.appendFileSync(this.#journal, `${JSON.stringify(line)}\n`);
    this.#apply(line);
  }

  #apply(line: JournalLine): void {
    const key = 'put' in line ? line.put.key : line.delete;
    const place = this.#placeOf(key);
    const isThere = this.#keys[place] === key;
    if ('put' in line) this.#objects.set(key, line.put);
    else this.#objects.delete(key);
    if ('put' in line && !isThere) this.#keys.splice(place, 0, key);
    if ('delete' in line && isThere) this.#keys.splice(place, 1);
  }

  /** Where a key is among the sorted ones, or would be. */
  #placeOf(key: string): number {
    const bytes = Buffer.from(key);
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(Buffer.from(this.#keys[middle] ?? ''), bytes) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
