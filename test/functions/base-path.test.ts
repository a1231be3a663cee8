import { describe, expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { aChartroom } from './chartroom.ts';

const LABELS = '/api/v2.0/labels';
const VERSION = '/api/chartrepo/org/charts/demo/1.0.0';

describe('behind the base path /helm', () => {
  const chartroom = aChartroom({ settings: { contextPath: '/helm' } });
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    return await chartroom.send('POST', path, { headers, body: JSON.stringify(body) });
  };
  const locationOf = ({ status, headers }: Awaited<ReturnType<typeof post>>) => [status, headers['location']];

  it('what was made is found at the address that the client is told', async () => {
    const byName = { headers: { 'x-resource-name-in-location': 'true' }, body: '{"project_name":"org"}' };
    const project = await chartroom.send('POST', '/api/v2.0/projects', byName);
    expect(locationOf(project)).toEqual([201, '/helm/api/v2.0/projects/org']);
    const label = await post(LABELS, { name: 'approved', scope: 'g' });
    expect(locationOf(label)).toEqual([201, `/helm${LABELS}/1`]);
    expect((await chartroom.send('POST', '/api/org/charts', { body: await aPackage() })).status).toBe(201);
    expect(locationOf(await post(`${VERSION}/labels`, { id: 1 }))).toEqual([200, `/helm${VERSION}/labels/1`]);
  });

  it('pages link to their neighbours with it', async () => {
    for (const name of ['b', 'c']) expect((await post(LABELS, { name, scope: 'g' })).status).toBe(201);
    const { headers } = await chartroom.send('GET', `${LABELS}?scope=g&page_size=1`);
    expect(headers['link']).toBe(`</helm${LABELS}?scope=g&page_size=1&page=2>; rel="next"`);
  });
});
