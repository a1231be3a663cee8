import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../shared/domain/repository.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { aChartroom, type Chartroom, jsonHeaders, publish, readHeaders, refusal } from './chartroom.ts';

const CHARTS = '/api/chartrepo/apps/charts';
const project = parseRepository(['apps']);

const chartYaml = (more: string) => `apiVersion: v2\nname: demo\n${more}\n`;

async function read(chartroom: Chartroom, path: string) {
  const { status, body } = await chartroom.send('GET', path);
  expect(status, body).toBe(200);
  return JSON.parse(body);
}

describe('GET /api/chartrepo/{project}/charts', () => {
  it('answers an empty list where there is nothing', async () => {
    expect((await aChartroom().send('GET', CHARTS)).body).toBe('[]');
  });

  it('tells of each chart, by name, what Harbor tells', async () => {
    const chartroom = aChartroom();
    const said = 'version: 2.0.0-rc.1\nicon: https://x/i.png\nhome: https://x\ndeprecated: true';
    await publish(chartroom, await aPackage({ name: 'redis', version: '9.0.0' }), CHARTS);
    await publish(chartroom, await aPackage({ files: { 'Chart.yaml': chartYaml(said) } }), CHARTS);
    chartroom.clock.advance(1_000);
    for (const version of ['1.0.0', '0.9.0']) await publish(chartroom, await aPackage({ version }), CHARTS);
    expect(await read(chartroom, CHARTS)).toEqual([
      {
        name: 'demo',
        total_versions: 3,
        latest_version: '2.0.0-rc.1',
        created: '2026-01-02T03:04:05.678Z',
        updated: '2026-01-02T03:04:06.678Z',
        icon: 'https://x/i.png',
        home: 'https://x',
        deprecated: true,
      },
      {
        name: 'redis',
        total_versions: 1,
        latest_version: '9.0.0',
        created: '2026-01-02T03:04:05.678Z',
        updated: '2026-01-02T03:04:05.678Z',
        icon: '',
        home: '',
        deprecated: false,
      },
    ]);
  });

  it('is the same from an index in YAML', async () => {
    const [json, yaml] = [aChartroom(), aChartroom({ settings: { format: 'yaml' } })];
    for (const chartroom of [json, yaml]) await publish(chartroom, await aPackage(), CHARTS);
    expect(await read(yaml, CHARTS)).toEqual(await read(json, CHARTS));
  });

  it('has what was acknowledged, and nothing that was deleted', async () => {
    const chartroom = aChartroom();
    const names = async () => (await read(chartroom, CHARTS)).map(({ name }: { name: string }) => name);
    await publish(chartroom, await aPackage(), CHARTS);
    expect(await names()).toEqual(['demo']);
    await publish(chartroom, await aPackage({ name: 'redis' }), '/api/apps/charts');
    expect(await names()).toEqual(['demo', 'redis']);
    await chartroom.send('DELETE', `${CHARTS}/demo`);
    expect(await names()).toEqual(['redis']);
  });

  it('is 304 to whoever has it, and is not taken for the list of ChartMuseum', async () => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage(), CHARTS);
    const etagOf = async (path: string) => String((await chartroom.send('GET', path)).headers['etag']);
    const headers = { 'if-none-match': await etagOf(CHARTS) };
    expect((await chartroom.send('GET', CHARTS, { headers })).status).toBe(304);
    expect(await etagOf('/api/apps/charts')).not.toBe(headers['if-none-match']);
    await publish(chartroom, await aPackage({ version: '2.0.0' }), CHARTS);
    expect((await chartroom.send('GET', CHARTS, { headers })).status).toBe(200);
  });

  /** Publishes without packages' bytes. */
  async function withVersions(count: number, nameOf: (number: number) => string, description = '') {
    const chartroom = aChartroom();
    for (let number = 0; number < count; number += 1) {
      await chartroom.publish(nameOf(number), `${number}.0.0`, description, project);
    }
    return chartroom;
  }
  const kept = ({ objects }: Chartroom) =>
    [...objects.objects.keys()].filter((key) => key.endsWith('/project-charts.json'));

  it('of a large index is made once in each state, and answered itself where an answer can carry it', async () => {
    const chartroom = await withVersions(8, () => 'demo', 'x'.repeat(1_000_000));
    expect(await read(chartroom, CHARTS)).toEqual([
      expect.objectContaining({ name: 'demo', total_versions: 8, latest_version: '7.0.0' }),
    ]);
    const [key = ''] = kept(chartroom);
    await chartroom.objects.put(key, Buffer.from('["from there"]'), { contentType: 'application/json' });
    expect(await read(chartroom, CHARTS)).toEqual(['from there']);
    await chartroom.publish('other', '1.0.0', '', project);
    expect(await read(chartroom, CHARTS)).toHaveLength(2);
  });

  it('of a small index is not kept', async () => {
    const chartroom = await withVersions(2, () => 'demo');
    await read(chartroom, CHARTS);
    expect(kept(chartroom)).toEqual([]);
  });

  it('that no answer can carry is a redirect to where it is kept', async () => {
    const chartroom = aChartroom();
    const icon = `https://x/${'i'.repeat(120_000)}`;
    for (let number = 0; number < 54; number += 1) {
      const yaml = `apiVersion: v2\nname: demo${number}\nversion: 1.0.0\nicon: ${icon}\n`;
      const files = { 'Chart.yaml': yaml };
      await publish(chartroom, await aPackage({ name: `demo${number}`, files }), CHARTS);
    }
    const { status, headers } = await chartroom.send('GET', CHARTS);
    expect([status, headers['location']]).toEqual([302, expect.stringContaining('/project-charts.json?')]);
    const { bytes = [] } = chartroom.objects.objects.get(kept(chartroom)[0] ?? '') ?? {};
    expect(JSON.parse(Buffer.from(bytes).toString())).toHaveLength(54);
  });
});

describe('GET /api/chartrepo/{project}/charts/{name}', () => {
  it('answers the versions, newest first, each with labels', async () => {
    const chartroom = aChartroom();
    for (const version of ['1.0.0', '2.0.0']) await publish(chartroom, await aPackage({ version }), CHARTS);
    const elsewhere = await read(chartroom, '/api/apps/charts/demo');
    const wanted = elsewhere.map((version: object) => ({ ...version, labels: [] }));
    const answer = await chartroom.send('GET', `${CHARTS}/demo`);
    expect(answer).toEqual({
      status: 200,
      headers: { ...jsonHeaders, ...readHeaders },
      body: JSON.stringify(wanted),
    });
  });

  it('answers 404 for a chart that is not there', async () => {
    expect(await aChartroom().send('GET', `${CHARTS}/demo`)).toEqual({
      status: 404,
      headers: jsonHeaders,
      body: refusal('NOT_FOUND', 'chart not found'),
    });
  });
});

describe('GET /api/chartrepo/{project}/charts/{name}/{version}', () => {
  const DEMO = `${CHARTS}/demo/1.0.0`;

  it('answers all that Harbor shows, empty where there is nothing', async () => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage(), CHARTS);
    expect(await read(chartroom, DEMO)).toEqual({
      metadata: await read(chartroom, '/api/apps/charts/demo/1.0.0'),
      dependencies: [],
      values: {},
      files: {},
      security: { signature: { signed: false, prov_file: '' } },
      labels: [],
    });
  });

  it('answers files as they are, and values flat', async () => {
    const values = [
      '# kept',
      'image: {tag: "1", ports: [80, {name: x}], none: {}}',
      'replicas: 2',
      'nothing: null',
      '__proto__: {a: b}',
    ].join('\n');
    const yaml = chartYaml(
      'version: 1.0.0\ndependencies:\n- {name: a, version: ^1.0, repository: https://x}',
    );
    const files = { 'Chart.yaml': yaml, 'values.yaml': values, 'README.md': '# Grüße' };
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage({ files }), CHARTS);
    const { body } = await chartroom.send('GET', DEMO);
    expect(body).toContain('"__proto__.a":"b"');
    expect(JSON.parse(body)).toMatchObject({
      dependencies: [{ name: 'a', version: '^1.0', repository: 'https://x' }],
      files: { 'values.yaml': values, 'README.md': '# Grüße' },
    });
    expect(Object.keys(JSON.parse(body).values)).toHaveLength(5);
    expect(JSON.parse(body).values).toMatchObject({
      'image.tag': '1',
      'image.ports': [80, { name: 'x' }],
      replicas: 2,
      nothing: null,
    });
  });

  it.each(['', 'null', '{}'])('answers {} for values that are "%s"', async (text) => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage({ files: { 'values.yaml': text } }), CHARTS);
    expect(await read(chartroom, DEMO)).toMatchObject({ values: {}, files: { 'values.yaml': text } });
  });

  it('refuses values that are small in the file and large in the answer', async () => {
    const name = 'n'.repeat(100_000);
    const below = Array.from({ length: 100 }, (_, number) => `  k${number}: 1`).join('\n');
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage({ files: { 'values.yaml': `${name}:\n${below}\n` } }), CHARTS);
    expect(await chartroom.send('GET', DEMO)).toEqual({
      status: 413,
      headers: jsonHeaders,
      body: refusal(
        'REQUEST_ENTITY_TOO_LARGE',
        'the values are larger than an answer can be: get the package',
      ),
    });
  });

  it.each(['', 'https://cdn.example.org'])(
    'says where the provenance file is, with chart URL "%s"',
    async (chartUrl) => {
      const chartroom = aChartroom({ settings: { chartUrl } });
      const bytes = await aPackage();
      await publish(chartroom, bytes, CHARTS);
      await chartroom.send('POST', '/api/chartrepo/apps/prov', { body: aProvenance(bytes) });
      const begin = chartUrl === '' ? '' : `${chartUrl}/apps/`;
      expect((await read(chartroom, DEMO)).security.signature).toEqual({
        signed: true,
        prov_file: `${begin}charts/demo-1.0.0.tgz.prov`,
      });
    },
  );

  it('takes a version for unsigned whose provenance file is of other bytes, or empty', async () => {
    const chartroom = aChartroom();
    const first = await aPackage();
    await publish(chartroom, first, CHARTS);
    expect((await chartroom.send('POST', '/api/chartrepo/apps/prov', { body: '' })).status).toBe(400);
    await chartroom.send('POST', '/api/chartrepo/apps/prov', { body: aProvenance(first) });
    await publish(chartroom, await aPackage({ description: 'other' }), `${CHARTS}?force`);
    const unsigned = { signed: false, prov_file: '' };
    expect((await read(chartroom, DEMO)).security.signature).toEqual(unsigned);
  });

  it.each(['2.0.0', '1', '%5E1.0', 'latest'])('names the version exactly: %s is 404', async (version) => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage(), CHARTS);
    expect((await chartroom.send('GET', `${CHARTS}/demo/${version}`)).status).toBe(404);
  });

  it.each(['+', '%2B'])('finds a version with a plus, written %s', async (plus) => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage({ version: '1.0.0+b.1' }), CHARTS);
    expect((await read(chartroom, `${CHARTS}/demo/1.0.0${plus}b.1`)).metadata.version).toBe('1.0.0+b.1');
  });

  it('is what was published last, where a version was replaced meanwhile', async () => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage({ files: { 'values.yaml': 'a: 1' } }), CHARTS);
    const { get } = chartroom.objects;
    const replaced = await aPackage({ files: { 'values.yaml': 'a: 2' } });
    chartroom.objects.get = async (key, range) => {
      chartroom.objects.get = get;
      await publish(chartroom, replaced, `${CHARTS}?force`);
      await chartroom.objects.remove([key]);
      return await get(key, range);
    };
    expect((await read(chartroom, DEMO)).values).toEqual({ a: 2 });
  });
});
