import { expect, it, onTestFinished } from 'vitest';
import { numberOf } from '../../shared/domain/project.ts';
import { aPackage } from '../packages.ts';
import { startAnyChartroom } from './chartroom.ts';

it('a label is made, attached to a version whose package is replaced, and goes with the version', async () => {
  const chartroom = await startAnyChartroom();
  onTestFinished(() => chartroom.stop());
  const post = (at: string, value: object) =>
    chartroom.send('POST', at, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    });
  const bytes = await aPackage({ version: '1.0.0+b' });
  expect((await chartroom.publish(bytes, 'org')).status).toBe(201);
  const made = await post('/api/v2.0/labels', { name: 'ok', scope: 'p', project_id: numberOf('org') });
  expect(made.status).toBe(201);
  const id = Number(made.headers.get('location')?.replace('/api/v2.0/labels/', ''));

  const labels = '/api/chartrepo/org/charts/demo/1.0.0%2Bb/labels';
  const attached = await post(labels, { id });
  expect([attached.status, attached.headers.get('location'), await attached.text()]).toEqual([
    200,
    `${labels.replace('%2B', '+')}/${id}`,
    '',
  ]);
  const again = await aPackage({ version: '1.0.0+b', description: 'again' });
  expect((await chartroom.publish(again, 'org', '?force')).status).toBe(201);
  const shown = async () => await (await chartroom.send('GET', labels)).json();
  expect(await shown()).toMatchObject([{ id, name: 'ok', scope: 'p', project_id: numberOf('org') }]);
  expect((await chartroom.send('DELETE', attached.headers.get('location') ?? '')).status).toBe(200);
  expect(await shown()).toEqual([]);

  expect((await post(labels, { id })).status).toBe(200);
  expect((await chartroom.send('DELETE', '/api/org/charts/demo/1.0.0+b')).status).toBe(200);
  expect((await chartroom.publish(bytes, 'org')).status).toBe(201);
  expect(await shown()).toEqual([]);
  expect((await chartroom.send('DELETE', `/api/labels/${id}`)).status).toBe(200);
  expect(await (await chartroom.send('GET', '/api/v2.0/labels')).json()).toEqual([]);
});
