import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

export type Advertised = {
  /** Address to listen on. */
  readonly host: string;
  /** How the API and S3 are called in URLs. */
  readonly apiHost: string;
  readonly storeHost: string;
};

/**
 * What to listen on and what to be called.
 *
 * Without an address it is loopback under two names: Helm sends its credentials on along a redirect within one
 * host name, and S3 refuses them beside a presigned query.
 */
export function advertise(address: string | undefined): Advertised {
  if (address === undefined) return { host: '127.0.0.1', apiHost: 'localhost', storeHost: '127.0.0.1' };
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  const everywhere = address === '0.0.0.0' || address === '::';
  const name = everywhere ? (outside?.address ?? '127.0.0.1') : address;
  const inUrl = isIPv6(name) ? `[${name}]` : name;
  return { host: address, apiHost: inUrl, storeHost: inUrl };
}

/** Binds a server to one host. @returns its port */
export async function bind(server: Server, host: string, port: number): Promise<number> {
  server.keepAliveTimeout = 60_000; // SDKs keep idle connections; one closed under them costs a retry
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(
      `port ${port} on ${host} is taken by another program; choose others with --port and --store-port`,
      { cause: error },
    );
  });
  return (server.address() as AddressInfo).port;
}

/** Stops a server and the connections that clients keep open. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
