import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishFromInbox } from '../../shared/inbox.ts';
import { aChange } from '../store/records.ts';
import { root } from '../use-cases/world.ts';
import { aChartroom, aForm, type Chartroom, contents } from './chartroom.ts';

const read = (...parts: string[]) => readFileSync(path.join(import.meta.dirname, '../fixtures', ...parts));
const keyRing = read('keys', 'pubring.gpg').toString('base64');
const otherRing = read('keys', 'readme-pubring.gpg').toString('base64');
const chart = read('charts', 'mailhog-5.8.0.tgz');
const prov = read('charts', 'mailhog-5.8.0.tgz.prov');
const binary = { 'content-type': 'application/octet-stream' };

async function aStrictChartroom(ring = keyRing): Promise<Chartroom> {
  const chartroom = aChartroom();
  const body = JSON.stringify({ requireSigned: true, keyRing: ring });
  const answer = await chartroom.send('PUT', '/-/settings', {
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(200);
  return chartroom;
}

const send = (chartroom: Chartroom, files: { chart?: Buffer; prov?: Buffer }, path = '/api/charts') =>
  chartroom.send(
    'POST',
    path,
    aForm(...Object.entries(files).map(([field, content]) => ({ field, file: `x.${field}`, content }))),
  );

const errorOf = ({ body }: { body: string }) => JSON.parse(body).error as string;

describe('requireSigned', () => {
  it('takes a package with a provenance file of a key of the ring', async () => {
    const chartroom = await aStrictChartroom();
    expect((await send(chartroom, { chart, prov })).status).toBe(201);
    expect((await chartroom.send('HEAD', '/charts/mailhog-5.8.0.tgz.prov')).status).toBe(200);
  });

  it('takes a package whose provenance file came before it', async () => {
    const chartroom = await aStrictChartroom();
    expect((await send(chartroom, { prov }, '/api/prov')).status).toBe(201);
    expect((await chartroom.send('POST', '/api/charts', { headers: binary, body: chart })).status).toBe(201);
  });

  it('does not trust a provenance file that came before the setting did', async () => {
    const chartroom = aChartroom();
    await send(chartroom, { prov }, '/api/prov');
    const body = JSON.stringify({ requireSigned: true, keyRing: otherRing });
    await chartroom.send('PUT', '/-/settings', { headers: { 'content-type': 'application/json' }, body });
    const answer = await chartroom.send('POST', '/api/charts', { headers: binary, body: chart });
    expect(answer.status).toBe(400);
    expect(chartroom.versions.items().filter(({ live }) => live !== undefined)).toEqual([]);
  });

  it.each<{ why: string; ring?: string; files: { chart?: Buffer; prov?: Buffer }; says: RegExp }>([
    { why: 'a package alone', files: { chart }, says: /mailhog 5.8.0 is not signed.*…\/prov/ },
    { why: 'a wrong signer', ring: otherRing, files: { chart, prov }, says: /sign/ },
    {
      why: 'a text that was tampered with',
      files: { chart, prov: read('bad', 'tampered.tgz.prov') },
      says: /sign|changed/,
    },
    { why: 'a wrong signer, by itself', ring: otherRing, files: { prov }, says: /sign/ },
  ])('refuses $why, and stores nothing', async ({ ring, files, says }) => {
    const chartroom = await aStrictChartroom(ring);
    const before = contents(chartroom);
    const answer = await send(chartroom, files);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatch(says);
    expect(contents(chartroom)).toEqual(before);
  });

  it('lets no other provenance file take the place of the one that was checked', async () => {
    const chartroom = await aStrictChartroom();
    await send(chartroom, { prov }, '/api/prov');
    const { reserve } = chartroom.versions;
    chartroom.versions.reserve = async (...args) => {
      const id = args[0];
      const other = { package: 'f'.repeat(64), digest: 'f'.repeat(64), key: 'charts/other.prov' } as never;
      await chartroom.versions.addProvenance(id, other, { overwrite: true, change: aChange() });
      return await reserve(...args);
    };
    expect((await chartroom.send('POST', '/api/charts', { headers: binary, body: chart })).status).toBe(201);
    expect((await chartroom.send('HEAD', '/charts/mailhog-5.8.0.tgz.prov')).status).toBe(200);
  });

  it('takes a package of the inbox with the provenance file that lies beside it', async () => {
    const chartroom = await aStrictChartroom();
    for (const [name, bytes] of [
      ['a.tgz', chart],
      ['a.tgz.prov', prov],
    ] as const) {
      await chartroom.objects.put(`inbox/-/${name}`, bytes, { contentType: 'application/octet-stream' });
    }
    for (const name of ['a.tgz', 'a.tgz.prov']) {
      await publishFromInbox(chartroom, root, `inbox/-/${name}`);
      const id = name.replace(/\.tgz$/, '');
      expect((await chartroom.uploads.get(root, id))?.outcome.state, name).toBe('published');
    }
  });

  it('holds in the inbox too', async () => {
    const chartroom = await aStrictChartroom();
    const deliver = async (name: string, bytes: Buffer) => {
      await chartroom.objects.put(`inbox/-/${name}`, bytes, { contentType: 'application/octet-stream' });
      await publishFromInbox(chartroom, root, `inbox/-/${name}`);
      return (await chartroom.uploads.get(root, name.replace(/\.tgz$/, '')))?.outcome.state;
    };
    expect(await deliver('a.tgz', chart)).toBe('rejected');
    expect(await deliver('a.tgz.prov', prov)).toBe('published');
    expect(await deliver('b.tgz', chart)).toBe('published');
  });

  it.each([
    { why: 'a private key', ring: read('keys', 'readme-secring.gpg').toString('base64') },
    { why: 'no key', ring: 'hello' },
  ])('refuses a ring of $why, and says nothing new', async ({ ring }) => {
    const chartroom = aChartroom();
    const body = JSON.stringify({ requireSigned: true, keyRing: ring });
    const headers = { 'content-type': 'application/json' };
    expect((await chartroom.send('PUT', '/-/settings', { headers, body })).status).toBe(400);
    expect((await chartroom.send('GET', '/-/settings')).body).toBe('{}');
  });
});
