import { describe, expect, it } from 'vitest';
import { aPackage, aProvenance } from '../packages.ts';
import { aChartroom, aForm, contents, jsonHeaders, refusal } from './chartroom.ts';

const saved = { status: 201, headers: jsonHeaders, body: '{"saved":true}' };
const upload = await aPackage({ name: 'redis' });
const provenance = aProvenance(upload, { name: 'redis' });
const other = await aPackage({ name: 'redis', description: 'other bytes' });
const misnamed = await aPackage({ name: 'charts' });
const binary = { 'content-type': 'application/octet-stream' };

describe('POST /api/{repository}/charts', () => {
  it.each([
    { why: 'as octets', headers: binary },
    { why: 'as gzip', headers: { 'content-type': 'application/gzip' } },
    { why: "with curl's default type", headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    { why: 'without a type', headers: {} },
  ])('publishes a package sent raw $why', async ({ headers }) => {
    const chartroom = aChartroom();
    expect(await chartroom.send('POST', '/api/charts', { headers, body: upload })).toEqual(saved);
    expect((await chartroom.send('GET', '/api/charts/redis/1.0.0')).status).toBe(200);
  });

  it.each(['/api/charts', '/api/a/charts', '/api/a/b/charts', '/api/a/b/c/charts'])(
    'publishes to the repository of %s alone',
    async (path) => {
      const chartroom = aChartroom();
      expect(await chartroom.send('POST', path, { headers: binary, body: upload })).toEqual(saved);
      const repository = path.slice('/api/'.length, -'charts'.length).replace(/\/$/, '');
      expect(chartroom.versions.items().map((item) => item.repository)).toEqual([repository]);
    },
  );

  it.each([
    { why: 'a package', form: aForm({ field: 'chart', file: '/tmp/x', content: upload }), prov: 404 },
    {
      why: 'a package with its provenance file',
      form: aForm(
        { field: 'chart', file: 'redis-1.0.0.tgz', content: upload },
        { field: 'prov', file: 'redis-1.0.0.tgz.prov', content: provenance },
      ),
      prov: 302,
    },
    {
      why: 'the first of two parts of one name',
      form: aForm(
        { field: 'chart', file: 'a', content: upload },
        { field: 'chart', file: 'b', content: 'not a package' },
      ),
      prov: 404,
    },
  ])('publishes $why from a form', async ({ form, prov }) => {
    const chartroom = aChartroom();
    expect(await chartroom.send('POST', '/api/charts', form)).toEqual(saved);
    expect((await chartroom.send('GET', '/charts/redis-1.0.0.tgz')).status).toBe(302);
    expect((await chartroom.send('GET', '/charts/redis-1.0.0.tgz.prov')).status).toBe(prov);
  });

  it('takes the media type of a form in any case', async () => {
    const { body } = aForm({ field: 'chart', file: 'x', content: upload });
    const headers = { 'content-type': 'Multipart/Form-Data; boundary=a-boundary' };
    expect(await aChartroom().send('POST', '/api/charts', { headers, body })).toEqual(saved);
  });

  it('publishes a provenance file that comes alone in a form', async () => {
    const chartroom = aChartroom();
    await chartroom.send('POST', '/api/charts', { headers: binary, body: upload });
    const form = aForm({ field: 'prov', file: 'x.prov', content: provenance });
    expect(await chartroom.send('POST', '/api/charts', form)).toEqual(saved);
    expect((await chartroom.send('GET', '/charts/redis-1.0.0.tgz.prov')).status).toBe(302);
  });

  it.each([
    { query: '?force', status: 201 },
    { query: '?force=', status: 201 },
    { query: '?force=true', status: 201 },
    { query: '?force=false', status: 409 },
    { query: '?force=0', status: 409 },
    { query: '', status: 409 },
  ])('answers $status to other bytes of a version with "$query"', async ({ query, status }) => {
    const chartroom = aChartroom();
    await chartroom.send('POST', '/api/charts', { headers: binary, body: upload });
    const answer = await chartroom.send('POST', `/api/charts${query}`, { headers: binary, body: other });
    expect(answer.status).toBe(status);
  });

  it('replaces a version without ?force where the deployment allows it', async () => {
    const chartroom = aChartroom({ deployment: { allowOverwrite: true } });
    await chartroom.send('POST', '/api/charts', { headers: binary, body: upload });
    expect(await chartroom.send('POST', '/api/charts', { headers: binary, body: other })).toEqual(saved);
  });

  it('refuses other bytes of a version, and keeps the first', async () => {
    const chartroom = aChartroom();
    await chartroom.send('POST', '/api/charts', { headers: binary, body: upload });
    const before = contents(chartroom);
    const answer = await chartroom.send('POST', '/api/charts', { headers: binary, body: other });
    const message =
      'redis 1.0.0 already exists with other bytes: publish a new version, or pass ?force to replace it';
    expect(answer).toEqual({ status: 409, headers: jsonHeaders, body: refusal('CONFLICT', message) });
    expect(contents(chartroom)).toEqual(before);
  });
});

describe('POST /api/{repository}/charts refuses', () => {
  const noField = 'no package or provenance file found in form fields chart and prov';
  it.each([
    {
      why: 'an empty body',
      sent: { headers: binary },
      message: "the package is empty: send a file's bytes, as curl --data-binary @file does",
    },
    {
      why: 'an empty file in a form',
      sent: aForm({ field: 'chart', file: 'x.tgz', content: '' }),
      message: "the package is empty: send a file's bytes, as curl --data-binary @file does",
    },
    {
      why: 'a file that does not end behind the end of a form',
      sent: {
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
        body: `--b--${'\r\n--b\r\nContent-Disposition: form-data; name="chart"; filename="x"\r\n\r\nabc'.repeat(2)}`,
      },
      message: 'the multipart form cannot be read: Unexpected end of file',
    },
    {
      why: 'a form without a known field',
      sent: aForm({ field: 'x', file: 'x', content: upload }),
      message: noField,
    },
    { why: 'a form without any part', sent: aForm(), message: noField },
    {
      why: 'a field without a file name',
      sent: aForm({ field: 'chart', content: upload }),
      message: noField,
    },
    {
      why: 'a form without boundary',
      sent: { headers: { 'content-type': 'multipart/form-data' }, body: 'x' },
      message: 'the multipart form cannot be read: Multipart: Boundary not found',
    },
    {
      why: 'a form that is cut off',
      sent: cutOff(aForm({ field: 'chart', file: 'x.tgz', content: upload })),
      message: 'the multipart form cannot be read: Unexpected end of form',
    },
  ])('$why, and stores nothing', async ({ sent, message }) => {
    const chartroom = aChartroom();
    const answer = await chartroom.send('POST', '/api/charts', sent);
    expect(answer).toEqual({ status: 400, headers: jsonHeaders, body: refusal('BAD_REQUEST', message) });
    expect(contents(chartroom)).toEqual(contents(aChartroom()));
  });

  it.each([
    { why: 'no package', body: 'not a package' },
    { why: 'a package whose chart has no fit name', body: misnamed },
  ])('$why with 400, and stores nothing', async ({ body }) => {
    const chartroom = aChartroom();
    expect((await chartroom.send('POST', '/api/charts', { headers: binary, body })).status).toBe(400);
    expect(contents(chartroom)).toEqual(contents(aChartroom()));
  });

  it.each([
    { why: 'a repository with a reserved name', path: '/api/prov/charts' },
    { why: 'a repository that steps out of its prefix', path: '/api/../charts' },
    { why: 'a repository with an encoded slash', path: '/api/a%2Fb/charts' },
  ])('$why with 400, and stores nothing', async ({ path }) => {
    const chartroom = aChartroom();
    expect((await chartroom.send('POST', path, { headers: binary, body: upload })).status).toBe(400);
    expect(contents(chartroom)).toEqual(contents(aChartroom()));
  });

  it.each(['text/plain', 'application/json'])(
    'a package that came as %s, naming the header',
    async (type) => {
      const chartroom = aChartroom();
      const sent = { headers: { 'content-type': type }, body: upload };
      const message = `a body of type ${type} is read as text, which destroys a package: send it as curl -H "Content-Type: application/octet-stream" --data-binary @chart.tgz`;
      expect(await chartroom.send('POST', '/api/charts', sent)).toEqual({
        status: 415,
        headers: jsonHeaders,
        body: refusal('UNSUPPORTED_MEDIA_TYPE', message),
      });
      expect(contents(chartroom)).toEqual(contents(aChartroom()));
    },
  );

  it.each([
    { why: 'raw', sent: { headers: binary, body: upload } },
    { why: 'in a form', sent: aForm({ field: 'chart', file: 'x', content: upload }) },
  ])('a package above the limit ($why), naming the way out', async ({ sent }) => {
    const chartroom = aChartroom({ maxUploadBytes: 100 });
    const message = `the package has ${upload.length} bytes, and an upload may have 100: ask POST …/api/uploads for a way past this limit, or name in .helmignore what the chart does not need`;
    expect(await chartroom.send('POST', '/api/charts', sent)).toEqual({
      status: 413,
      headers: jsonHeaders,
      body: refusal('REQUEST_ENTITY_TOO_LARGE', message),
    });
    expect(contents(chartroom)).toEqual(contents(aChartroom()));
  });

  it('a package with the provenance file of another, and stores neither', async () => {
    const chartroom = aChartroom();
    const form = aForm(
      { field: 'chart', file: 'x.tgz', content: other },
      { field: 'prov', file: 'x.tgz.prov', content: provenance },
    );
    expect((await chartroom.send('POST', '/api/charts', form)).status).toBe(400);
    expect(contents(chartroom)).toEqual(contents(aChartroom()));
  });
});

function cutOff({ headers, body }: { headers: Record<string, string>; body: Buffer }) {
  return { headers, body: body.subarray(0, -20) };
}
