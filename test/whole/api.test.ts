import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inParallel } from '../../shared/async-iteration.ts';
import { isDeployed } from '../deploy/deploy-kind.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { type AnyChartroom, listed, sha256, startAnyChartroom } from './chartroom.ts';

const fixtures = path.join(import.meta.dirname, '../fixtures/charts');

let chartroom: AnyChartroom;
beforeAll(async () => {
  chartroom = await startAnyChartroom();
});
afterAll(() => chartroom.stop());

const json = async (answer: Response) => ({
  status: answer.status,
  body: (await answer.json()) as Record<string, unknown>,
});

function aForm(files: { readonly chart?: Uint8Array; readonly prov?: Uint8Array }): FormData {
  const form = new FormData();
  for (const [field, bytes] of Object.entries(files)) form.append(field, new Blob([bytes]), `${field}.file`);
  return form;
}

it("takes a version through its whole life at Harbor's addresses", async () => {
  const charts = '/api/chartrepo/apps/charts';
  const bytes = await aPackage({ version: '1.0.0+b', files: { 'values.yaml': 'a: {b: 1}\n' } });
  const body = aForm({ chart: bytes, prov: aProvenance(bytes, { version: '1.0.0+b' }) });
  expect((await chartroom.send('POST', charts, { body })).status).toBe(201);
  const [entry] = (await chartroom.readIndex('chartrepo/apps')).entries['demo'] ?? [];
  for (const file of ['demo-1.0.0+b.tgz', 'demo-1.0.0%2Bb.tgz']) {
    expect(await chartroom.digestAt(`/chartrepo/apps/charts/${file}`)).toBe(sha256(bytes));
  }
  const [chart] = (await (await chartroom.send('GET', charts)).json()) as unknown[];
  expect(chart).toMatchObject({ name: 'demo', total_versions: 1, latest_version: '1.0.0+b' });
  const versions = await chartroom.send('GET', `${charts}/demo`);
  expect(await versions.json()).toEqual([{ ...entry, labels: [] }]);
  expect(await json(await chartroom.send('GET', `${charts}/demo/1.0.0%2Bb`))).toMatchObject({
    status: 200,
    body: { metadata: entry, values: { 'a.b': 1 }, security: { signature: { signed: true } } },
  });
  expect((await chartroom.send('HEAD', charts)).status).toBe(404);
  const deleted = await chartroom.send('DELETE', `${charts}/demo/1.0.0+b`);
  expect([deleted.status, await deleted.text()]).toEqual([200, '']);
  expect(listed(await chartroom.readIndex('apps'))).toEqual([]);
});

describe.each(['', 'org', 'org/team', 'org/team/charts.d'])('the repository "%s"', (repository) => {
  const at = repository === '' ? '' : `/${repository}`;

  it('takes a version through its whole life', async () => {
    const bytes = await aPackage({ version: '1.0.0+b', files: { 'values.yaml': '# why\na: 1\n' } });
    expect(await json(await chartroom.publish(bytes, repository))).toEqual({
      status: 201,
      body: { saved: true },
    });

    const [entry] = (await chartroom.readIndex(repository)).entries['demo'] ?? [];
    expect(entry).toMatchObject({ digest: sha256(bytes), urls: ['charts/demo-1.0.0+b.tgz'] });
    expect(await chartroom.digestAt(`${at}/charts/demo-1.0.0+b.tgz`)).toBe(sha256(bytes));
    expect(await chartroom.digestAt(`${at}/charts/demo-1.0.0%2Bb.tgz`)).toBe(sha256(bytes));

    expect((await json(await chartroom.send('GET', `/api${at}/charts`))).body).toEqual({ demo: [entry] });
    expect((await json(await chartroom.send('GET', `/api${at}/charts/demo`))).body).toEqual([entry]);
    for (const version of ['1.0.0+b', '1.0.0%2Bb', 'latest', '^1.0', '1.x']) {
      const answer = await json(await chartroom.send('GET', `/api${at}/charts/demo/${version}`));
      expect(answer, version).toEqual({ status: 200, body: entry });
    }
    const values = await chartroom.send('GET', `/api${at}/charts/demo/latest/values`);
    expect(await values.text()).toBe('# why\na: 1\n');
    const templates = await json(await chartroom.send('GET', `/api${at}/charts/demo/latest/templates`));
    expect(templates.body).toEqual({ templates: [], values: { a: 1 } });

    expect((await chartroom.publish(bytes, repository)).status).toBe(409);
    const other = await aPackage({ version: '1.0.0+b', description: 'other' });
    expect((await chartroom.publish(other, repository, '?force=false')).status).toBe(409);
    expect((await chartroom.publish(other, repository, '?force')).status).toBe(201);
    expect(await chartroom.digestAt(`${at}/charts/demo-1.0.0+b.tgz`)).toBe(sha256(other));
    expect((await chartroom.readIndex(repository)).entries['demo']?.map(({ digest }) => digest)).toEqual([
      sha256(other),
    ]);

    const deleted = await json(await chartroom.send('DELETE', `/api${at}/charts/demo/1.0.0%2Bb`));
    expect(deleted).toEqual({ status: 200, body: { deleted: true } });
    expect(listed(await chartroom.readIndex(repository))).toEqual([]);
    expect((await chartroom.send('GET', `${at}/charts/demo-1.0.0+b.tgz`)).status).toBe(404);
    expect((await chartroom.send('DELETE', `/api${at}/charts/demo/1.0.0%2Bb`)).status).toBe(404);
  });

  it('takes a package with its provenance file, in one form or one after the other', async () => {
    const package1 = await readFile(path.join(fixtures, 'mailhog-5.8.0.tgz'));
    const prov1 = await readFile(path.join(fixtures, 'mailhog-5.8.0.tgz.prov'));
    const both = { method: 'POST', body: aForm({ chart: package1, prov: prov1 }) };
    expect((await fetch(`${chartroom.url}/api${at}/charts`, both)).status).toBe(201);
    expect(await chartroom.digestAt(`${at}/charts/mailhog-5.8.0.tgz.prov`)).toBe(sha256(prov1));

    const package2 = await aPackage({ name: 'late' });
    const prov2 = aProvenance(package2, { name: 'late' });
    const prov = await chartroom.send('POST', `/api${at}/prov`, { body: new Uint8Array(prov2) });
    expect(prov.status).toBe(201);
    expect((await chartroom.send('GET', `${at}/charts/late-1.0.0.tgz.prov`)).status).toBe(404);
    expect((await chartroom.publish(package2, repository)).status).toBe(201);
    expect(await chartroom.digestAt(`${at}/charts/late-1.0.0.tgz.prov`)).toBe(sha256(prov2));
    const again = await chartroom.send('POST', `/api${at}/prov`, { body: aForm({ prov: prov2 }) });
    expect(again.status).toBe(409);

    // A package that replaces another does not inherit its provenance file.
    const replaced = await aPackage({ name: 'late', description: 'replaced' });
    expect((await chartroom.publish(replaced, repository, '?force')).status).toBe(201);
    expect((await chartroom.send('GET', `${at}/charts/late-1.0.0.tgz.prov`)).status).toBe(404);
  });

  it('answers HEAD with the headers of GET', async () => {
    const bytes = await aPackage({ name: 'head', files: { 'values.yaml': 'a: 1\n' } });
    await chartroom.publish(bytes, repository);
    const paths = [
      `${at}/index.yaml`,
      `/api${at}/charts`,
      `/api${at}/charts/head`,
      `/api${at}/charts/head/1.0.0`,
      `/api${at}/charts/head/1.0.0/values`,
      `/api${at}/charts/head/1.0.0/templates`,
    ];
    for (const target of paths) {
      // fetch asks for gzip by itself, and hides what it got.
      const plain = { headers: { 'accept-encoding': 'identity' } };
      const get = await chartroom.send('GET', target, plain);
      const head = await chartroom.send('HEAD', target, plain);
      const length = String((await get.arrayBuffer()).byteLength);
      expect([head.status, head.headers.get('content-length')], target).toEqual([200, length]);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(await head.text()).toBe('');
    }
    const head = await chartroom.send('HEAD', `${at}/charts/head-1.0.0.tgz`);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  });

  it('lets a client keep its index while it holds', async () => {
    const first = await chartroom.send('GET', `${at}/index.yaml`);
    const etag = first.headers.get('etag') ?? '';
    const same = { headers: { 'if-none-match': etag } };
    expect((await chartroom.send('GET', `${at}/index.yaml`, same)).status).toBe(304);
    await chartroom.publish(await aPackage({ name: 'newer' }), repository);
    expect((await chartroom.send('GET', `${at}/index.yaml`, same)).status).toBe(200);
  });

  it('deletes a whole chart', async () => {
    for (const version of ['1.0.0', '2.0.0']) {
      await chartroom.publish(await aPackage({ name: 'whole', version }), repository);
    }
    expect((await chartroom.send('DELETE', `/api${at}/charts/whole`)).status).toBe(200);
    expect((await chartroom.readIndex(repository)).entries['whole']).toBeUndefined();
    expect((await chartroom.send('DELETE', `/api${at}/charts/whole`)).status).toBe(404);
  });
});

describe('the list of charts', () => {
  it('is paged over names', async () => {
    for (const name of ['a', 'b', 'c']) await chartroom.publish(await aPackage({ name }), 'paged');
    const names = async (query: string) =>
      Object.keys((await json(await chartroom.send('GET', `/api/paged/charts${query}`))).body);
    expect(await names('?limit=2')).toEqual(['a', 'b']);
    expect(await names('?limit=2&offset=2')).toEqual(['c']);
    expect(await names('?offset=1')).toEqual(['b', 'c']);
    expect(await names('?limit=2&offset=9')).toEqual([]);
    expect((await chartroom.send('GET', '/api/paged/charts?limit=0')).status).toBe(400);
  });

  it('lets a client keep it while it holds', async () => {
    await chartroom.publish(await aPackage(), 'kept');
    const etag = (await chartroom.send('GET', '/api/kept/charts')).headers.get('etag') ?? '';
    const same = { headers: { 'if-none-match': etag } };
    expect((await chartroom.send('GET', '/api/kept/charts', same)).status).toBe(304);
    await chartroom.publish(await aPackage({ name: 'newer' }), 'kept');
    expect((await chartroom.send('GET', '/api/kept/charts', same)).status).toBe(200);
  });

  it('leads curl to the bucket where it is above 6 MB', async () => {
    const description = 'x'.repeat(120_000);
    const names = Array.from({ length: 56 }, (_, number) => `large-${String(number).padStart(2, '0')}`);
    const publish = async (name: string) => {
      expect((await chartroom.publish(await aPackage({ name, description }), 'large')).status).toBe(201);
    };
    await inParallel(names, publish, 4);
    expect((await chartroom.send('GET', '/api/large/charts')).status).toBe(302);

    const curl = async (...options: string[]) => {
      const target = `${chartroom.url}/api/large/charts`;
      const args = ['--silent', '--show-error', '--fail', ...options, target];
      return (await promisify(execFile)('curl', args, { maxBuffer: 16 * 1024 * 1024 })).stdout;
    };
    const list = await curl('--location');
    const { entries } = await chartroom.readIndex('large');
    expect(JSON.parse(list)).toEqual(entries);
    expect(Object.keys(entries)).toEqual(names);

    const head = await curl('--head');
    expect(head).toContain(' 200 ');
    expect(head).toContain(`content-length: ${Buffer.byteLength(list)}`);
    const { status, body } = await json(await chartroom.send('GET', '/api/large/charts?limit=2&offset=3'));
    expect([status, Object.keys(body)]).toEqual([200, names.slice(3, 5)]);
  });
});

describe('addresses', () => {
  it('are those of helm serve too', async () => {
    const bytes = await aPackage({ name: 'served' });
    await chartroom.publish(bytes);
    const index = await (await chartroom.send('GET', '/charts/index.yaml')).json();
    expect(index).toEqual(await chartroom.readIndex());
    expect(await chartroom.digestAt('/charts/charts/served-1.0.0.tgz')).toBe(sha256(bytes));
    for (const target of ['/', '/charts', '/charts/']) {
      const page = await fetch(`${chartroom.url}${target}`);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(await page.text()).toContain('<strong>served</strong>');
    }
  });

  it.each([
    { method: 'GET', target: '/health', status: 200, body: { healthy: true } },
    { method: 'GET', target: '/info', status: 200, body: { version: expect.any(String) } },
    { method: 'GET', target: '/nowhere', status: 404, body: { error: 'not found' } },
    { method: 'GET', target: '/charts/a/b/c', status: 404, body: { error: 'not found' } },
    { method: 'PUT', target: '/api/charts', status: 405, body: { error: expect.stringContaining('GET') } },
    { method: 'GET', target: '/api/charts/nothing', status: 404, body: { error: expect.any(String) } },
    { method: 'GET', target: '/charts/x.zip', status: 404, body: { error: expect.any(String) } },
    { method: 'GET', target: '/api/index.yaml', status: 404, body: { error: expect.any(String) } },
    // MiniStack gives what it decoded to the function.
    ...(isDeployed
      ? []
      : [{ method: 'GET', target: '/a%2Fb/index.yaml', status: 400, body: { error: expect.any(String) } }]),
  ])('answers $status to $method $target', async ({ method, target, status, body }) => {
    expect(await json(await chartroom.send(method, target))).toMatchObject({ status, body });
  });

  it('give a repository that nobody published to a valid empty index, and leave nothing', async () => {
    await chartroom.idle();
    const before = await chartroom.items();
    expect(await chartroom.readIndex('never/used')).toMatchObject({ apiVersion: 'v1', entries: {} });
    expect(await chartroom.items()).toEqual(before);
  });
});
