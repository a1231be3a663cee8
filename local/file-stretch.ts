import fs from 'node:fs';
import { promisify } from 'node:util';

const read = promisify(fs.read);

// Of 100 MB at once: larger pieces take the memory of many readers, smaller ones the time of each.
const PIECE_BYTES = 1024 * 1024;

/**
 * A stretch of a file, which is open until it was read or closed: it is there to its end though the file is removed
 * meanwhile. Each piece holds until the next is asked for; a new buffer for each would have the heap looked through
 * again and again, which in a process with a large table in memory takes longer than to read.
 */
export class FileStretch {
  readonly #fd: number;
  readonly #start: number;
  readonly #end: number;

  /** @param end the last byte, included */
  constructor(file: string, start: number, end: number) {
    this.#fd = fs.openSync(file, 'r');
    this.#start = start;
    this.#end = end;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      const left = (at: number) => Math.min(PIECE_BYTES, this.#end + 1 - at);
      const piece = Buffer.allocUnsafeSlow(left(this.#start));
      for (let at = this.#start; at <= this.#end; ) {
        const { bytesRead } = await read(this.#fd, piece, 0, left(at), at);
        if (bytesRead === 0) throw new Error('the file was cut short');
        yield piece.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}
