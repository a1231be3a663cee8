import fs from 'node:fs';
import path from 'node:path';

type Line<Value> = { readonly put: Value } | { readonly delete: string };

/**
 * Values by key, kept in a file that gains a line with each change. A killed process leaves whole changes only:
 * what was written is there again, a line cut short is not. Changes are synchronous, so nothing comes in between;
 * they are not forced to the disk, so a power failure may take the last of them.
 */
export class Journal<Value extends { readonly key: string }> extends Map<string, Value> {
  readonly #file: number;
  #closed = false;
  readonly #replaced: (value: Value) => void;

  /**
   * @param replaced hears of each value that the journal says is no more, also of those that it said so of before
   * @throws for a line that cannot be read, before anything is written
   */
  constructor(file: string, replaced: (value: Value) => void = () => {}) {
    super();
    this.#replaced = replaced;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // What follows the last line feed is a line whose writer was killed.
    const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    for (const [index, line] of lines.entries()) {
      try {
        this.#apply(readLine<Value>(line));
      } catch (cause) {
        const way = 'put the file back from a copy, or delete the line, and what it says is lost';
        throw new Error(`${file}, line ${index + 1}, cannot be read: ${way}`, { cause });
      }
    }
    const present = [...this.values()].map((put) => `${JSON.stringify({ put })}\n`);
    fs.writeFileSync(`${file}.new`, present.join(''));
    fs.renameSync(`${file}.new`, file);
    this.#file = fs.openSync(file, 'a');
  }

  put(value: Value): void {
    this.#write({ put: value });
  }

  override delete(key: string): boolean {
    return this.has(key) && this.#write({ delete: key });
  }

  close(): void {
    this.#closed = true;
    fs.closeSync(this.#file);
  }

  #write(line: Line<Value>): true {
    // A file that somebody else has opened since could have the same number.
    if (this.#closed) throw new Error('the journal is closed');
    fs.appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
    return this.#apply(line);
  }

  #apply(line: Line<Value>): true {
    const key = 'put' in line ? line.put.key : line.delete;
    const before = super.get(key);
    if ('put' in line) super.set(key, line.put);
    else super.delete(key);
    if (before !== undefined) this.#replaced(before);
    return true;
  }
}

function readLine<Value extends { readonly key: string }>(text: string): Line<Value> {
  const line = JSON.parse(text) as Line<Value>;
  if (typeof ('put' in line ? line.put.key : line.delete) === 'string') return line;
  throw new Error('it is no change');
}
