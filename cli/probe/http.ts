import { request as plainRequest } from 'node:http';
import { connect, constants } from 'node:http2';
import { request as secureRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { basic, type Credentials } from '../command-line.ts';

/** An answer as it came: not followed, not unpacked, its headers told one by one. */
export type Answer = {
  readonly status: number;
  /** Names in lower case; what came more than once is in `names` as often. */
  readonly headers: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  readonly body: Buffer;
  readonly tookMs: number;
};

export type Sent = {
  /** Several values are as many header lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array;
  /** Sends the body without saying its length, as Helm's plugins do. @default false */
  readonly chunked?: boolean;
  /** @default those of the client */
  readonly credentials?: Credentials | undefined;
};

export type Client = {
  readonly base: URL;
  readonly credentials: Credentials | undefined;
  /** Sends a path below the Chartroom's address, letter by letter: nothing is encoded or put right. */
  send(method: string, path: string, sent?: Sent): Promise<Answer>;
};

// Above what the gateway takes for an answer.
const PATIENCE_MS = 60_000;

/** Talks to the Chartroom at an address, which may have a path of its own. */
export function clientOf(base: URL, credentials: Credentials | undefined): Client {
  const below = base.pathname.replace(/\/+$/, '');
  return {
    base,
    credentials,
    send: (method, path, sent = {}) => {
      const who = 'credentials' in sent ? sent.credentials : credentials;
      const headers = { ...(who && { authorization: basic(who) }), ...sent.headers };
      return exchange(method, base, `${below}${path}`, { ...sent, headers });
    },
  };
}

/** Sends one request to a URL of anybody's, such as a signed one. */
export const sendTo = (method: string, url: URL, sent: Sent = {}): Promise<Answer> =>
  exchange(method, url, `${url.pathname}${url.search}`, sent);

function exchange(method: string, at: URL, path: string, sent: Sent): Promise<Answer> {
  const { headers = {}, body, chunked = false } = sent;
  const began = performance.now();
  const length = body === undefined || chunked ? {} : { 'content-length': String(body.length) };
  const { protocol, hostname, port } = at;
  const send = protocol === 'https:' ? secureRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send({
      protocol,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      method,
      path,
      headers: { ...length, ...copied(headers) },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    outgoing.on('response', (incoming) => {
      buffer(incoming).then((received) => {
        const { statusCode: status = 0, rawHeaders } = incoming;
        const names = rawHeaders.filter((_, place) => place % 2 === 0).map((name) => name.toLowerCase());
        const values = rawHeaders.filter((_, place) => place % 2 === 1);
        resolve({
          status,
          headers: Object.fromEntries(names.map((name, place) => [name, values[place] ?? ''])),
          names,
          body: received,
          tookMs: performance.now() - began,
        });
      }, reject);
    });
    // Who is answered before all was sent may find the connection closed: the answer counts.
    outgoing.on('error', (error) => setImmediate(() => reject(error)));
    if (chunked) outgoing.flushHeaders();
    outgoing.end(body);
  });
}

const copied = (headers: NonNullable<Sent['headers']>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );

/** Asks over HTTP/2. @returns the status, or undefined where the server speaks HTTP/1.1 alone */
export function statusOverHttp2(base: URL, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const session = connect(base.origin, {}, ({ alpnProtocol }) => {
      if (alpnProtocol !== 'h2') end(undefined);
    });
    const end = (status: number | undefined) => {
      session.destroy();
      resolve(status);
    };
    session.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ERR_HTTP2_ERROR' ? end(undefined) : reject(error),
    );
    session.setTimeout(PATIENCE_MS, () => end(undefined));
    const stream = session.request({
      [constants.HTTP2_HEADER_PATH]: `${base.pathname.replace(/\/+$/, '')}${path}`,
    });
    stream.on('error', () => end(undefined));
    stream.on('response', (headers) => end(headers[':status']));
  });
}
