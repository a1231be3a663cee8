import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import { synthesize } from '../../local/synthesize.ts';
import { accessTo, anRsaKey, aToken, audience, issuer } from '../tokens.ts';
import { type Chartroom, startChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelm, type Helm } from './helm.ts';

const CHART = 'mailhog-5.8.0.tgz';
const file = path.join(import.meta.dirname, '../fixtures/charts', CHART);
const key = anRsaKey();

/** An identity provider, as far as Chartroom sees of it. */
const provider = createServer((_, response) => {
  const jwk = { kid: 'a', use: 'sig', alg: 'RS256', ...key.publicKey.export({ format: 'jwk' }) };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
});

// The commands of docs/tokens.md, which test/readme.test.ts runs, have them checked by a public key.
describe.skipIf(helmBinary() === undefined)(
  'tokens that are checked by the keys of an identity provider',
  () => {
    let folder = '';
    let chartroom: Chartroom;
    let here: Helm;
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'chartroom-tokens-'));
      const port = await bind(provider, '127.0.0.1', 0);
      const jwtJwksUrl = `http://127.0.0.1:${port}/jwks.json`;
      const tokens = { jwtIssuer: issuer, jwtAudience: audience, jwtJwksUrl };
      const assembly = await synthesize({ outDir: folder, context: { access: 'closed', ...tokens } });
      chartroom = await startChartroom({ assembly, adminPassword: 'correct horse' });
      here = await aHelm();
      const made = await chartroom.send('PUT', '/-/repositories/org/team', {
        headers: { authorization: `Basic ${btoa('admin:correct horse')}` },
      });
      expect(made.status).toBe(201);
    });
    afterAll(async () => {
      await here.remove();
      await chartroom.stop();
      await close(provider);
      await rm(folder, { recursive: true, force: true });
    });

    const tokenFor = (...actions: readonly string[]) =>
      aToken(key, { access: [accessTo('org/team', ...actions)] }, { header: { kid: 'a' } });

    it('let curl publish, and Helm add, pull and be refused', async () => {
      const api = `${chartroom.url}/api/org/team/charts`;
      const publish = async (...args: readonly string[]) =>
        await here.curl(...args, '--data-binary', `@${file}`, api);
      const bearing = async (...actions: readonly string[]) =>
        ['-H', `Authorization: Bearer ${await tokenFor(...actions)}`] as const;

      expect(await publish(...(await bearing('pull')))).toMatchObject({ status: 403 });
      const forged = await aToken(anRsaKey(), { access: [accessTo('org/team', 'push')] });
      expect(await publish('-H', `Authorization: Bearer ${forged}`)).toMatchObject({ status: 401 });
      expect(await chartroom.keys()).toEqual([]);
      expect(await publish(...(await bearing('push')))).toMatchObject({ status: 201 });

      const url = `${chartroom.url}/org/team`;
      const reader = ['--username', 'jwt', '--password', await tokenFor('pull')];
      await here.helm('repo', 'add', 'team', url, ...reader);
      await here.helm('pull', 'team/mailhog', '--version', '5.8.0');
      expect(await readFile(path.join(here.folder, CHART))).toEqual(await readFile(file));
      await here.helm('pull', 'mailhog', '--repo', url, '--version', '5.8.0', ...reader);

      const elsewhere = await here.tryHelm('repo', 'add', 'elsewhere', `${chartroom.url}/org`, ...reader);
      expect([elsewhere.ok, elsewhere.stderr]).toEqual([false, expect.stringContaining('404')]);
      const late = await aToken(
        key,
        { access: [accessTo('org/team', 'pull')] },
        { now: Date.now() - 600_000 },
      );
      const ended = ['--username', 'jwt', '--password', late];
      const refused = await here.tryHelm('repo', 'add', 'ended', url, ...ended);
      expect([refused.ok, refused.stderr]).toEqual([false, expect.stringContaining('401')]);
    });

    it('leave the accounts as they were', async () => {
      const admin = ['-u', 'admin:correct horse'];
      expect(await here.curl(...admin, `${chartroom.url}/-/whoami`)).toMatchObject({ status: 200 });
      const wrong = await here.curl('-u', 'admin:wrong', `${chartroom.url}/-/whoami`);
      expect(wrong.status).toBe(401);
    });
  },
);
