import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

type Line<Value> = { readonly put: Value } | { readonly delete: string };

/**
 * Values by key, kept in a file that gains a line with each change. A killed process leaves whole changes only:
 * what was written is there again, a line cut short is not. Changes are synchronous, so nothing comes in between;
 * they are not forced to the disk, so a power failure may take the last of them.
 */
export class Journal<Value extends { readonly key: string }> {
  readonly #file: number;
  readonly #values = new Map<string, Value>();

  constructor(file: string) {
    mkdirSync(path.dirname(file), { recursive: true });
    // What follows the last line feed is a line whose writer was killed.
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    for (const line of lines) this.#apply(JSON.parse(line) as Line<Value>);
    const present = [...this.#values.values()].map((put) => `${JSON.stringify({ put })}\n`);
    writeFileSync(`${file}.new`, present.join(''));
    renameSync(`${file}.new`, file);
    this.#file = openSync(file, 'a');
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  values(): readonly Value[] {
    return [...this.#values.values()];
  }

  put(value: Value): void {
    this.#write({ put: value });
  }

  delete(key: string): void {
    this.#write({ delete: key });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: Line<Value>): void {
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
    this.#apply(line);
  }

  #apply(line: Line<Value>): void {
    if ('put' in line) this.#values.set(line.put.key, line.put);
    else this.#values.delete(line.delete);
  }
}
