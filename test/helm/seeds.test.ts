import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chartroom, sha256, startChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelmThatPushes, cmPushBinary } from './cm-push.ts';
import { aHelm, type Helm } from './helm.ts';

const fixtures = path.join(import.meta.dirname, '../fixtures/charts');
const chart = (file: string) => path.join(fixtures, file);

const missing = helmBinary() === undefined;
const admin = ['--username', 'admin', '--password', 'correct horse'];

/** What tutorials of Harbor's chart repository and TKEStack's platform have people type. */
describe.skipIf(missing)('as with Harbor, over HTTPS', () => {
  let room: Chartroom;
  let here: Helm;
  let caFile: string;
  const api = (route: string) => `${room.url}/api${route}`;
  // A platform's own account: no function takes a third of a second over its secret, as over a password.
  let platform = 'admin:correct horse';
  /** curl as the platform, with its CA. */
  const curl = (...args: readonly string[]) => here.curl('--cacert', caFile, '-u', platform, ...args);
  const bytesOf = async (...parts: readonly string[]) => sha256(await readFile(path.join(...parts)));
  const published = { status: 201, body: '{"saved":true}' };

  beforeAll(async () => {
    room = await startChartroom({ access: 'closed', adminPassword: 'correct horse', tls: true });
    caFile = room.caFile ?? '';
    here = await aHelm();
    const robot = JSON.stringify({ kind: 'robot', grants: [{ role: 'admin', on: '*' }] });
    await curl('-X', 'PUT', '--data', robot, `${room.url}/-/accounts/platform`);
    const made = await curl('--data', '{"expiresInDays": 1}', `${room.url}/-/accounts/platform/secrets`);
    platform = `robot$platform:${JSON.parse(made.body).secret}`;
  });
  afterAll(async () => {
    await here.remove();
    await room.stop();
  });

  it.each(['admin', 'default-chart-dev'])('makes the project %s', async (name) => {
    const project = JSON.stringify({ project_name: name, metadata: { public: 'false' } });
    const made = await curl('-H', 'content-type: application/json', '--data', project, api('/v2.0/projects'));
    expect(made).toEqual({ status: 201, body: '' });
    expect(await curl('--head', api(`/v2.0/projects?project_name=${name}`))).toMatchObject({ status: 200 });
  });

  it('publishes by curl, raw and as a form, with a provenance file too', async () => {
    const charts = api('/chartrepo/admin/charts');
    const type = ['-H', 'content-type: application/octet-stream'];
    expect(await curl(...type, '--data-binary', `@${chart('mailhog-5.7.0.tgz')}`, charts)).toEqual(published);
    expect(await curl('-F', `chart=@${chart('common-4.5.2.tgz')}`, charts)).toEqual(published);
    const signed = chart('mailhog-5.8.0.tgz');
    expect(await curl('-F', `chart=@${signed}`, '-F', `prov=@${signed}.prov`, charts)).toEqual(published);
  });

  it('publishes the same version again', async () => {
    const again = ['--data-binary', `@${chart('common-4.5.2.tgz')}`];
    expect(await curl(...again, api('/chartrepo/admin/charts'))).toEqual(published);
  });

  it('adds the project with user, password and CA, and not without', async () => {
    const add = ['repo', 'add', 'tke-admin', `${room.url}/chartrepo/admin`, '--ca-file', caFile];
    expect(await here.tryHelm(...add)).toMatchObject({ ok: false, stderr: expect.stringContaining('401') });
    expect(await here.helm(...add, ...admin)).toContain('"tke-admin" has been added');
    expect(await here.helm('repo', 'list')).toContain('tke-admin');
    expect(await here.helm('repo', 'update')).toContain('Successfully got an update from the "tke-admin"');
    const found = JSON.parse(await here.helm('search', 'repo', 'mailhog', '-o', 'json')) as object[];
    expect(found).toEqual([expect.objectContaining({ name: 'tke-admin/mailhog', version: '5.8.0' })]);
  });

  it('fetches by name, by version, and by the full address', async () => {
    const into = (name: string) => path.join(here.folder, name);
    await here.helm('fetch', 'tke-admin/mailhog', '--prov', '-d', here.folder);
    expect(await bytesOf(into('mailhog-5.8.0.tgz'))).toBe(await bytesOf(chart('mailhog-5.8.0.tgz')));
    expect(await bytesOf(into('mailhog-5.8.0.tgz.prov'))).toBe(
      await bytesOf(chart('mailhog-5.8.0.tgz.prov')),
    );
    await here.helm('fetch', 'tke-admin/mailhog', '--version', '5.7.0', '-d', here.folder);
    expect(await bytesOf(into('mailhog-5.7.0.tgz'))).toBe(await bytesOf(chart('mailhog-5.7.0.tgz')));
    const address = `${room.url}/chartrepo/admin/charts/common-4.5.2.tgz`;
    await here.helm('fetch', address, '--ca-file', caFile, ...admin, '-d', here.folder);
    expect(await bytesOf(into('common-4.5.2.tgz'))).toBe(await bytesOf(chart('common-4.5.2.tgz')));
  });

  it('inspects and renders', async () => {
    expect(await here.helm('inspect', 'values', 'tke-admin/mailhog')).toContain('repository:');
    expect(await here.helm('template', 'release', 'tke-admin/mailhog')).toContain('kind: Deployment');
  });

  it('has the same charts as the repository of that name', async () => {
    await here.helm('repo', 'add', 'same', `${room.url}/admin`, '--ca-file', caFile, ...admin);
    expect(await here.helm('show', 'chart', 'same/mailhog')).toContain('version: 5.8.0');
  });

  it.skipIf(cmPushBinary() === undefined)('pushes a file and a directory, again too', async () => {
    const pushing = await aHelmThatPushes({ HELM_REPO_USE_HTTP: 'false' });
    const url = `${room.url}/chartrepo/admin`;
    await pushing.helm('repo', 'add', 'hub', url, '--ca-file', caFile, ...admin);
    await pushing.helm('create', 'etcd');
    await pushing.helm('package', 'etcd', '--version', '1.4.3');
    for (const what of ['etcd-1.4.3.tgz', 'etcd', 'etcd']) {
      expect(await pushing.helm('cm-push', what, 'hub', '--ca-file', caFile)).toContain('Done.');
    }
    await pushing.helm('repo', 'update');
    expect(await pushing.helm('show', 'chart', 'hub/etcd', '--version', '1.4.3')).toContain('name: etcd');
    await pushing.remove();
  });

  it('deletes a version, and then it is gone for Helm', async () => {
    const version = api('/chartrepo/admin/charts/mailhog/5.8.0');
    expect(await curl('-X', 'DELETE', version)).toEqual({ status: 200, body: '' });
    await here.helm('repo', 'update');
    expect(await here.helm('show', 'chart', 'tke-admin/mailhog')).toContain('version: 5.7.0');
  });

  it('deletes the repository once its charts are gone, and makes it anew', async () => {
    const listed = await curl(api('/v2.0/projects?name=admin'));
    const [project] = JSON.parse(listed.body) as { name: string; project_id: number }[];
    expect(project?.name).toBe('admin');
    const target = api(`/v2.0/projects/${project?.project_id}`);
    expect(await curl('-X', 'DELETE', target)).toMatchObject({ status: 412 });
    const charts = JSON.parse((await curl(api('/chartrepo/admin/charts'))).body) as { name: string }[];
    for (const { name } of charts) {
      expect(await curl('-X', 'DELETE', api(`/chartrepo/admin/charts/${name}`))).toMatchObject({
        status: 200,
      });
    }
    expect(await curl('-X', 'DELETE', target)).toEqual({ status: 200, body: '' });
    const address = `${room.url}/chartrepo/admin`;
    const add = () =>
      here.tryHelm('repo', 'add', 'gone', address, '--force-update', '--ca-file', caFile, ...admin);
    // Who read it just before may read it for five seconds more.
    const gone = { ok: false, stderr: expect.stringContaining('404') };
    await expect.poll(add, { timeout: 30_000 }).toMatchObject(gone);
    expect(await here.helm('repo', 'remove', 'tke-admin')).toContain('"tke-admin" has been removed');
    const again = JSON.stringify({ project_name: 'admin', public: true });
    expect(await curl('--data', again, api('/v2.0/projects'))).toMatchObject({ status: 201 });
    // It is public, and has nothing of the one before.
    const everybody = await here.curl('--cacert', caFile, `${room.url}/chartrepo/admin/index.yaml`);
    expect(everybody.status).toBe(200);
    expect(JSON.parse(everybody.body)).toMatchObject({ entries: {} });
  });
});

/** What people type with `helm serve`, or with a directory behind nginx. */
describe.skipIf(missing)('as with helm serve and nginx', () => {
  let room: Chartroom;
  let here: Helm;
  beforeAll(async () => {
    room = await startChartroom();
    here = await aHelm();
  });
  afterAll(async () => {
    await here.remove();
    await room.stop();
  });

  it.each(['', '/charts'])('packages, publishes, adds %s, searches, inspects and renders', async (at) => {
    const name = `jenkins${at.length}`;
    await here.helm('create', name);
    await here.helm('package', name, '--dependency-update');
    const answer = await here.curl('--data-binary', `@${name}-0.1.0.tgz`, `${room.url}/api/charts`);
    expect(answer).toEqual({ status: 201, body: '{"saved":true}' });
    await here.helm('repo', 'add', `local${at.length}`, `${room.url}${at}`);
    await here.helm('repo', 'update');
    expect(await here.helm('search', 'repo', name)).toContain(`local${at.length}/${name}`);
    await here.helm('fetch', `local${at.length}/${name}`);
    expect(await here.helm('inspect', 'values', `local${at.length}/${name}`)).toContain('replicaCount: 1');
    for (const from of [`local${at.length}/${name}`, `${name}-0.1.0.tgz`, name]) {
      expect(await here.helm('template', 'release', from)).toContain('kind: Deployment');
    }
    const address = `${room.url}${at}/charts/${name}-0.1.0.tgz`;
    expect(await here.helm('template', 'release', address)).toContain('kind: Deployment');
  });
});
