import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Invocation } from './functions.ts';
import { bind, close } from './listen.ts';

type Control = { readonly url: string; readonly secret: string };
type Invoke = (name: string, payload: string) => Promise<Invocation>;

const fileIn = (dataDir: string) => path.join(dataDir, 'control.json');

/**
 * Lets whoever may read the data folder invoke functions of the stack that runs over it.
 *
 * @returns what ends that
 */
export async function openControl(dataDir: string, invoke: Invoke): Promise<() => Promise<void>> {
  const secret = randomBytes(20).toString('hex');
  const server = createServer(async (request, response) => {
    if (request.headers.authorization !== `Bearer ${secret}`) response.writeHead(401).end();
    else response.end(JSON.stringify(await invoke((request.url ?? '/').slice(1), await text(request))));
  });
  const control: Control = { url: `http://127.0.0.1:${await bind(server, '127.0.0.1', 0)}`, secret };
  writeFileSync(fileIn(dataDir), JSON.stringify(control), { mode: 0o600 });
  return async () => {
    rmSync(fileIn(dataDir), { force: true });
    await close(server);
  };
}

/** Invokes a function of the stack that runs over a data folder. @returns undefined if none does */
export async function invokeRunning(
  dataDir: string,
  name: string,
  payload: string,
): Promise<Invocation | undefined> {
  if (!existsSync(fileIn(dataDir))) return undefined;
  const { url, secret } = JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as Control;
  const headers = { authorization: `Bearer ${secret}` };
  const sent = fetch(`${url}/${name}`, { method: 'POST', headers, body: payload });
  // A runner that was killed leaves its file behind.
  const answer = await sent.catch(() => undefined);
  return answer?.ok ? ((await answer.json()) as Invocation) : undefined;
}
