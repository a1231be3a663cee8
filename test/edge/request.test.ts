import { describe, expect, it } from 'vitest';
import {
  mediaTypeOf,
  pathParameter,
  readRequest,
  repositoryOf,
  senderOf,
} from '../../shared/edge/request.ts';
import { routes } from '../../shared/routes.ts';
import { anEvent } from '../functions/events.ts';

const request = (...parts: Parameters<typeof anEvent>) => readRequest(anEvent(...parts).event);

describe('readRequest', () => {
  it('takes over bytes as they are', () => {
    const bytes = Buffer.from([0x1f, 0x8b, 0xff, 0x00]);
    const { body, bodyIsText } = request('POST', '/api/charts', { body: bytes });
    expect([Buffer.from(body), bodyIsText]).toEqual([bytes, false]);
  });

  it('says when the gateway took a body for text', () => {
    const headers = { 'content-type': 'text/plain' };
    expect(request('POST', '/api/charts', { headers, body: 'é' })).toMatchObject({
      body: Buffer.from('é'),
      bodyIsText: true,
    });
    expect(request('POST', '/api/charts', { headers }).bodyIsText).toBe(false);
  });

  it('reads the query as it was sent', () => {
    const { query } = request('GET', '/api/charts?limit=1&force&x=%20');
    expect([...query]).toEqual([
      ['limit', '1'],
      ['force', ''],
      ['x', ' '],
    ]);
  });

  it('never decodes a path twice', () => {
    const { parameters } = request('GET', '/charts/a%2525-1.0.0.tgz');
    expect(parameters).toEqual({ file: 'a%25-1.0.0.tgz' });
  });
});

describe('the path behind a base path', () => {
  // Some are what routes begin with, or repositories of that name.
  const bases = ['/helm', '/x/y', '/charts', '/api', '/api/charts', '/redis', '/chartrepo'];
  const paths = routes.map(({ method, path }) => ({
    method,
    path: path.replaceAll(/\{\w+\}/g, 'redis'),
  }));

  it.each(bases)('%s is the same whether the gateway leaves that out or not', (base) => {
    for (const { method, path } of paths) {
      const { event } = anEvent(method, path);
      const without = readRequest(event, base);
      expect(without).toMatchObject({ path, basePath: base });
      expect(readRequest({ ...event, rawPath: `${base}${path}` }, base)).toEqual(without);
    }
  });

  it('is that of the base path itself', () => {
    const { event } = anEvent('GET', '/');
    expect(readRequest({ ...event, rawPath: '/helm' }, '/helm').path).toBe('/');
  });

  it('is left alone where it only begins alike', () => {
    const { event } = anEvent('GET', '/helmet/index.yaml');
    expect(readRequest(event, '/helm').path).toBe('/helmet/index.yaml');
  });

  it('is taken off where no route matched', () => {
    const { event } = anEvent('PATCH', '/index.yaml');
    expect(event.routeKey).toBe('$default');
    expect(readRequest({ ...event, rawPath: '/helm/index.yaml' }, '/helm').path).toBe('/index.yaml');
  });
});

describe('pathParameter', () => {
  it.each(['', '.', '..', 'a/b', 'a\\b', '/', 'a\nb', 'a\u0000', 'a\u007f', 'a\u0085'])(
    'refuses %j',
    (name) => {
      const refused = () => pathParameter({ ...request('GET', '/'), parameters: { name } }, 'name');
      expect(refused).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    },
  );

  it.each(['a', '...', '1.0.0+b', '^1.0', '>=1 <2', 'é'])('takes %j', (name) => {
    expect(pathParameter({ ...request('GET', '/'), parameters: { name } }, 'name')).toBe(name);
  });
});

describe('repositoryOf', () => {
  it.each([
    { path: '/index.yaml', repository: '' },
    { path: '/a/index.yaml', repository: 'a' },
    { path: '/a/b/index.yaml', repository: 'a/b' },
    { path: '/a/b/c/index.yaml', repository: 'a/b/c' },
    { path: '/charts/index.yaml', repository: '' },
    { path: '/charts/charts/x-1.0.0.tgz', repository: '' },
  ])('is "$repository" for $path', ({ path, repository }) => {
    expect(repositoryOf(request('GET', path))).toBe(repository);
  });
});

describe('senderOf', () => {
  const sent = request('POST', '/api/charts', { headers: { 'x-request-id': 'mine' } });
  const from = { address: '192.0.2.1', requestId: 'mine' };

  it.each([
    { caller: { name: 'ci', kind: 'robot' }, by: { account: 'ci', kind: 'robot' } },
    { caller: { kind: 'anyone' }, by: { account: 'anyone', kind: 'anyone' } },
    // A longer one would be no key of the table.
    { caller: { name: 'x'.repeat(3000), kind: 'user' }, by: { account: 'x'.repeat(256), kind: 'user' } },
  ] as const)('is told as $by.kind', ({ caller, by }) => {
    expect(senderOf(sent, caller)).toEqual({ ...by, ...from });
  });
});

describe('mediaTypeOf', () => {
  it.each([
    { header: 'Multipart/Form-Data; boundary=X', type: 'multipart/form-data' },
    { header: ' text/plain ;charset=utf-8', type: 'text/plain' },
    { header: '', type: '' },
  ])('of "$header" is "$type"', ({ header, type }) => {
    expect(mediaTypeOf(request('POST', '/api/charts', { headers: { 'content-type': header } }))).toBe(type);
  });
});
