import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isDeployed } from '../deploy/deploy-kind.ts';
import { aPackage } from '../packages.ts';
import { type AnyChartroom, listed, sha256, startAnyChartroom } from './chartroom.ts';

const corpus = process.env['CHARTROOM_CORPUS'] ?? path.join(import.meta.dirname, '../fixtures');
const read = (...parts: string[]) => readFileSync(path.join(corpus, ...parts));

type Refusal = { readonly error: string };
type BadInput = { readonly file: string; readonly what: string; readonly status: number };

let chartroom: AnyChartroom;
beforeAll(async () => {
  chartroom = await startAnyChartroom();
});
afterAll(() => chartroom.stop());

/** Sends a body as curl would, with this header or none. */
function upload(body: Uint8Array | FormData, repository: string, type?: string): Promise<Response> {
  return chartroom.send('POST', `/api/${repository}/charts`, {
    body: body instanceof FormData ? body : new Blob([body]),
    ...(type !== undefined && { headers: { 'content-type': type } }),
  });
}

describe('a package', () => {
  it.each([
    { type: undefined },
    { type: 'application/octet-stream' },
    { type: 'application/gzip' },
    { type: 'application/x-www-form-urlencoded' },
    { type: 'application/x-tar' },
  ])('arrives whole as $type', async ({ type }) => {
    const repository = `types/${(type ?? 'none').replace(/.*\//, '')}`;
    const bytes = await aPackage();
    expect((await upload(bytes, repository, type)).status).toBe(201);
    expect(await chartroom.digestAt(`/${repository}/charts/demo-1.0.0.tgz`)).toBe(sha256(bytes));
  });

  it.each(['text/plain', 'application/json', 'application/xml', 'application/javascript'])(
    'is refused as %s, which the gateway takes for text, and nothing is stored',
    async (type) => {
      await chartroom.idle();
      const before = await chartroom.keys();
      const answer = await upload(await aPackage(), 'text', type);
      expect(answer.status).toBe(415);
      expect(((await answer.json()) as Refusal).error).toContain('Content-Type: application/octet-stream');
      expect(await chartroom.keys()).toEqual(before);
    },
  );

  const ours = /an upload may have 4194304/;
  // MiniStack has no limit of its own, and leaves it to ours.
  const theirs = isDeployed ? ours : undefined;
  it.each([
    { size: 'above our own limit', bytes: 4 * 1024 * 1024 + 1, error: ours },
    { size: 'above what Lambda takes', bytes: 5 * 1024 * 1024, error: theirs },
    { size: 'above what the gateway takes', bytes: 11 * 1024 * 1024, error: theirs },
  ])('$size is answered 413', async ({ bytes, error }) => {
    const answer = await upload(randomBytes(bytes), 'large');
    expect(answer.status).toBe(413);
    const body = (await answer.json()) as Refusal;
    if (error === undefined) expect(body).toEqual({ message: 'Request Entity Too Large' });
    else expect(body.error).toMatch(error);
  });
});

describe('real packages', () => {
  it('are all listed once and served whole', async () => {
    const files = readdirSync(path.join(corpus, 'charts')).filter((file) => file.endsWith('.tgz'));
    for (const file of files) {
      expect((await upload(read('charts', file), 'real')).status, file).toBe(201);
    }
    const index = await chartroom.readIndex('real');
    expect(listed(index).toSorted()).toEqual(files.map(versionOf).toSorted());
    for (const file of files) {
      expect(await chartroom.digestAt(`/real/charts/${file}`), file).toBe(sha256(read('charts', file)));
    }
  });
});

describe('bad inputs', () => {
  const inputs: BadInput[] = JSON.parse(read('bad', 'manifest.json').toString());
  const packages = inputs.filter(({ file }) => file.endsWith('.tgz'));
  const provenances = inputs.filter(({ file }) => file.endsWith('.prov'));

  it.each(packages)('$file is answered $status: $what', async ({ file, status }) => {
    const room = await traces();
    const answer = await upload(read('bad', file), 'bad');
    await expectAnswer(answer, status, room);
  });

  it.each(provenances)('$file beside its package is answered $status: $what', async ({ file, status }) => {
    const form = new FormData();
    form.append('chart', new Blob([read('charts', 'mailhog-5.8.0.tgz')]), 'mailhog-5.8.0.tgz');
    form.append('prov', new Blob([read('bad', file)]), 'mailhog-5.8.0.tgz.prov');
    const room = await traces();
    await expectAnswer(await upload(form, `signed/${file.split('.')[0]}`), status, room);
  });
});

type Traces = { readonly keys: readonly string[]; readonly items: readonly string[] };

/** All that is stored, but for what the indexer does meanwhile with earlier uploads. */
async function traces(): Promise<Traces> {
  await chartroom.idle();
  return { keys: await chartroom.keys(), items: await chartroom.items() };
}

/** A refusal says why and leaves nothing; what is accepted is stored. */
async function expectAnswer(answer: Response, status: number, before: Traces): Promise<void> {
  expect(answer.status).toBe(status);
  const body = (await answer.json()) as Refusal;
  if (status === 201) return expect(body).toEqual({ saved: true });
  expect(body).toEqual({ error: expect.any(String), errors: [{ code: 'BAD_REQUEST', message: body.error }] });
  expect(await traces()).toEqual(before);
}

/** `name version` of a file of the corpus: there, a version begins with a digit, or with `v` and a digit. */
function versionOf(file: string): string {
  const [, name, version] = /^(.+?)-(v?\d.*)\.tgz$/.exec(file) ?? [];
  return `${name} ${version}`;
}
