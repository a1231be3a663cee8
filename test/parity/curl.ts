import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export type CurlAnswer = {
  readonly status: number;
  /** Names in lower case; of the last answer, where redirects were followed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

/** The real curl, in a folder of its own. */
export type Curl = {
  /** Puts a file where curl finds it by its name. */
  write(name: string, content: Uint8Array): Promise<void>;
  run(...args: readonly string[]): Promise<CurlAnswer>;
  remove(): Promise<void>;
};

export async function aCurl(): Promise<Curl> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-curl-'));
  let calls = 0;
  return {
    write: (name, content) => writeFile(path.join(folder, name), content),
    async run(...args) {
      calls += 1;
      const [headersFile, bodyFile] = [`headers-${calls}`, `body-${calls}`];
      const output = ['--dump-header', headersFile, '--output', bodyFile, '--write-out', '%{http_code}'];
      const status = await new Promise<string>((resolve, reject) => {
        execFile('curl', ['--silent', ...output, ...args], { cwd: folder }, (error, stdout) => {
          if (error === null) resolve(stdout);
          else reject(error);
        });
      });
      const headers = await readFile(path.join(folder, headersFile), 'utf8');
      // There is none where the body is empty.
      const body = await readFile(path.join(folder, bodyFile)).catch(() => Buffer.alloc(0));
      return { status: Number(status), headers: lastHeaders(headers), body };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function lastHeaders(text: string): Record<string, string> {
  const last = text.trimEnd().split('\r\n\r\n').at(-1) ?? '';
  const pairs = last
    .split('\r\n')
    .slice(1)
    .map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
  return Object.fromEntries(pairs);
}
