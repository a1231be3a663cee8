import { describe, expect, it } from 'vitest';
import { aPackage, aProvenance } from '../packages.ts';
import { aChartroom, aForm, contents, jsonHeaders, publish, refusal } from './chartroom.ts';

const saved = { status: 201, headers: jsonHeaders, body: '{"saved":true}' };
const upload = await aPackage({ name: 'redis' });
const provenance = aProvenance(upload, { name: 'redis' });

describe('POST /api/{repository}/prov', () => {
  it.each([
    'text/plain',
    'application/pgp-signature',
    'application/x-www-form-urlencoded',
    'application/json',
  ])('takes a provenance file sent as %s', async (type) => {
    const chartroom = aChartroom();
    await publish(chartroom, upload);
    const sent = { headers: { 'content-type': type }, body: provenance };
    expect(await chartroom.send('POST', '/api/prov', sent)).toEqual(saved);
    const stored = [...chartroom.objects.objects].filter(([key]) => key.endsWith('.prov'));
    expect(stored.map(([, { bytes }]) => Buffer.from(bytes).toString())).toEqual([provenance.toString()]);
  });

  it('takes a form with the field prov', async () => {
    const form = aForm({ field: 'prov', file: 'redis-1.0.0.tgz.prov', content: provenance });
    expect(await aChartroom().send('POST', '/api/prov', form)).toEqual(saved);
  });

  it('lets a provenance file wait for its package', async () => {
    const chartroom = aChartroom();
    expect(await chartroom.send('POST', '/api/prov', { body: provenance })).toEqual(saved);
    expect((await chartroom.send('GET', '/charts/redis-1.0.0.tgz.prov')).status).toBe(404);
    await publish(chartroom, upload);
    expect((await chartroom.send('GET', '/charts/redis-1.0.0.tgz.prov')).status).toBe(302);
  });

  it('replaces a provenance file only by ?force', async () => {
    const chartroom = aChartroom();
    await chartroom.send('POST', '/api/prov', { body: provenance });
    const before = contents(chartroom);
    const message = 'redis-1.0.0.tgz already has a provenance file: pass ?force to replace it';
    expect(await chartroom.send('POST', '/api/prov', { body: provenance })).toEqual({
      status: 409,
      headers: jsonHeaders,
      body: refusal('CONFLICT', message),
    });
    expect(contents(chartroom)).toEqual(before);
    expect(await chartroom.send('POST', '/api/prov?force', { body: provenance })).toEqual(saved);
  });

  const begin =
    'not a provenance file: it does not begin with "-----BEGIN PGP SIGNED MESSAGE-----"; send what "helm package --sign" writes';
  it.each([
    {
      why: 'an empty body',
      sent: {},
      message: "the provenance file is empty: send a file's bytes, as curl --data-binary @file does",
    },
    { why: 'something else', sent: { body: 'x' }, message: begin },
    { why: 'a leading line end', sent: { body: `\n${provenance}` }, message: begin },
    {
      why: 'a form with a package alone',
      sent: aForm({ field: 'chart', file: 'x.tgz', content: upload }),
      message: 'no provenance file found in form field prov: send packages to …/charts',
    },
  ])('refuses $why with 400, and stores nothing', async ({ sent, message }) => {
    const chartroom = aChartroom();
    expect(await chartroom.send('POST', '/api/prov', sent)).toEqual({
      status: 400,
      headers: jsonHeaders,
      body: refusal('BAD_REQUEST', message),
    });
    expect(contents(chartroom)).toEqual(contents(aChartroom()));
  });
});
