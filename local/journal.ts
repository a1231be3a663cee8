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

  constructor(file: string) {
    super();
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // What follows the last line feed is a line whose writer was killed.
    const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    for (const line of lines) this.#apply(JSON.parse(line) as Line<Value>);
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
    fs.closeSync(this.#file);
  }

  #write(line: Line<Value>): true {
    fs.appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
    return this.#apply(line);
  }

  #apply(line: Line<Value>): true {
    if ('put' in line) super.set(line.put.key, line.put);
    else super.delete(line.delete);
    return true;
  }
}
