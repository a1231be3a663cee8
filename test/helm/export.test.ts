import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import { anAdminRobot, type Chartroom, type Index, sha256, startChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelm } from './helm.ts';

const root = path.join(import.meta.dirname, '../..');
const fixtures = path.join(root, 'test/fixtures');
const PASSWORD = 'correct horse';

type Ran = { readonly code: number; readonly out: string; readonly err: string };

/** Runs `npm run export` without npm, which takes long to begin. */
function runExport(args: readonly string[], password?: string): Promise<Ran> {
  const { CHARTROOM_PASSWORD: _, ...rest } = process.env;
  const env = { ...rest, ...(password !== undefined && { CHARTROOM_PASSWORD: password }) };
  return new Promise((resolve) => {
    const command = ['--import', 'tsx', 'cli/export.ts', ...args];
    execFile(process.execPath, command, { cwd: root, env }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

/** A server for the time of a test. @returns its address */
async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  const port = await bind(server, '127.0.0.1', 0);
  onTestFinished(() => close(server));
  return `http://127.0.0.1:${port}`;
}

/** Any web server: it knows of files alone. */
const files =
  (folder: string): RequestListener =>
  ({ url = '' }, answer) => {
    const file = path.join(folder, decodeURIComponent(url));
    readFile(file).then(
      (bytes) => void answer.end(bytes),
      () => void answer.writeHead(404).end(),
    );
  };

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-export-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const readIndexIn = async (folder: string) =>
  JSON.parse(await readFile(path.join(folder, 'index.yaml'), 'utf8')) as Index & {
    readonly generated: string;
  };

const PUBLISHED = [
  'mailhog-5.7.0.tgz',
  'mailhog-5.8.0.tgz',
  'sonarr-16.3.2+build.7.tgz',
  'umbrella-1.0.0.tgz',
];
const SIGNED = ['mailhog-5.8.0.tgz.prov', 'sonarr-16.3.2+build.7.tgz.prov'];

describe('npm run export', () => {
  let room: Chartroom;
  let secret: string;
  const basic = { authorization: '' };
  const ask = async (method: string, target: string, body?: string | Uint8Array<ArrayBuffer>) => {
    const answer = await room.send(method, target, { headers: basic, ...(body !== undefined && { body }) });
    const said = await answer.text();
    expect(answer.ok, `${method} ${target}: ${said}`).toBe(true);
    return said;
  };
  const publish = async (repository: string, file: string) => {
    const kind = file.endsWith('.prov') ? 'prov' : 'charts';
    const bytes = await readFile(path.join(fixtures, 'charts', file));
    await ask('POST', `/api${repository}/${kind}`, new Uint8Array(bytes));
  };
  const asAdmin = (folder: string, ...args: readonly string[]) =>
    runExport(['--user', 'tester', ...args, room.url, folder], secret);

  beforeAll(async () => {
    room = await startChartroom({ access: 'closed', adminPassword: PASSWORD });
    const robot = await anAdminRobot(room, PASSWORD);
    secret = robot.slice('tester:'.length);
    basic.authorization = `Basic ${btoa(robot)}`;
    await ask('PUT', '/-/repositories/org/team');
    await ask('PUT', '/-/repositories/gone');
    await ask('DELETE', '/-/repositories/gone');
    await ask('PUT', '/-/settings/org/team', '{"indexVersionsPerChart": 1}');
    for (const file of [...PUBLISHED, ...SIGNED]) await publish('/org/team', file);
    await publish('', 'common-4.5.2.tgz');
  });
  afterAll(() => room.stop());

  it('writes every version of every repository, byte for byte, as the addresses are', async () => {
    const folder = await aFolder();
    const ran = await asAdmin(folder);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect((await readdir(folder, { recursive: true })).toSorted()).toEqual(
      [
        ...['charts', 'charts/common-4.5.2.tgz', 'index.yaml', 'org', 'org/team', 'org/team/charts'],
        ...[...PUBLISHED, ...SIGNED].map((file) => `org/team/charts/${file}`),
        'org/team/index.yaml',
      ].toSorted(),
    );
    for (const file of [...PUBLISHED, ...SIGNED]) {
      const bytes = await readFile(path.join(folder, 'org/team/charts', file));
      expect(bytes.equals(await readFile(path.join(fixtures, 'charts', file))), file).toBe(true);
    }

    const whole = await (await fetch(`${room.url}/index.yaml`, { headers: basic })).text();
    expect(await readFile(path.join(folder, 'index.yaml'), 'utf8')).toBe(whole);
    // This one lists the newest of each chart, and what is written has all.
    const listed = (await (
      await fetch(`${room.url}/org/team/index.yaml`, { headers: basic })
    ).json()) as Index & {
      readonly generated: string;
    };
    const written = await readIndexIn(path.join(folder, 'org/team'));
    expect(written.generated).toBe(listed.generated);
    expect(written.entries['sonarr']).toEqual(listed.entries['sonarr']);
    expect(listed.entries['mailhog']).toHaveLength(1);
    const { entries } = written;
    expect(entries['mailhog']?.map(({ version, urls }) => [version, urls])).toEqual([
      ['5.8.0', ['charts/mailhog-5.8.0.tgz']],
      ['5.7.0', ['charts/mailhog-5.7.0.tgz']],
    ]);
  });

  it('fetches what is missing or damaged, and nothing else', async () => {
    const folder = await aFolder();
    await asAdmin(folder, '--repository', 'org/team');
    const charts = path.join(folder, 'org/team/charts');
    const index = await readFile(path.join(folder, 'org/team/index.yaml'), 'utf8');
    await rm(path.join(charts, 'umbrella-1.0.0.tgz'));
    await writeFile(path.join(charts, 'mailhog-5.8.0.tgz'), 'damaged');
    await writeFile(path.join(charts, 'mailhog-5.7.0.tgz.prov'), 'of bytes that were replaced');
    await writeFile(path.join(charts, 'sonarr-16.3.2+build.7.tgz.one.part'), 'cut off');
    await cp(path.join(charts, 'mailhog-5.7.0.tgz'), path.join(charts, 'deleted-1.0.0.tgz'));

    const ran = await asAdmin(folder, '--repository', 'org/team');
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(/^org\/team: 4 versions, 2 files of \d+ bytes fetched$/m);
    expect(ran.out).toContain('left alone, as it is of no version: charts/deleted-1.0.0.tgz');
    expect(ran.out.match(/replaced.*/g)).toEqual([
      'replaced, as it had other bytes: charts/mailhog-5.8.0.tgz',
    ]);
    expect((await readdir(charts)).toSorted()).toEqual(
      ['deleted-1.0.0.tgz', ...PUBLISHED, ...SIGNED].toSorted(),
    );
    expect(await readFile(path.join(folder, 'org/team/index.yaml'), 'utf8')).toBe(index);
    const mended = await readFile(path.join(charts, 'mailhog-5.8.0.tgz'));
    expect(mended.equals(await readFile(path.join(fixtures, 'charts/mailhog-5.8.0.tgz')))).toBe(true);
  });

  it.skipIf(helmBinary() === undefined)('gives Helm what Chartroom gave it, by any web server', async () => {
    const folder = await aFolder();
    await asAdmin(folder);
    const url = await serving(files(folder));
    const { helm, remove, folder: home } = await aHelm();
    onTestFinished(remove);
    await helm('repo', 'add', 'plain', `${url}/org/team`);
    const keyring = path.join(fixtures, 'keys/pubring.gpg');
    for (const [chart, version] of [
      ['mailhog', '5.8.0'],
      ['sonarr', '16.3.2+build.7'],
    ]) {
      await helm(
        'pull',
        `plain/${chart}`,
        '--version',
        `${version}`,
        '--verify',
        '--keyring',
        keyring,
        '-d',
        home,
      );
    }
    await helm('pull', 'plain/mailhog', '--version', '5.7.0', '-d', home);
    const pulled = await readFile(path.join(home, 'mailhog-5.7.0.tgz'));
    expect(pulled.equals(await readFile(path.join(fixtures, 'charts/mailhog-5.7.0.tgz')))).toBe(true);
  });

  // It synthesizes a stack for itself.
  it('comes back by npm start --repo-path', async () => {
    const folder = await aFolder();
    await asAdmin(folder);
    const args = ['--ephemeral', '--port', '0', '--repo-path', path.join(folder, 'org/team/charts')];
    const child = spawn(process.execPath, ['--import', 'tsx', 'local/main.ts', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    onTestFinished(async () => {
      child.kill();
      await ended;
    });
    let url: string | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      url = /^Chartroom is at (\S+)/.exec(line)?.[1];
      if (url !== undefined) break;
    }
    const back = (await (await fetch(`${url}/index.yaml`)).json()) as Index;
    const left = await readIndexIn(path.join(folder, 'org/team'));
    const digests = ({ entries }: Index) =>
      Object.values(entries)
        .flat()
        .map(({ name, version, digest }) => [name, version, digest]);
    expect(digests(back)).toEqual(digests(left));
    for (const file of SIGNED) {
      const answer = await fetch(`${url}/charts/${encodeURIComponent(file)}`);
      const published = await readFile(path.join(fixtures, 'charts', file));
      expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(sha256(published));
    }
  });

  it('names what it cannot fetch, and leaves the index as it was', async () => {
    const folder = await aFolder();
    const bytes = await readFile(path.join(fixtures, 'charts/common-4.5.2.tgz'));
    const answers: Record<string, string | Buffer> = {
      '/index.yaml':
        '{"apiVersion":"v1","entries":{"common":[],"other":[]},"generated":"2026-01-02T03:04:05Z"}',
      '/charts/common/index.yaml': JSON.stringify({
        generated: '2026-01-02T03:04:05Z',
        entries: {
          common: [
            { name: 'common', version: '4.5.2', digest: sha256(bytes), created: '2026-01-02T03:04:05Z' },
            { name: 'common', version: '4.5.3', digest: sha256(bytes), created: '2026-01-02T03:04:05Z' },
            { name: 'common', version: '4.5.4', digest: sha256(bytes), created: '2026-01-02T03:04:05Z' },
          ],
        },
      }),
      '/charts/common-4.5.2.tgz': bytes,
      '/charts/common-4.5.3.tgz': bytes.subarray(1),
    };
    const url = await serving(({ url: target = '' }, answer) => {
      const body = answers[target];
      answer.writeHead(body === undefined ? 404 : 200).end(body);
    });
    const ran = await runExport(['--repository', '', url, folder]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('NOT fetched: common 4.5.3: its digest is');
    expect(ran.err).toMatch(/NOT fetched: common 4\.5\.4: .*common-4\.5\.4\.tgz answered 404/);
    expect(await readdir(path.join(folder, 'charts'))).toEqual(['common-4.5.2.tgz']);
    expect(await readdir(folder)).toEqual(['charts']);
  });

  it.each([
    {
      why: 'a version',
      name: 'common',
      version: '../../../escaped',
      code: 1,
      made: ['a', 'a/b', 'a/b/c', 'a/b/c/charts'],
    },
    { why: 'a chart', name: '../../escaped', version: '1.0.0', code: 2, made: [] },
  ])(
    'writes nothing outside of its folder, whatever $why is called',
    async ({ name, version, code, made }) => {
      const folder = await aFolder();
      const entry = { name, version, digest: sha256(Buffer.from('x')), created: '2026-01-02T03:04:05Z' };
      const index = { generated: '2026-01-02T03:04:05Z', entries: { [name]: [entry] } };
      const url = await serving(({ url: target = '' }, answer) => {
        answer.end(target.endsWith('index.yaml') ? JSON.stringify(index) : 'x');
      });
      const inner = path.join(folder, 'a/b/c');
      const ran = await runExport(['--repository', '', url, inner]);
      expect(ran.code).toBe(code);
      expect(ran.err).toContain('escaped');
      expect((await readdir(folder, { recursive: true })).toSorted()).toEqual(made);
    },
  );

  it('says that nothing is published in a repository that was named, and writes nothing', async () => {
    const folder = await aFolder();
    await ask('PUT', '/-/repositories/empty');
    const ran = await asAdmin(folder, '--repository', 'empty', '--repository', 'org/team');
    expect(ran).toMatchObject({
      code: 1,
      err: 'empty: nothing is published there, and nothing was written\n',
    });
    expect(await readdir(folder)).toEqual(['org']);

    const whole = await aFolder();
    expect(await asAdmin(whole)).toMatchObject({ code: 0, err: '' });
    expect(await readIndexIn(path.join(whole, 'empty'))).toMatchObject({ entries: {} });
    await ask('DELETE', '/-/repositories/empty');
  });

  it.each([
    { why: 'as YAML', index: 'apiVersion: v1\nentries: {}\n' },
    {
      why: 'of packages elsewhere',
      index: '{"apiVersion":"v1","entries":{"a":[{"urls":["https://example.com/a-1.0.0.tgz"]}]}}',
    },
  ])("leaves another's index alone, $why", async ({ index }) => {
    const folder = await aFolder();
    const file = path.join(folder, 'index.yaml');
    await writeFile(file, index);
    const ran = await asAdmin(folder, '--repository', 'org/team', '--repository', '');
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(`${file} was not written by an export`);
    expect(await readdir(folder)).toEqual(['index.yaml']);
    expect(await readFile(file, 'utf8')).toBe(index);
  });

  it('says of a file in the place of its folder that it is one', async () => {
    const file = path.join(await aFolder(), 'charts.txt');
    await writeFile(file, 'mine');
    for (const repository of ['', 'org/team']) {
      const ran = await asAdmin(file, '--repository', repository);
      expect(ran).toMatchObject({
        code: 2,
        err: expect.stringContaining('cannot be a folder: a file is there'),
      });
    }
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  it('tells in words what was answered', async () => {
    const folder = await aFolder();
    const url = await serving((_, answer) => void answer.writeHead(404).end('{"message":"Not Found"}'));
    const ran = await runExport(['--repository', '', url, folder]);
    expect(ran).toMatchObject({ code: 2, err: `${url}/index.yaml answered 404 Not Found\n` });
    expect(await readdir(folder)).toEqual([]);
  });

  it('tells who may not, and how to ask', async () => {
    const folder = await aFolder();
    expect(await runExport([folder])).toMatchObject({ code: 2 });
    const without = await runExport(['--user', 'admin', room.url, folder]);
    expect(without).toMatchObject({ code: 2, err: expect.stringContaining('CHARTROOM_PASSWORD') });
    const wrong = await runExport(['--user', 'admin', room.url, folder], 'wrong');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(
      /^who asks\? .* answered 401 unauthorized.*: give --user NAME, and .* CHARTROOM_PASSWORD\n$/,
    );

    const reader = { kind: 'robot', grants: [{ role: 'reader', on: 'org/team' }] };
    await ask('PUT', '/-/accounts/reader', JSON.stringify(reader));
    const made = await ask('POST', '/-/accounts/reader/secrets', '{"expiresInDays":1}');
    const { secret: its } = JSON.parse(made) as { secret: string };
    const all = await runExport(['--user', 'reader', room.url, folder], its);
    expect(all).toMatchObject({ code: 2, err: expect.stringContaining('name them with --repository') });
    expect(await readdir(folder)).toEqual([]);
    const args = ['--user', 'reader', '--repository', 'org/team', room.url, folder];
    expect(await runExport(args, its)).toMatchObject({ code: 0 });
  });
});
