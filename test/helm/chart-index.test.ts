import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Chartroom, sha256, startChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelm, type Helm } from './helm.ts';

const fixtures = path.join(import.meta.dirname, '../fixtures/charts');
const fixture = (file: string) => path.join(fixtures, file);

describe.skipIf(helmBinary() === undefined)('the real Helm, with the index of one chart', () => {
  let chartroom: Chartroom;
  let here: Helm;
  const api = () => `${chartroom.url}/api/org/team/charts`;
  const url = (name: string) => `${chartroom.url}/org/team/charts/${name}`;
  const publish = async (...args: readonly string[]) =>
    expect(await here.curl(...args, api())).toEqual({ status: 201, body: '{"saved":true}' });
  const search = async (...args: readonly string[]) => {
    const text = await here.helm('search', 'repo', ...args, '-o', 'json');
    return (JSON.parse(text) as { name: string; version: string }[]).map(
      ({ name, version }) => `${name} ${version}`,
    );
  };

  beforeAll(async () => {
    chartroom = await startChartroom({ access: 'open' });
    here = await aHelm();
    for (const file of ['mailhog-5.7.0.tgz', 'common-4.5.2.tgz']) {
      await publish('--data-binary', `@${fixture(file)}`);
    }
    const signed = fixture('mailhog-5.8.0.tgz');
    await publish('-F', `chart=@${signed}`, '-F', `prov=@${signed}.prov`);
  });
  afterAll(async () => {
    await chartroom.stop();
    await here.remove();
  });

  it('adds one chart as a repository, and finds its versions alone', async () => {
    expect(await here.helm('repo', 'add', 'mailhog', url('mailhog'))).toContain('has been added');
    expect(await here.helm('repo', 'update')).toContain('Successfully got an update from the "mailhog"');
    expect(await search('mailhog/', '-l')).toEqual(['mailhog/mailhog 5.8.0', 'mailhog/mailhog 5.7.0']);
  });

  it('pulls the package, and its provenance file where it is asked for', async () => {
    const { helm, folder } = here;
    const target = path.join(folder, 'pulled');
    await mkdir(target);
    await helm('pull', 'mailhog/mailhog', '--version', '5.7.0', '-d', target);
    await helm('pull', 'mailhog/mailhog', '--prov', '-d', target);
    for (const file of ['mailhog-5.7.0.tgz', 'mailhog-5.8.0.tgz', 'mailhog-5.8.0.tgz.prov']) {
      expect(sha256(await readFile(path.join(target, file)))).toBe(sha256(await readFile(fixture(file))));
    }
    await helm(
      'pull',
      'mailhog',
      '--repo',
      url('mailhog'),
      '--untar',
      '--untardir',
      path.join(folder, 'untarred'),
    );
    expect(await readdir(path.join(folder, 'untarred/mailhog'))).toContain('Chart.yaml');
    expect(await helm('template', 'mailhog/mailhog')).toContain('kind: Deployment');
  });

  it('sees a publish by its next update', async () => {
    const file = path.join(here.folder, 'mailhog.tgz');
    await writeFile(file, await aPackage({ name: 'mailhog', version: '9.0.0' }));
    await publish('--data-binary', `@${file}`);
    await here.helm('repo', 'update');
    expect(await search('mailhog/')).toEqual(['mailhog/mailhog 9.0.0']);
  });

  it.each(['added', 'not added'])('finds a dependency in a repository that was %s', async (which) => {
    const { helm, folder } = here;
    const directory = path.join(folder, `depends-${which.replace(' ', '-')}`);
    await mkdir(directory);
    const depends = `apiVersion: v2\nname: depends\nversion: 1.0.0\ndependencies:\n- name: common\n  version: ^4.0.0\n  repository: ${url('common')}\n`;
    await writeFile(path.join(directory, 'Chart.yaml'), depends);
    if (which === 'added') await helm('repo', 'add', 'common', url('common'));
    else await here.tryHelm('repo', 'remove', 'common');
    await helm('dependency', 'update', directory);
    expect(await readdir(path.join(directory, 'charts'))).toEqual(['common-4.5.2.tgz']);
  });

  it('is told that a chart is not there', async () => {
    const { ok, stderr } = await here.tryHelm('repo', 'add', 'nothing', url('nothing'));
    expect(ok).toBe(false);
    expect(stderr).toMatch(/not a valid chart repository[\s\S]*charts\/nothing\/index\.yaml.*404/);
  });
});
