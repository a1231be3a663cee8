import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { type AnyChartroom, sha256, startAnyChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelmThatPushes, cmPushBinary } from './cm-push.ts';
import type { Helm } from './helm.ts';

const missing = helmBinary() === undefined || cmPushBinary() === undefined;
if (missing)
  console.info('The tests with helm cm-push are left out: CM_PUSH_BINARY names none (.ci/run does)');

/** What cm-push must be told where Chartroom is not at the root of its host, as on MiniStack. */
const placeOf = ({ url }: AnyChartroom) => ({
  HELM_REPO_CONTEXT_PATH: new URL(url).pathname.replace(/\/$/, ''),
});

/** A chart as a directory. */
async function aDirectory({ folder }: Helm, name: string): Promise<string> {
  const directory = path.join(folder, name);
  await mkdir(directory, { recursive: true });
  await writeFile(
    path.join(directory, 'Chart.yaml'),
    `apiVersion: v2\nname: ${name}\nversion: 1.0.0\ndescription: a chart\n`,
  );
  return directory;
}

/** A chart as a package. */
async function aFile({ folder }: Helm, name: string, description: string): Promise<string> {
  const file = path.join(folder, `${name}-1.0.0.tgz`);
  await writeFile(file, await aPackage({ name, description }));
  return file;
}

describe.skipIf(missing)('the real helm cm-push', () => {
  let open: Awaited<ReturnType<typeof startAnyChartroom>>;
  let here: Helm;
  beforeAll(async () => {
    open = await startAnyChartroom();
    here = await aHelmThatPushes(placeOf(open));
  });
  afterAll(async () => {
    await here.remove();
    await open.stop();
  });

  describe.each(['', 'org', 'org/team', 'org/team/repo', 'chartrepo/apps'])('to "%s"', (repository) => {
    const name = repository === '' ? 'root' : repository.replaceAll('/', '-');
    const url = () => (repository === '' ? open.url : `${open.url}/${repository}`);
    const versions = async (chart: string) =>
      (await open.readIndex(repository)).entries[chart]?.map(({ version }) => version);
    beforeAll(() => here.helm('repo', 'add', name, url()));

    describe.each([
      { to: 'a named repository', target: () => name, tag: 'named' },
      { to: 'a URL', target: url, tag: 'url' },
    ])('given as $to', ({ target, tag }) => {
      it('pushes a directory, under another version too', async () => {
        const directory = await aDirectory(here, `dir-${tag}`);
        expect(await here.helm('cm-push', directory, target())).toContain('Done.');
        const other = ['--version', '2.0.0-rc.1+b', '--app-version', '7'];
        expect(await here.helm('cm-push', directory, target(), ...other)).toContain('Done.');
        expect(await versions(`dir-${tag}`)).toEqual(['2.0.0-rc.1+b', '1.0.0']);
      });

      it('pushes a package once, and again when forced', async () => {
        const chart = `file-${tag}`;
        const description = async () => {
          const [newest] = (await open.readIndex(repository)).entries[chart] ?? [];
          return newest?.description;
        };
        await here.helm('cm-push', await aFile(here, chart, 'first'), target());
        const second = await aFile(here, chart, 'second');
        expect(await here.tryHelm('cm-push', second, target())).toMatchObject({
          ok: false,
          stderr: expect.stringContaining(`409: ${chart} 1.0.0 already exists with other bytes`),
        });
        expect(await description()).toBe('first');
        expect(await here.helm('cm-push', '--force', second, target())).toContain('Done.');
        expect(await description()).toBe('second');
      });
    });

    it('pushes to what was added as cm://, and gets it from there', async () => {
      const added = `${name}-cm`;
      await here.helm('repo', 'add', added, url().replace(/^https?:/, 'cm:'));
      const chart = 'through-cm';
      await here.helm('cm-push', await aFile(here, chart, 'a chart'), added);
      await here.helm('repo', 'update', added);
      const target = path.join(here.folder, added);
      await mkdir(target);
      await here.helm('pull', `${added}/${chart}`, '-d', target);
      // cm-push packs anew: what counts is what is published.
      const digest = (await open.readIndex(repository)).entries[chart]?.[0]?.digest;
      expect(sha256(await readFile(path.join(target, `${chart}-1.0.0.tgz`)))).toBe(digest);
    });
  });
});

describe.skipIf(missing)('the real helm cm-push, with user and password', () => {
  let closed: Awaited<ReturnType<typeof startAnyChartroom>>;
  beforeAll(async () => {
    closed = await startAnyChartroom({ access: 'closed', adminPassword: 'correct horse' });
  });
  afterAll(() => closed.stop());

  it.each([
    { address: '/org', repository: 'org' },
    { address: '/chartrepo/apps', repository: 'apps' },
  ])('is refused in our words at $address without them, and pushes with them', async (at) => {
    const { address, repository } = at;
    const here = await aHelmThatPushes(placeOf(closed));
    const directory = await aDirectory(here, 'demo');
    const target = `${closed.url}${address}`;
    expect(await here.tryHelm('cm-push', directory, target)).toMatchObject({
      ok: false,
      stderr: expect.stringContaining('401: unauthorized: send a user name and password'),
    });
    const credentials = ['--username', 'admin', '--password', 'correct horse'];
    expect(await here.tryHelm('cm-push', directory, target, ...credentials)).toMatchObject({
      ok: false,
      stderr: expect.stringContaining(
        `404: there is no repository ${repository}: PUT /-/repositories/${repository} makes it`,
      ),
    });
    const made = ['-u', 'admin:correct horse', '-X', 'PUT', `${closed.url}/-/repositories/${repository}`];
    expect(await here.curl(...made)).toMatchObject({ status: 201 });
    expect(await here.helm('cm-push', directory, target, ...credentials)).toContain('Done.');
    await here.helm('repo', 'add', 'closed', target, ...credentials);
    expect(await here.helm('cm-push', directory, 'closed', '--version', '1.1.0')).toContain('Done.');
    await here.remove();
  });
});
