import { describe, expect, it } from 'vitest';
import { aPackage, aProvenance } from '../packages.ts';
import { listed } from '../use-cases/world.ts';
import { aChartroom, contents, jsonHeaders, publish, refusal } from './chartroom.ts';

const deleted = { status: 200, headers: jsonHeaders, body: '{"deleted":true}' };
const redis1 = await aPackage({ name: 'redis', version: '1.0.0' });

async function withTwoVersions() {
  const chartroom = aChartroom();
  await publish(chartroom, redis1);
  await publish(chartroom, await aPackage({ name: 'redis', version: '2.0.0' }));
  const body = aProvenance(redis1, { name: 'redis', version: '1.0.0' });
  await chartroom.send('POST', '/api/prov', { body });
  return chartroom;
}

describe('DELETE /api/{repository}/charts/{name}/{version}', () => {
  it('deletes the version with its provenance file, and leaves the others', async () => {
    const chartroom = await withTwoVersions();
    expect(await chartroom.send('DELETE', '/api/charts/redis/1.0.0')).toEqual(deleted);
    const statuses = [];
    for (const file of ['redis-1.0.0.tgz', 'redis-1.0.0.tgz.prov', 'redis-2.0.0.tgz']) {
      statuses.push((await chartroom.send('GET', `/charts/${file}`)).status);
    }
    expect(statuses).toEqual([404, 404, 302]);
    expect([...chartroom.objects.objects.keys()].filter((key) => key.includes('/1.0.0/'))).toEqual([]);
    expect(listed((await chartroom.send('GET', '/index.yaml')).body)).toEqual(['redis 2.0.0']);
  });

  it.each(['latest', '%5E1.0', '1.x', '3.0.0'])(
    'does not resolve %s: it answers 404 and deletes nothing',
    async (version) => {
      const chartroom = await withTwoVersions();
      const before = contents(chartroom);
      const { status, headers, body } = await chartroom.send('DELETE', `/api/charts/redis/${version}`);
      expect({ status, headers }).toEqual({ status: 404, headers: jsonHeaders });
      expect(JSON.parse(body).error).toContain(`chart redis has no version ${decodeURIComponent(version)}`);
      expect(contents(chartroom)).toEqual(before);
    },
  );
});

describe('DELETE /api/{repository}/charts/{name}', () => {
  it('deletes every version', async () => {
    const chartroom = await withTwoVersions();
    expect(await chartroom.send('DELETE', '/api/charts/redis')).toEqual(deleted);
    expect([...chartroom.objects.objects.keys()]).toEqual([]);
    expect((await chartroom.send('GET', '/api/charts')).body).toBe('{}');
  });

  it('answers 404 where there is none, and leaves the same chart of another repository', async () => {
    const chartroom = await withTwoVersions();
    const before = contents(chartroom);
    expect(await chartroom.send('DELETE', '/api/acme/charts/redis')).toEqual({
      status: 404,
      headers: jsonHeaders,
      body: refusal('NOT_FOUND', 'there is no chart redis'),
    });
    expect(contents(chartroom)).toEqual(before);
  });
});
