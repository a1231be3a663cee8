import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

export type Advertised = {
  /** Addresses to listen on. */
  readonly hosts: readonly string[];
  /** How the API calls itself. */
  readonly apiHost: string;
  /** How presigned URLs call S3: an IP address, since SDKs then put the bucket in the path. */
  readonly storeHost: string;
};

const inUrl = (host: string) => (host.includes(':') ? `[${host}]` : host);

/** The first address by which other machines may reach this one. */
function firstOutside(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return found?.address ?? '127.0.0.1';
}

/**
 * What to listen on and what to be called.
 *
 * Without an address it is loopback under two names: Helm sends its credentials on along a redirect within one
 * host name, and S3 refuses them beside a presigned query.
 */
export async function advertise(address: string | undefined): Promise<Advertised> {
  if (address === undefined) {
    return { hosts: ['127.0.0.1', '::1'], apiHost: 'localhost', storeHost: '127.0.0.1' };
  }
  const { address: ip } = await lookup(address, { verbatim: false });
  const everywhere = ip === '0.0.0.0' || ip === '::';
  const outside = everywhere ? firstOutside() : ip;
  return { hosts: [ip], apiHost: inUrl(everywhere ? outside : address), storeHost: inUrl(outside) };
}
