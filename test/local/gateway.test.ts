import { once } from 'node:events';
import { request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { writeAssembly } from './assembly.ts';

type Event = {
  routeKey: string;
  rawPath: string;
  rawQueryString: string;
  headers: Record<string, string>;
  pathParameters?: Record<string, string>;
  queryStringParameters?: Record<string, string>;
  body?: string;
  isBase64Encoded: boolean;
  requestContext: { stage: string; http: { method: string; path: string } };
};

const echo = 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });';

let stack: LocalStack;

const assembly = writeAssembly({
  functions: {
    Echo: echo,
    Large: `export const handler = async () => ({ statusCode: 200, body: 'x'.repeat(7 * 1024 * 1024) });`,
    Throwing: `export const handler = async () => { throw new Error('no'); };`,
    Dying: 'export const handler = async () => process.exit(3);',
    Slow: 'export const handler = () => new Promise(() => { setInterval(() => {}, 1000); });',
    Headed: `export const handler = async ({ requestContext: { http } }) => ({
        statusCode: 201, headers: { 'Content-Length': '12345', 'X-Mode': http.method },
        body: Buffer.from([0xff, 0x00]).toString('base64'), isBase64Encoded: true });`,
    Environment:
      'export const handler = async () => ({ statusCode: 200, body: JSON.stringify(process.env) });',
  },
  properties: {
    Slow: { Timeout: 1 },
    Environment: {
      Environment: {
        Variables: { MINE: { 'Fn::Join': ['/', [{ Ref: 'AWS::Region' }, { Ref: 'Echo' }]] } },
      },
    },
  },
  routes: {
    'GET /a/{name}': 'Echo',
    'GET /a/fixed': 'Echo',
    'GET /{first}/fixed': 'Echo',
    'POST /body': 'Echo',
    'GET /large': 'Large',
    'GET /throwing': 'Throwing',
    'GET /dying': 'Dying',
    'GET /slow': 'Slow',
    'GET /headed': 'Headed',
    'HEAD /headed': 'Headed',
    'GET /environment': 'Environment',
    $default: 'Echo',
  },
});

beforeAll(async () => {
  stack = await startLocal({ assembly });
});

afterAll(async () => {
  await stack.stop();
});

const eventOf = async (path: string, init?: RequestInit): Promise<Event> =>
  JSON.parse(await (await fetch(`${stack.url}${path}`, init)).text());

/** Sends a path as it is: fetch would tidy it up. */
function rawEvent(path: string, headers: [string, string][] = []): Promise<Event> {
  return new Promise((resolve, reject) => {
    const list = [['host', 'chartroom.test'], ...headers].flat();
    const request = sendRequest(stack.url, { path, headers: list }, (response) => {
      text(response).then((body) => resolve(JSON.parse(body)), reject);
    });
    request.once('error', reject).end();
  });
}

describe('the choice of a route', () => {
  it.each([
    { path: '/a/fixed', key: 'GET /a/fixed', why: 'a literal segment before a variable' },
    { path: '/a/other', key: 'GET /a/{name}', parameters: { name: 'other' }, why: 'a variable' },
    {
      path: '/b/fixed',
      key: 'GET /{first}/fixed',
      parameters: { first: 'b' },
      why: 'a variable on the left',
    },
    { path: '/a/x%2Fy', key: 'GET /a/{name}', parameters: { name: 'x/y' }, why: 'an encoded slash inside' },
    { path: '/a/', key: '$default', why: 'an empty segment' },
    { path: '/body', key: '$default', why: 'another method' },
    { path: '/no/such/path', key: '$default', why: 'nothing else' },
  ])('takes $key for $path: $why', async ({ path, key, parameters }) => {
    const event = await rawEvent(path);
    expect(event.routeKey).toBe(key);
    expect(event.pathParameters).toEqual(parameters);
  });
});

describe('an event', () => {
  it('has its path decoded once and its query raw', async () => {
    const event = await rawEvent('/a/1%252B2%2B3?x=%41&x=b+c&force');
    expect(event.rawPath).toBe('/a/1%2B2+3');
    expect(event.pathParameters).toEqual({ name: '1%2B2+3' });
    expect(event.rawQueryString).toBe('x=%41&x=b+c&force');
    expect(event.queryStringParameters).toEqual({ x: 'A,b c', force: '' });
    expect(event.requestContext).toMatchObject({
      stage: '$default',
      http: { method: 'GET', path: '/a/1%2B2+3' },
    });
  });

  it('has lower-case headers, repeated ones merged', async () => {
    const event = await rawEvent('/a/x', [
      ['X-Twice', 'one'],
      ['x-twice', 'two'],
    ]);
    expect(event.headers).toMatchObject({ host: 'chartroom.test', 'x-twice': 'one,two' });
  });

  it('has no body where none was sent', async () => {
    const event = await eventOf('/body', { method: 'POST' });
    expect(event).not.toHaveProperty('body');
    expect(event.isBase64Encoded).toBe(false);
  });

  const bytes = Buffer.from([0x1f, 0x8b, 0xff, 0x00]);

  it.each(['application/octet-stream', 'application/x-www-form-urlencoded', 'application/gzip', undefined])(
    'carries bytes whole as %s',
    async (type) => {
      const headers = type === undefined ? {} : { 'content-type': type };
      const event = await eventOf('/body', { method: 'POST', headers, body: new Uint8Array(bytes) });
      expect(event.isBase64Encoded).toBe(true);
      expect(Buffer.from(event.body ?? '', 'base64')).toEqual(bytes);
    },
  );

  it.each(['text/plain; charset=utf-8', 'application/json', 'application/xml', 'application/javascript'])(
    'destroys what is no text as %s',
    async (type) => {
      const headers = { 'content-type': type };
      const event = await eventOf('/body', { method: 'POST', headers, body: new Uint8Array(bytes) });
      expect(event).toMatchObject({ isBase64Encoded: false, body: '\u001f\ufffd\ufffd\u0000' });
    },
  );
});

describe("the gateway's own answers", () => {
  const messageOf = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${stack.url}${path}`, init);
    return { status: answer.status, ...JSON.parse(await answer.text()) };
  };
  const tooLarge = { status: 413, message: 'Request Entity Too Large' };
  const serverError = { status: 500, message: 'Internal Server Error' };

  it('refuses a body above 10 MB', async () => {
    const body = new Uint8Array(11 * 1024 * 1024);
    expect(await messageOf('/body', { method: 'POST', body })).toEqual(tooLarge);
  });

  it('refuses a body whose event is above 6 MB', async () => {
    const body = new Uint8Array(5 * 1024 * 1024);
    expect(await messageOf('/body', { method: 'POST', body })).toEqual(tooLarge);
  });

  it('answers 413 only after the last byte of the body', async () => {
    const size = 11 * 1024 * 1024;
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1');
    let heard = '';
    socket.on('data', (data) => {
      heard += data;
    });
    socket.write(`POST /body HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${size}\r\n\r\n`);
    await new Promise<void>((resolve) => socket.write(Buffer.alloc(size - 1), () => resolve()));
    // An answer to another request proves that the gateway had the time to give this one.
    await eventOf('/a/x');
    expect(heard).toBe('');
    socket.end('x');
    await once(socket, 'close');
    expect(heard).toMatch(/^HTTP\/1.1 413 /);
  });

  it.each([
    { why: 'its body', sent: 'POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf' },
    { why: 'its headers', sent: 'POST /body HTTP/1.1\r\nhost: x\r\n' },
  ])('answers 408 to a request that does not come with all of $why', async ({ sent }) => {
    const impatient = await startLocal({ assembly, requestTimeoutMs: 100 });
    onTestFinished(() => impatient.stop());
    const socket = connect(Number(new URL(impatient.url).port), '127.0.0.1');
    socket.write(sent);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 408 .*content-type: application\/json\r\n/s);
    expect(JSON.parse(body)).toEqual({ message: 'Request Timeout' });
  });

  it('answers 400 to what is no HTTP', async () => {
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1');
    socket.write('nonsense\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 .*\{"message":"Bad Request"\}$/s);
  });

  it.each(['/throwing', '/dying', '/slow', '/large'])('answers 500 for %s', async (path) => {
    expect(await messageOf(path)).toEqual(serverError);
  });

  it('goes on after a crash', async () => {
    await messageOf('/dying');
    expect(await messageOf('/dying')).toEqual(serverError);
  });

  it('answers 400 to a path that cannot be decoded', async () => {
    expect(await rawEvent('/a/%zz')).toEqual({ message: 'Bad Request' });
  });
});

describe("a function's answer", () => {
  it('is sent with its status, headers and bytes', async () => {
    const answer = await fetch(`${stack.url}/headed`);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-mode')).toBe('GET');
    expect(answer.headers.get('content-length')).toBe('2');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from([0xff, 0x00]));
  });

  it('keeps the length that it tells of a HEAD request', async () => {
    const answer = await fetch(`${stack.url}/headed`, { method: 'HEAD' });
    expect(answer.headers.get('content-length')).toBe('12345');
    expect(await answer.text()).toBe('');
  });
});

it("gives a function its own variables and Lambda's, and none of this process", async () => {
  const environment = await (await fetch(`${stack.url}/environment`)).json();
  expect(environment).toMatchObject({ MINE: 'us-east-1/Echo', AWS_ACCESS_KEY_ID: 'Environment' });
  expect(Object.keys(environment as object).filter((name) => !/^(AWS_|MINE$|TZ$)/.test(name))).toEqual([]);
});
