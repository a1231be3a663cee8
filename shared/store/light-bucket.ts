import https from 'node:https';
import { arrayBuffer } from 'node:stream/consumers';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import type { ObjectStore } from './object-store.ts';

/** What the hot functions ask of the bucket. */
export type LightBucket = Pick<
  ObjectStore,
  'get' | 'put' | 'compose' | 'head' | 'list' | 'exists' | 'signedUrl'
>;

/** Who signs and for which region: of a client that is there anyway. */
type Signer = Pick<DynamoDBClient['config'], 'region' | 'credentials' | 'sha256'>;

type Where = { readonly protocol: string; readonly hostname: string; readonly port?: number };
type Signed = Where & { readonly method: string; readonly path: string };

// With the three attempts of the S3 client after it, below the 29 s of a function.
const ATTEMPT_MS = 3_000;

// A refresh may want an index of 100 MB, which takes longer.
const LARGEST_BYTES = 1024 * 1024;

// The regions that anybody may use; others have host names of their own.
const PUBLIC_REGION = /^[a-z]{2}-[a-z]+-\d+$/;

/**
 * The bucket without the S3 client, which takes as long to load as all the rest of a hot function: it signs URLs
 * itself, and reads small objects by them. Whatever else is asked of it, and whatever is not answered with 200 at
 * once, is left to the whole store, which tries again and knows what an error means.
 *
 * @param endpoint where S3 answers, if not at AWS
 * @param whole loads the store that is left the rest
 */
export function lightBucket(
  { region, credentials, sha256 }: Signer,
  { bucketName, endpoint }: { readonly bucketName: string; readonly endpoint: string | undefined },
  whole: () => Promise<ObjectStore>,
): LightBucket {
  const presigner = new S3RequestPresigner({ region, credentials, sha256 });
  let loaded: Promise<ObjectStore> | undefined;
  const rest = () => {
    loaded ??= whole();
    return loaded;
  };

  /** @returns undefined where the SDK's own rules must say which host it is */
  async function sign(method: string, key: string, expiresIn: number): Promise<Signed | undefined> {
    const address = addressOf(bucketName, await region(), endpoint);
    if (address === undefined) return undefined;
    const { folder, ...where } = address;
    const path = `${folder}/${key.split('/').map(escapeSegment).join('/')}`;
    const request = { ...where, method, path, query: {}, headers: {} };
    // Of the parameters of a signature none has a list of values.
    const { query = {} } = await presigner.presign(request, { expiresIn });
    const signature = new URLSearchParams(query as Record<string, string>);
    return { ...where, method, path: `${path}?${signature}` };
  }

  /** @returns undefined where the whole store has to say what became of it */
  async function ask(method: 'GET' | 'HEAD', key: string): Promise<Uint8Array | undefined> {
    const signed = await sign(method, key, 60);
    // A connection that failed is one more reason to ask again, by the whole store.
    return signed && (await send(signed).catch(() => undefined));
  }

  return {
    get: async (key, range) =>
      (range === undefined ? await ask('GET', key) : undefined) ?? (await (await rest()).get(key, range)),

    exists: async (key) => ((await ask('HEAD', key)) === undefined ? await (await rest()).exists(key) : true),

    signedUrl: async (key, expiresInSeconds) => {
      const signed = await sign('GET', key, expiresInSeconds);
      return signed ? urlOf(signed) : await (await rest()).signedUrl(key, expiresInSeconds);
    },

    put: async (...object) => await (await rest()).put(...object),

    compose: async (...object) => await (await rest()).compose(...object),

    head: async (key) => await (await rest()).head(key),

    async *list(prefix) {
      yield* (await rest()).list(prefix);
    },
  };
}

function addressOf(bucketName: string, region: string, endpoint: string | undefined) {
  if (endpoint !== undefined) {
    const { protocol, hostname, port, pathname } = new URL(endpoint);
    const folder = `${pathname.replace(/\/$/, '')}/${bucketName}`;
    return { protocol, hostname, ...(port !== '' && { port: Number(port) }), folder };
  }
  // The certificate of AWS covers no dot in the name of a bucket.
  if (!PUBLIC_REGION.test(region) || region.startsWith('cn-') || bucketName.includes('.')) return undefined;
  return { protocol: 'https:', hostname: `${bucketName}.s3.${region}.amazonaws.com`, folder: '' };
}

/** As a signature wants it: RFC 3986, which reserves more than encodeURIComponent does. */
function escapeSegment(segment: string): string {
  const asHex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(segment).replace(/[!'()*]/g, asHex);
}

const urlOf = ({ protocol, hostname, port, path }: Signed) =>
  `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;

/** @returns the body of a 200 that is small, and undefined of any other answer */
async function send(signed: Signed): Promise<Uint8Array | undefined> {
  // AWS has TLS only.
  const { request } = signed.protocol === 'https:' ? https : await import('node:http');
  return new Promise((resolve, reject) => {
    request({ ...signed, signal: AbortSignal.timeout(ATTEMPT_MS) }, (response) => {
      const isSmall = signed.method === 'HEAD' || Number(response.headers['content-length']) <= LARGEST_BYTES;
      if (response.statusCode === 200 && isSmall) {
        resolve(arrayBuffer(response).then((bytes) => new Uint8Array(bytes)));
        return;
      }
      response.destroy();
      resolve(undefined);
    })
      .on('error', reject)
      .end();
  });
}
