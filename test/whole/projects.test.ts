import { expect, it, onTestFinished } from 'vitest';
import { aPackage } from '../packages.ts';
import { anAdminRobot, startAnyChartroom } from './chartroom.ts';

const password = 'correct horse';
const as = (name: string) => ({ authorization: `Basic ${btoa(`${name}:${password}`)}` });

it('a project is made, filled, shared, emptied, deleted and made again', async () => {
  const chartroom = await startAnyChartroom({ access: 'closed', adminPassword: password });
  onTestFinished(() => chartroom.stop());
  const admin = { authorization: `Basic ${btoa(await anAdminRobot(chartroom, password))}` };
  const send = async (method: string, at: string, value?: object, headers: object = admin) =>
    await chartroom.send(method, at, {
      headers: { ...headers },
      ...(value !== undefined && { body: JSON.stringify(value) }),
    });
  const status = async (...args: Parameters<typeof send>) => (await send(...args)).status;
  const org = '/api/v2.0/projects/org';
  const make = async () => await status('POST', '/api/v2.0/projects', { project_name: 'org', public: false });

  expect(await make()).toBe(201);
  expect(await make()).toBe(409);
  expect(await status('HEAD', '/api/projects?project_name=org')).toBe(200);
  expect(await (await send('GET', '/-/settings/org')).json()).toMatchObject({ allowOverwrite: true });

  expect(await status('PUT', '/-/accounts/ada', { kind: 'user', password })).toBe(201);
  const added = await send('POST', `${org}/members`, { role_id: 4, member_user: { username: 'ada' } });
  const member = added.headers.get('location') ?? '';
  expect([added.status, await status('PUT', member, { role_id: 1 })]).toEqual([201, 200]);
  expect(await status('GET', `${org}/members`, undefined, as('ada'))).toBe(200);
  const published = await chartroom.send('POST', '/api/org/charts', {
    body: new Uint8Array(await aPackage()),
    headers: { ...as('ada'), 'content-type': 'application/octet-stream' },
  });
  expect(published.status).toBe(201);
  await chartroom.idle();
  const listed = await send('GET', '/api/projects?name=or', undefined, as('ada'));
  expect(await listed.json()).toMatchObject([{ name: 'org', chart_count: 1, current_user_role_id: 4 }]);
  expect(await status('DELETE', org)).toBe(412);

  expect(await status('PUT', org, { metadata: { public: 'true' } })).toBe(200);
  expect(await status('GET', '/org/index.yaml', undefined, {})).toBe(200);
  expect(await status('DELETE', '/api/org/charts/demo', undefined, as('ada'))).toBe(200);
  expect(await (await send('GET', `${org}/_deletable`)).json()).toMatchObject({ deletable: true });
  expect(await (await send('GET', `${org}/repositories`)).json()).toEqual([]);
  expect(await status('DELETE', member)).toBe(200);
  expect(await status('GET', member)).toBe(404);
  expect(await status('DELETE', org)).toBe(200);
  expect(await make()).toBe(201);
  // Deleted in another way, it has its members until a project is made over it.
  const again = { role_id: 4, member_user: { username: 'ada' } };
  expect(await status('POST', `${org}/members`, again)).toBe(201);
  expect(await status('DELETE', '/-/repositories/org')).toBe(202);
  expect(await make()).toBe(201);
  expect(await (await send('GET', `${org}/members`)).json()).toEqual([]);
  // Everybody could read the one before, which get-index remembers for some seconds.
  await expect.poll(() => status('GET', '/org/index.yaml', undefined, {}), { timeout: 30_000 }).toBe(401);
  expect(await (await send('GET', org)).json()).toMatchObject({
    chart_count: 0,
    metadata: { public: 'false' },
  });
  const user = await send('GET', '/api/v2.0/users/current', undefined, as('ada'));
  expect(await user.json()).toMatchObject({ username: 'ada', sysadmin_flag: false });
});
