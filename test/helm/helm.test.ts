import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256, startAnyChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelm, type Helm } from './helm.ts';

const fixtures = path.join(import.meta.dirname, '../fixtures');
const chart = (file: string) => path.join(fixtures, 'charts', file);
const keyring = path.join(fixtures, 'keys/pubring.gpg');

const binary = helmBinary();
if (binary === undefined) console.info('The tests with the real Helm are left out: there is no helm on PATH');

const isForCi = (process.env['HELM_BINARY'] ?? '') !== '';

type Room = { readonly url: string; readonly api: string; readonly curlUser: readonly string[] };

/** Publishes one raw, one raw with curl's default type, two as forms with their provenance files. */
async function publishAll({ curl }: Helm, { api, curlUser }: Room): Promise<void> {
  const post = async (...args: readonly string[]) =>
    expect(await curl(...curlUser, ...args, `${api}/charts`)).toEqual({
      status: 201,
      body: '{"saved":true}',
    });
  await post('--data-binary', `@${chart('mailhog-5.7.0.tgz')}`);
  await post(
    '-H',
    'content-type: application/octet-stream',
    '--data-binary',
    `@${chart('umbrella-1.0.0.tgz')}`,
  );
  await post('--data-binary', `@${chart('mailhog-v6.0.0-beta.2.tgz')}`);
  await post('--data-binary', `@${chart('common-4.5.2.tgz')}`);
  for (const file of ['mailhog-5.8.0.tgz', 'sonarr-16.3.2+build.7.tgz']) {
    await post('-F', `chart=@${chart(file)}`, '-F', `prov=@${chart(`${file}.prov`)}`);
  }
}

/** What Helm's commands do with a repository that was added as `room`. */
function describeCommands(helmHere: () => Helm, roomHere: () => Room, credentials: readonly string[]): void {
  it('add and update find every chart', async () => {
    const { helm } = helmHere();
    expect(await helm('repo', 'add', 'room', roomHere().url, ...credentials)).toContain('has been added');
    expect(await helm('repo', 'update')).toContain('Successfully got an update from the "room"');
    const found = JSON.parse(await helm('search', 'repo', 'room/', '-o', 'json')) as {
      name: string;
      version: string;
    }[];
    expect(found.map(({ name, version }) => `${name} ${version}`).toSorted()).toEqual([
      'room/common 4.5.2',
      'room/mailhog 5.8.0',
      'room/sonarr 16.3.2+build.7',
      'room/umbrella 1.0.0',
    ]);
  });

  it('search lists all versions, pre-releases when asked', async () => {
    const { helm } = helmHere();
    const versions = async (...flags: readonly string[]) => {
      const text = await helm('search', 'repo', 'room/mailhog', '-l', '-o', 'json', ...flags);
      return (JSON.parse(text) as { version: string }[]).map(({ version }) => version);
    };
    expect(await versions()).toEqual(['5.8.0', '5.7.0']);
    expect((await versions('--devel')).map((version) => version.replace(/^v/, ''))).toEqual([
      '6.0.0-beta.2',
      '5.8.0',
      '5.7.0',
    ]);
  });

  it.each([
    { why: 'the newest', args: ['room/mailhog'], file: 'mailhog-5.8.0.tgz' },
    { why: 'an exact version', args: ['room/mailhog', '--version', '5.7.0'], file: 'mailhog-5.7.0.tgz' },
    { why: 'a range', args: ['room/mailhog', '--version', '<5.8'], file: 'mailhog-5.7.0.tgz' },
    {
      why: 'build metadata',
      args: ['room/sonarr', '--version', '16.3.2+build.7'],
      file: 'sonarr-16.3.2+build.7.tgz',
    },
  ])('pull gets $why, byte for byte', async ({ args, file }) => {
    const { helm, folder } = helmHere();
    const target = path.join(folder, `pulled-${file}-${args.length}`);
    await mkdir(target, { recursive: true });
    await helm('pull', ...args, '-d', target);
    expect(sha256(await readFile(path.join(target, file)))).toBe(sha256(await readFile(chart(file))));
  });

  it('pull takes a full URL, unpacks, and brings the provenance file', async () => {
    const { helm, folder } = helmHere();
    const { url } = roomHere();
    await helm(
      'pull',
      `${url}/charts/mailhog-5.8.0.tgz`,
      ...credentials,
      '--untar',
      '--untardir',
      'unpacked',
    );
    expect(await readdir(path.join(folder, 'unpacked', 'mailhog'))).toContain('Chart.yaml');
    await helm('pull', 'room/mailhog', '--version', '5.8.0', '--prov', '-d', folder);
    const prov = await readFile(path.join(folder, 'mailhog-5.8.0.tgz.prov'));
    expect(sha256(prov)).toBe(sha256(await readFile(chart('mailhog-5.8.0.tgz.prov'))));
  });

  it('pull --verify accepts what was signed, and refuses what has no provenance file', async () => {
    const { helm, tryHelm, folder } = helmHere();
    const verify = ['--verify', '--keyring', keyring, '-d', folder];
    for (const [name, version] of [
      ['mailhog', '5.8.0'],
      ['sonarr', '16.3.2+build.7'],
    ] as const) {
      await helm('pull', `room/${name}`, '--version', version, ...verify);
    }
    expect(await tryHelm('pull', 'room/mailhog', '--version', '5.7.0', ...verify)).toMatchObject({
      ok: false,
    });
  });

  it('show and template read the chart', async () => {
    const { helm } = helmHere();
    const { url } = roomHere();
    expect(await helm('show', 'chart', 'room/mailhog')).toContain('version: 5.8.0');
    expect(await helm('show', 'values', 'room/mailhog')).toContain('repository:');
    expect(await helm('show', 'readme', 'room/mailhog')).toContain('Mailhog');
    expect(await helm('template', 'room/mailhog')).toContain('kind: Deployment');
    const direct = ['template', 'mailhog', '--repo', url, '--version', '5.7.0', ...credentials];
    expect(await helm(...direct)).toContain('helm.sh/chart: mailhog-5.7.0');
  });

  it('dependency update finds the charts that a chart depends on', async () => {
    const { helm, folder } = helmHere();
    const directory = path.join(folder, 'depends');
    await mkdir(directory, { recursive: true });
    const chartYaml = `apiVersion: v2\nname: depends\nversion: 1.0.0\ndependencies:\n- name: common\n  version: ^4.0.0\n  repository: ${roomHere().url}\n`;
    await writeFile(path.join(directory, 'Chart.yaml'), chartYaml);
    await helm('dependency', 'update', directory);
    expect(await readdir(path.join(directory, 'charts'))).toEqual(['common-4.5.2.tgz']);
  });

  it('update forgets a version that was deleted', async () => {
    const { helm, tryHelm, curl } = helmHere();
    const { api, curlUser } = roomHere();
    const deleted = await curl(...curlUser, '-X', 'DELETE', `${api}/charts/umbrella/1.0.0`);
    // Harbor says no more than that.
    expect(deleted).toEqual({ status: 200, body: api.includes('/chartrepo/') ? '' : '{"deleted":true}' });
    await helm('repo', 'update');
    expect(await helm('search', 'repo', 'room/umbrella')).toContain('No results found');
    expect(await tryHelm('pull', 'room/umbrella')).toMatchObject({ ok: false });
  });
}

describe.skipIf(binary === undefined)('the real Helm', () => {
  let open: Awaited<ReturnType<typeof startAnyChartroom>>;
  beforeAll(async () => {
    open = await startAnyChartroom();
  });
  afterAll(() => open.stop());

  // CI tries all, with more than one Helm; here the root will do, since those below with a password try more depths.
  const others = isForCi ? ['org', 'org/team', 'org/team/repo', 'chartrepo/apps'] : [];
  describe.each(['', ...others])('at "%s"', (repository) => {
    const at = repository === '' ? '' : `/${repository}`;
    const room = (): Room => ({ url: `${open.url}${at}`, api: `${open.url}/api${at}`, curlUser: [] });
    let here: Helm;
    beforeAll(async () => {
      here = await aHelm();
      await publishAll(here, room());
    });
    afterAll(() => here.remove());
    describeCommands(() => here, room, []);
  });

  it('takes http://host/charts for a repository, as with helm serve', async () => {
    const here = await aHelm();
    await here.helm('repo', 'add', 'served', `${open.url}/charts`);
    await here.helm('pull', 'served/mailhog', '--version', '5.7.0', '-d', here.folder);
    const pulled = await readFile(path.join(here.folder, 'mailhog-5.7.0.tgz'));
    expect(sha256(pulled)).toBe(sha256(await readFile(chart('mailhog-5.7.0.tgz'))));
    await here.remove();
  });

  it('finds a provenance file that was changed after signing', async () => {
    const here = await aHelm();
    const prov = path.join(here.folder, 'mailhog-5.8.0.tgz.prov');
    await copyFile(path.join(fixtures, 'bad/tampered.tgz.prov'), prov);
    const form = ['-F', `chart=@${chart('mailhog-5.8.0.tgz')}`, '-F', `prov=@${prov}`];
    expect((await here.curl(...form, `${open.url}/api/tampered/charts`)).status).toBe(201);
    await here.helm('repo', 'add', 'tampered', `${open.url}/tampered`);
    const pull = ['pull', 'tampered/mailhog', '-d', here.folder];
    expect(await here.tryHelm(...pull, '--verify', '--keyring', keyring)).toMatchObject({ ok: false });
    expect(await here.tryHelm(...pull)).toMatchObject({ ok: true });
    await here.remove();
  });
});

describe.skipIf(binary === undefined)('the real Helm, with user and password', () => {
  const credentials = ['--username', 'admin', '--password', 'correct horse'];
  let closed: Awaited<ReturnType<typeof startAnyChartroom>>;
  let here: Helm;
  const room = (): Room => ({
    url: `${closed.url}/org`,
    api: `${closed.url}/api/org`,
    curlUser: ['-u', 'admin:correct horse'],
  });
  beforeAll(async () => {
    closed = await startAnyChartroom({ access: 'closed', adminPassword: 'correct horse' });
    here = await aHelm();
    for (const made of ['org', 'org/team', 'apps']) {
      const target = `${closed.url}/-/repositories/${made}`;
      expect(await here.curl('-u', 'admin:correct horse', '-X', 'PUT', target)).toMatchObject({
        status: 201,
      });
    }
    await publishAll(here, room());
  });
  afterAll(async () => {
    await closed.stop();
    await here.remove();
  });

  it('is refused without them, and with wrong ones', async () => {
    const { url } = room();
    expect(await here.tryHelm('repo', 'add', 'none', url)).toMatchObject({
      ok: false,
      stderr: expect.stringContaining('401'),
    });
    const wrong = ['--username', 'admin', '--password', 'wrong'];
    expect(await here.tryHelm('repo', 'add', 'none', url, ...wrong)).toMatchObject({ ok: false });
  });

  describeCommands(() => here, room, credentials);

  describe.runIf(isForCi)("at Harbor's address", () => {
    let there: Helm;
    const project = (): Room => ({
      ...room(),
      url: `${closed.url}/chartrepo/apps`,
      api: `${closed.url}/api/chartrepo/apps`,
    });
    beforeAll(async () => {
      there = await aHelm();
      await publishAll(there, project());
    });
    afterAll(() => there.remove());
    describeCommands(() => there, project, credentials);
  });

  describe('of accounts with roles', () => {
    const api = async (method: string, path: string, value: object): Promise<string> => {
      const { status, body } = await here.curl(
        ...['-u', 'admin:correct horse', '-X', method, '--data', JSON.stringify(value)],
        `${closed.url}/-/accounts/${path}`,
      );
      expect([200, 201], body).toContain(status);
      return body;
    };
    const publish = async (account: string, repository: string, query = '') => {
      const target = `${closed.url}/api/${repository}/charts${query}`;
      return await here.curl('-u', account, '--data-binary', '@demo-7.0.0.tgz', target);
    };
    const accounts = { robot: '', reader: 'ada:only for reading' };

    beforeAll(async () => {
      await api('PUT', 'ci', { kind: 'robot', grants: [{ role: 'publisher', on: 'org/*' }] });
      accounts.robot = `ci:${JSON.parse(await api('POST', 'ci/secrets', { expiresInDays: 1 })).secret}`;
      const grants = [{ role: 'reader', on: 'org/team' }];
      await api('PUT', 'ada', { kind: 'user', password: 'only for reading', grants });
      await here.helm('create', 'demo');
      await here.helm('package', 'demo', '--version', '7.0.0');
    });

    it('lets a robot publish and pull with its secret', async () => {
      const [name = '', secret = ''] = accounts.robot.split(':');
      expect(await publish(accounts.robot, 'org/team')).toMatchObject({ status: 201 });
      expect(await publish(accounts.robot, 'org/team', '?force')).toMatchObject({ status: 403 });
      expect(await publish(accounts.robot, 'other')).toMatchObject({ status: 404 });
      const added = `${closed.url}/org/team`;
      for (const username of [name, `robot$${name}`]) {
        const known = ['--username', username, '--password', secret];
        await here.helm('repo', 'add', 'robots', added, '--force-update', ...known);
        expect(await here.helm('show', 'chart', 'robots/demo')).toContain('version: 7.0.0');
      }
    });

    it('lets a reader pull and not publish', async () => {
      const [name = '', password = ''] = accounts.reader.split(':');
      const refused = await publish(accounts.reader, 'org/team');
      const error = 'forbidden: ada needs the role publisher on org/team';
      expect([refused.status, JSON.parse(refused.body)]).toEqual([403, expect.objectContaining({ error })]);
      const known = ['--username', name, '--password', password];
      await here.helm('repo', 'add', 'readers', `${closed.url}/org/team`, ...known);
      expect(await here.helm('show', 'chart', 'readers/demo')).toContain('version: 7.0.0');
      const elsewhere = await here.tryHelm('repo', 'add', 'elsewhere', `${closed.url}/org`, ...known);
      expect(elsewhere).toMatchObject({ ok: false, stderr: expect.stringContaining('404') });
    });

    it('lets everybody read what says so', async () => {
      const settings = `${closed.url}/-/settings/org/team`;
      const put = ['-u', 'admin:correct horse', '-X', 'PUT', '--data', '{"anonymousRead": true}', settings];
      expect(await here.curl(...put)).toMatchObject({ status: 200 });
      await here.helm('repo', 'add', 'everybody', `${closed.url}/org/team`);
      expect(await here.helm('show', 'chart', 'everybody/demo')).toContain('version: 7.0.0');
      expect(await here.curl('-X', 'DELETE', `${closed.url}/api/org/team/charts/demo`)).toMatchObject({
        status: 401,
      });
    });
  });
});
