import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import { anAdminRobot, type Chartroom, startChartroom } from './chartroom.ts';

const run = promisify(execFile);
const fixtures = path.join(import.meta.dirname, '../fixtures/charts');
const file = path.join(import.meta.dirname, '../../docs/from-harbor.md');

/** What the steps of docs/from-harbor.md have in common. */
async function functionsOf(): Promise<string> {
  const [, commands = ''] = /^```sh\n(old\(\).*?)^```$/ms.exec(await readFile(file, 'utf8')) ?? [];
  return commands;
}

/** The commands of a numbered step of docs/from-harbor.md. */
async function stepOf(number: number): Promise<string> {
  const [step = ''] =
    new RegExp(`^${number}\\. .*?(?=^\\d\\. |^## )`, 'ms').exec(await readFile(file, 'utf8')) ?? [];
  const blocks = [...step.matchAll(/^ {3}```sh\n(.*?)^ {3}```$/gms)].map(([, commands = '']) => commands);
  return blocks.join('\n').replaceAll(/^ {3}/gm, '');
}

const isAsked = process.env['PARITY'] === 'whole';
const hasJq = await run('jq', ['--version']).then(
  () => true,
  () => false,
);
if (!isAsked) console.info('The commands of docs/from-harbor.md are left out: PARITY is not set to "whole"');
else if (!hasJq) console.info('The commands of docs/from-harbor.md are left out: there is no jq here');

/** A Chartroom under Harbor's addresses stands for the Harbor that is left. */
describe.runIf(isAsked && hasJq)('the commands of docs/from-harbor.md', () => {
  let old: Chartroom;
  let fresh: Chartroom;
  let folder: string;
  const users = { old: '', fresh: '' };
  const shell = async (script: string, others: Readonly<Record<string, string>> = {}) => {
    const variables = { OLD: old.url, OLD_USER: users.old, NEW: fresh.url, NEW_USER: users.fresh };
    const { stdout } = await run('bash', ['-c', `set -eo pipefail\n${await functionsOf()}\n${script}`], {
      cwd: folder,
      env: { ...process.env, ...variables, OLD_API: '/api/v2.0', ...others },
    });
    return stdout;
  };
  const json = async (side: 'OLD' | 'NEW', route: string) =>
    JSON.parse(await shell(`curl --silent --fail --user "$${side}_USER" "$${side}${route}"`)) as unknown;
  const send = (side: 'OLD' | 'NEW', method: string, route: string, value: object) =>
    shell(
      `curl --silent --show-error --fail --user "$${side}_USER" -X ${method} -H 'Content-Type: application/json' --data '${JSON.stringify(value)}' "$${side}${route}"`,
    );

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'chartroom-harbor-'));
    const options = { access: 'closed', adminPassword: 'correct horse' } as const;
    [old, fresh] = await Promise.all([startChartroom(options), startChartroom(options)]);
    users.old = await anAdminRobot(old, 'correct horse');
    users.fresh = await anAdminRobot(fresh, 'correct horse');
    for (const [name, isPublic] of [
      ['apps', true],
      ['tools', false],
    ] as const) {
      await send('OLD', 'POST', '/api/v2.0/projects', {
        project_name: name,
        metadata: { public: `${isPublic}` },
      });
    }
    // What a Harbor has at its start and nobody gave it.
    await send('NEW', 'POST', '/api/v2.0/projects', { project_name: 'tools' });
    for (const side of ['OLD', 'NEW'] as const) {
      await send(side, 'PUT', '/-/accounts/ada', { kind: 'user', password: 'twelve chars', grants: [] });
    }
    await send('OLD', 'POST', '/api/v2.0/projects/apps/members', {
      role_id: 2,
      member_user: { username: 'ada' },
    });
    const chart = `${fixtures}/mailhog-5.8.0.tgz`;
    await shell(
      `for form in "-F chart=@${fixtures}/mailhog-5.7.0.tgz" "-F chart=@${chart} -F prov=@${chart}.prov" "-F chart=@${fixtures}/sonarr-16.3.2+build.7.tgz"; do
         curl --silent --fail --user "$OLD_USER" $form "$OLD/api/chartrepo/apps/charts"
       done`,
    );
  });
  afterAll(async () => {
    await Promise.all([old.stop(), fresh.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  it('move projects, with who may read them', async () => {
    const said = await shell(await stepOf(1));
    expect(said).toMatch(/^\{"project_name":"apps".*: {2}201$/m);
    expect(said).toMatch(/^\{"project_name":"tools".*already exists.* 409$/m);
    expect(await json('NEW', '/api/v2.0/projects')).toEqual([
      expect.objectContaining({ name: 'apps', metadata: { public: 'true' } }),
      expect.objectContaining({ name: 'tools', metadata: { public: 'false' } }),
    ]);
  });

  it('make users, but those who are there, and tell of those whose names cannot be', async () => {
    const names = ['ada', 'eve', 'dan smith', 'Bob'].map((username) => ({ username }));
    // Chartroom has no list of users for Harbor's clients: this stands for Harbor's.
    const users = createServer(({ url }, response) =>
      response.end(JSON.stringify(url?.endsWith('&page=1') ? names : [])),
    );
    const port = await bind(users, '127.0.0.1', 0);
    const said = await shell(await stepOf(2), { OLD: `http://127.0.0.1:${port}` });
    await close(users);
    expect(said).toMatch(/^ada is there$/m);
    expect(said).toMatch(/^eve: .* 201$/m);
    expect(said).toMatch(/^dan%20smith: .*cannot name an account.* 400$/m);
    expect(said).toMatch(/^Bob: .*cannot name an account.* 400$/m);
    const [, password] =
      /^eve (.+)$/.exec((await readFile(path.join(folder, 'passwords.txt'), 'utf8')).trim()) ?? [];
    const who = await shell(`curl --silent --fail --user 'eve:${password}' "$NEW/-/whoami"`);
    expect(JSON.parse(who)).toMatchObject({ name: 'eve', kind: 'user' });
  });

  it('move members', async () => {
    expect(await shell(await stepOf(3))).toMatch(/^apps .*"ada".*: {2}201$/m);
    expect(await json('NEW', '/api/v2.0/projects/apps/members')).toEqual([
      expect.objectContaining({ entity_name: 'ada', role_name: 'developer' }),
    ]);
  });

  it('make a robot, which signs in by its name in Harbor', async () => {
    const made = await shell(await stepOf(4));
    const [, secret] = /"secret":"([^"]+)"/.exec(made) ?? [];
    const index = `curl --silent --fail --user 'robot$apps+ci:${secret}' "$NEW/chartrepo/apps/index.yaml"`;
    expect(await shell(index)).toContain('"entries":{');
  });

  it('move charts, with provenance files, byte for byte', async () => {
    const moved = await shell(await stepOf(5));
    expect(moved.match(/: \{"saved":true\} 201$/gm)).toHaveLength(3);
    expect(await json('NEW', '/api/chartrepo/apps/charts')).toEqual([
      expect.objectContaining({ name: 'mailhog', total_versions: 2, latest_version: '5.8.0' }),
      expect.objectContaining({ name: 'sonarr', total_versions: 1 }),
    ]);
    for (const name of ['mailhog-5.8.0.tgz', 'mailhog-5.8.0.tgz.prov', 'sonarr-16.3.2+build.7.tgz']) {
      await shell(
        `curl --silent --fail --location --user "$NEW_USER" "$NEW/chartrepo/apps/charts/${name}" | cmp - ${path.join(fixtures, name)}`,
      );
    }
    // Once more does no harm.
    expect((await shell(await stepOf(5))).match(/: \{"saved":true\} 201$/gm)).toHaveLength(3);
  });
});
