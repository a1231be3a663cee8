import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { bind, close } from '../../local/listen.ts';

export type Exchange = {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly response: ServerResponse;
};

/** A server that does with each request what a test wants; a mistake in that ends the connection. */
export async function scriptedServer(reply: (exchange: Exchange) => Promise<void>) {
  const server = createServer((request, response) => {
    const serve = async () => reply({ request, body: await readAll(request), response });
    serve().catch(() => response.destroy());
  });
  const url = `http://127.0.0.1:${await bind(server, '127.0.0.1', 0)}`;
  return { url, close: () => close(server) };
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
