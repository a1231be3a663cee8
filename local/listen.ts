import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Listener = { readonly port: number; close(): Promise<void> };

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Binds a server to one host. @returns its port */
export function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.keepAliveTimeout = 60_000; // SDKs keep idle connections; one closed under them costs a retry
    server.once('error', (error) => {
      const taken = codeOf(error) === 'EADDRINUSE';
      const where = host.includes(':') ? `[${host}]` : host;
      reject(
        taken ? new Error(`port ${port} on ${where} is taken by another program`, { cause: error }) : error,
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Stops a server and the connections that clients keep open. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/**
 * Serves one port on every host given; the first must work. A further one may be missing from this computer
 * (no IPv6), but must not belong to another program: clients that prefer it would talk to that one.
 *
 * @param port 0 for a free one
 */
export async function listen(
  handler: RequestListener,
  hosts: readonly string[],
  port: number,
): Promise<Listener> {
  const servers: Server[] = [];
  let bound = port;
  const closeAll = async () => void (await Promise.all(servers.map(close)));
  for (const host of hosts) {
    const server = createServer(handler);
    try {
      bound = await bind(server, host, bound);
      servers.push(server);
    } catch (error) {
      const missing = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error));
      if (missing && servers.length > 0) continue;
      await closeAll();
      if (port === 0 && servers.length > 0) return await listen(handler, hosts, 0); // free on one host only
      throw error;
    }
  }
  return { port: bound, close: closeAll };
}
