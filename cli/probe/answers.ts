import { gunzipSync } from 'node:zlib';
import { type Check, judged, notTried } from './check.ts';
import { statusOverHttp2 } from './http.ts';

const CHALLENGE = 'www-authenticate';

/** Past this, signed URLs and secrets that end are no longer what they say. */
const MOST_CLOCK_DIFFERENCE_MS = 60_000;

/** Whether an answer says what is wrong in Chartroom's words, which the gateway's own do not. */
export function isOurs(body: Buffer): boolean {
  return /^\{"error":/.test(body.toString());
}

/** What HTTP itself looks like after the gateway. */
export const answers: readonly Check[] = [
  {
    name: 'Challenge of a 401',
    expected: '401 with `WWW-Authenticate: Basic …`',
    async look({ client, closed, repository }) {
      if (!closed) return notTried('access is open: there is no 401');
      const { status, headers, names } = await client.send('GET', `/${repository}/index.yaml`, {
        credentials: undefined,
      });
      const named = names.filter((name) => name.includes('authenticate'));
      const isBasic = headers[CHALLENGE]?.startsWith('Basic realm=') === true;
      return judged(
        status === 401 && isBasic && named.length === 1,
        `${status} with ${named.join(', ') || 'none'}`,
      );
    },
  },
  {
    name: 'Challenge of wrong credentials',
    expected: '401 with `WWW-Authenticate`',
    async look({ client, closed, repository }) {
      if (!closed) return notTried('access is open: credentials are ignored');
      const credentials = { user: 'nobody-of-the-probe', password: 'wrong' };
      const { status, headers } = await client.send('GET', `/${repository}/index.yaml`, { credentials });
      return judged(
        status === 401 && CHALLENGE in headers,
        `${status}${CHALLENGE in headers ? ' with it' : ' without'}`,
      );
    },
  },
  {
    name: 'A path that is not there',
    expected: "404 in Chartroom's words, not the gateway's",
    async look({ client }) {
      const { status, body } = await client.send('GET', '/-/nothing-of-the-probe');
      return judged(
        status === 404 && isOurs(body),
        `${status} ${isOurs(body) ? "in Chartroom's words" : 'in others'}`,
      );
    },
  },
  {
    name: 'A method that is not there',
    expected: '405 with `Allow`',
    async look({ client }) {
      const { status, headers } = await client.send('PATCH', '/info');
      return judged(status === 405 && 'allow' in headers, `${status}, Allow: ${headers['allow'] ?? 'none'}`);
    },
  },
  {
    name: "The client's `X-Request-Id`",
    expected: 'comes back',
    async look({ client }) {
      const id = 'chartroom-probe-1';
      const { headers } = await client.send('GET', '/info', { headers: { 'x-request-id': id } });
      return judged(
        headers['x-request-id'] === id,
        headers['x-request-id'] === id ? 'comes back' : 'does not',
      );
    },
  },
  {
    name: 'An `X-Request-Id` of its own',
    expected: 'in the answer',
    async look({ client }) {
      const { headers } = await client.send('GET', '/info');
      return judged((headers['x-request-id'] ?? '') !== '', 'x-request-id' in headers ? 'there' : 'none');
    },
  },
  {
    name: 'Cookies',
    expected: 'change nothing, and none is set',
    async look({ client }) {
      const { status, names } = await client.send('GET', '/info', { headers: { cookie: 'a=1; b=2' } });
      const sets = names.includes('set-cookie');
      return judged(status === 200 && !sets, `${status}, ${sets ? 'sets one' : 'none set'}`);
    },
  },
  {
    name: 'HTTP/2',
    expected: '200, where the address offers it',
    async look({ client }) {
      if (client.base.protocol !== 'https:') return notTried('the address has no TLS');
      const status = await statusOverHttp2(client.base, '/info');
      return judged(
        status === undefined || status === 200,
        status === undefined ? 'HTTP/1.1 alone' : `${status}`,
      );
    },
  },
  {
    name: 'Clock of the server (`Date`)',
    expected: 'within a minute of the one here',
    async look({ client }) {
      const { headers, tookMs } = await client.send('GET', '/info');
      const difference = Date.parse(headers['date'] ?? '') - (Date.now() - tookMs / 2);
      const seconds = Math.round(difference / 1000);
      return judged(Math.abs(difference) < MOST_CLOCK_DIFFERENCE_MS, `${seconds} s apart`);
    },
  },
];

/** How an index is read; of a repository in which something was published. */
export const indexes: readonly Check[] = [
  {
    name: 'Index, without `Accept-Encoding`',
    expected: '200, not compressed, with `ETag`',
    async look({ client, repository }) {
      const { status, headers } = await client.send('GET', `/${repository}/index.yaml`);
      const isPlain = headers['content-encoding'] === undefined;
      return judged(
        status === 200 && isPlain && 'etag' in headers,
        `${status}, ${headers['content-encoding'] ?? 'not compressed'}`,
      );
    },
  },
  {
    name: "Index, as Helm asks (gzip, Helm's `User-Agent`)",
    expected: '200 in gzip, the same bytes',
    async look({ client, repository }) {
      const path = `/${repository}/index.yaml`;
      const plain = await client.send('GET', path);
      const { status, headers, body } = await client.send('GET', path, {
        headers: { 'accept-encoding': 'gzip', 'user-agent': 'Helm/3.22.0' },
      });
      const isGzip = headers['content-encoding'] === 'gzip';
      const isSame = isGzip && gunzipSync(body).equals(plain.body);
      return judged(
        status === 200 && isSame,
        `${status}, ${isGzip ? 'gzip' : 'no gzip'}, ${isSame ? 'the same' : 'not the same'}`,
      );
    },
  },
  {
    name: 'Header lines of one name',
    expected: 'are joined, so that gzip is seen in the second; in the answer each name is there once',
    async look({ client, repository }) {
      const { headers, names } = await client.send('GET', `/${repository}/index.yaml`, {
        headers: { 'accept-encoding': ['identity;q=0.5', 'gzip'] },
      });
      const twice = names.filter((name, at) => names.indexOf(name) !== at && name !== 'set-cookie');
      const encoding = headers['content-encoding'] ?? 'no encoding';
      return judged(
        encoding === 'gzip' && twice.length === 0,
        `${encoding}; ${twice.length === 0 ? 'each once' : `more than once: ${twice.join(', ')}`}`,
      );
    },
  },
  {
    name: 'Index, `If-None-Match`',
    expected: '304 without a body',
    async look({ client, repository }) {
      const path = `/${repository}/index.yaml`;
      const { headers } = await client.send('GET', path);
      const again = await client.send('GET', path, { headers: { 'if-none-match': headers['etag'] ?? '' } });
      return judged(
        again.status === 304 && again.body.length === 0,
        `${again.status}, ${again.body.length} bytes`,
      );
    },
  },
  {
    name: 'Index, `Range: bytes=0-9`',
    expected: '206, 10 bytes, with `Content-Range`',
    async look({ client, repository }) {
      const { status, headers, body } = await client.send('GET', `/${repository}/index.yaml`, {
        headers: { range: 'bytes=0-9' },
      });
      return judged(
        status === 206 && body.length === 10 && 'content-range' in headers,
        `${status}, ${body.length} bytes, ${headers['content-range'] ?? 'no Content-Range'}`,
      );
    },
  },
  {
    name: 'Index, HEAD',
    expected: '200, `Content-Length` as GET has bytes',
    async look({ client, repository }) {
      const path = `/${repository}/index.yaml`;
      const { body } = await client.send('GET', path);
      const { status, headers } = await client.send('HEAD', path);
      const length = headers['content-length'];
      return judged(
        status === 200 && length === String(body.length),
        `${status}, Content-Length ${length ?? 'missing'} (GET: ${body.length})`,
      );
    },
  },
];
