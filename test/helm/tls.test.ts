import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chartroom, sha256, startChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelm, type Helm } from './helm.ts';

const file = 'mailhog-5.8.0.tgz';
const chart = path.join(import.meta.dirname, '../fixtures/charts', file);

// With closed access seeds.test.ts does the same; CI tries both with every Helm.
const accesses = process.env['HELM_BINARY'] ? (['open', 'closed'] as const) : (['open'] as const);

describe.skipIf(helmBinary() === undefined).each(accesses)(
  'the real Helm over HTTPS, with access %s',
  (access) => {
    let chartroom: Chartroom;
    let here: Helm;
    let caFile: string;
    const isClosed = access === 'closed';
    const credentials = isClosed ? ['--username', 'admin', '--password', 'correct horse'] : [];
    beforeAll(async () => {
      chartroom = await startChartroom({ access, adminPassword: 'correct horse', tls: true });
      here = await aHelm();
      caFile = chartroom.caFile ?? '';
      const curl = ['--cacert', caFile, ...(isClosed ? ['--user', 'admin:correct horse'] : [])];
      const repository = `${chartroom.url}/-/repositories/org`;
      expect(await here.curl(...curl, '-X', 'PUT', repository)).toMatchObject({ status: 201 });
      const target = `${chartroom.url}/api/org/charts`;
      expect(await here.curl(...curl, '--data-binary', `@${chart}`, target)).toMatchObject({ status: 201 });
    });
    afterAll(async () => {
      await chartroom.stop();
      await here.remove();
    });

    it('refuses a CA that it does not know', async () => {
      const refused = await here.tryHelm('repo', 'add', 'unknown', `${chartroom.url}/org`, ...credentials);
      expect(refused).toMatchObject({ ok: false, stderr: expect.stringContaining('unknown authority') });
    });

    it('adds, updates and pulls with --ca-file, byte for byte', async () => {
      const url = `${chartroom.url}/org`;
      await here.helm('repo', 'add', 'room', url, '--ca-file', caFile, ...credentials);
      expect(await here.helm('repo', 'update')).toContain('Successfully got an update from the "room"');
      await here.helm('pull', 'room/mailhog', '-d', here.folder);
      expect(sha256(await readFile(path.join(here.folder, file)))).toBe(sha256(await readFile(chart)));
    });

    it('pulls a full URL, and templates from a repository that was not added', async () => {
      const url = `${chartroom.url}/org`;
      const full = [`${url}/charts/${file}`, '--ca-file', caFile, ...credentials];
      await here.helm('pull', ...full, '--untar', '--untardir', path.join(here.folder, 'unpacked'));
      const rendered = ['template', 'mailhog', '--repo', url, '--ca-file', caFile, ...credentials];
      expect(await here.helm(...rendered)).toContain('helm.sh/chart: mailhog-5.8.0');
    });

    it('hears how to ask when it asks by plain HTTP', async () => {
      const plain = chartroom.url.replace('https:', 'http:');
      expect(await here.curl(`${plain}/org/index.yaml`)).toMatchObject({
        status: 400,
        body: expect.stringContaining('begin the address with https://'),
      });
    });

    it('has addresses of https on the home page, and is told to stay', async () => {
      const { body } = await here.curl('--cacert', caFile, '--include', `${chartroom.url}/health`);
      expect(body).toContain('strict-transport-security');
      if (isClosed) return;
      const home = await here.curl('--cacert', caFile, '-H', 'accept: text/html', `${chartroom.url}/`);
      expect(home.body).toContain(`helm repo add chartroom ${chartroom.url}`);
    });
  },
);
