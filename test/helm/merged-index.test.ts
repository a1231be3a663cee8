import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { type AnyChartroom, anAdminRobot, sha256, startAnyChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelm, type Helm } from './helm.ts';

const charts = path.join(import.meta.dirname, '../fixtures/charts');

/** Which charts Helm has of a repository, by the names that users type. */
async function found({ helm }: Helm, repository: string): Promise<string[]> {
  const listed = JSON.parse(await helm('search', 'repo', `${repository}/`, '-o', 'json')) as {
    name: string;
  }[];
  return listed.map(({ name }) => name).toSorted();
}

describe.skipIf(helmBinary() === undefined)('the real Helm, with the index of all projects', () => {
  let closed: AnyChartroom;
  let here: Helm;
  let robot: string;
  const url = () => `${closed.url}/chartrepo`;
  const call = async (method: string, target: string, ...args: readonly string[]) => {
    const { status, body } = await here.curl('-u', robot, '-X', method, ...args, `${closed.url}${target}`);
    expect([200, 201], body).toContain(status);
    return body;
  };

  beforeAll(async () => {
    closed = await startAnyChartroom({ access: 'closed', adminPassword: 'correct horse' });
    here = await aHelm();
    robot = await anAdminRobot(closed, 'correct horse');
    for (const [project, file] of [
      ['open', 'mailhog-5.8.0.tgz'],
      ['open', 'mailhog-5.7.0.tgz'],
      ['team', 'common-4.5.2.tgz'],
      ['secret', 'sonarr-16.3.2+build.7.tgz'],
    ] as const) {
      await call('PUT', `/-/repositories/${project}`);
      await call('POST', `/api/${project}/charts`, '--data-binary', `@${path.join(charts, file)}`);
    }
    await call('PUT', '/-/settings/open', '--data', '{"anonymousRead": true}');
    const ada = { kind: 'user', password: 'only for reading', grants: [{ role: 'reader', on: 'team' }] };
    await call('PUT', '/-/accounts/ada', '--data', JSON.stringify(ada));
  });
  afterAll(async () => {
    await closed.stop();
    await here.remove();
  });

  it.each([
    {
      who: 'the admin',
      credentials: ['--username', 'admin', '--password', 'correct horse'],
      projects: ['open/mailhog', 'secret/sonarr', 'team/common'],
      pulled: { chart: 'secret/sonarr', file: 'sonarr-16.3.2+build.7.tgz' },
    },
    {
      who: 'a reader of one project',
      credentials: ['--username', 'ada', '--password', 'only for reading'],
      projects: ['open/mailhog', 'team/common'],
      pulled: { chart: 'team/common', file: 'common-4.5.2.tgz' },
    },
    {
      who: 'nobody in particular',
      credentials: [],
      projects: ['open/mailhog'],
      pulled: { chart: 'open/mailhog', file: 'mailhog-5.8.0.tgz' },
    },
  ])('$who finds, shows and pulls what they may read', async ({ who, credentials, projects, pulled }) => {
    const name = who.replaceAll(' ', '-');
    await here.helm('repo', 'add', name, url(), ...credentials);
    expect(await found(here, name)).toEqual(projects.map((chart) => `${name}/${chart}`));
    expect(await here.helm('show', 'chart', `${name}/open/mailhog`)).toContain('version: 5.8.0');
    expect(await here.helm('show', 'chart', `${name}/open/mailhog`, '--version', '5.7.0')).toContain('5.7.0');
    await here.helm('pull', `${name}/${pulled.chart}`, '-d', here.folder);
    const bytes = await readFile(path.join(here.folder, pulled.file));
    expect(sha256(bytes)).toBe(sha256(await readFile(path.join(charts, pulled.file))));
  });

  it('finds all of a large one, by the redirect to the bucket', async () => {
    for (let at = 0; at < 6; at += 1) {
      const file = path.join(here.folder, `large${at}.tgz`);
      await writeFile(file, await aPackage({ name: `large${at}`, description: 'x'.repeat(100_000) }));
      await call('POST', '/api/team/charts', '--data-binary', `@${file}`);
    }
    const { status } = await here.curl('-u', robot, `${url()}/index.yaml`);
    expect(status).toBe(302);
    await here.helm('repo', 'add', 'large', url(), '--username', 'admin', '--password', 'correct horse');
    const names = ['team/large0', 'team/large5', 'secret/sonarr'].map((chart) => `large/${chart}`);
    expect(await found(here, 'large')).toEqual(expect.arrayContaining(names));
    const { chart } = JSON.parse(await call('GET', '/api/v2.0/search?q=SONARR')) as {
      chart: { Name: string }[];
    };
    expect(chart.map(({ Name }) => Name)).toEqual(['secret/sonarr']);
  });

  it('is refused without a password where nothing is open to everybody', async () => {
    await call('PUT', '/-/settings/open', '--data', '{"anonymousRead": false}');
    expect(await here.tryHelm('repo', 'add', 'none', url())).toMatchObject({
      ok: false,
      stderr: expect.stringContaining('401'),
    });
  });
});
