import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isOurs } from './answers.ts';
import { type Check, judged, type Probe } from './check.ts';
import { sendTo } from './http.ts';
import { aForm, aPackage } from './package.ts';

const BYTES_TYPES = [
  'application/octet-stream',
  'application/gzip',
  'application/x-tar',
  'application/x-www-form-urlencoded',
  undefined,
];
const TEXT_TYPES = ['text/plain', 'application/json', 'application/xml', 'application/javascript'];

const MIB = 1024 * 1024;
const THEIRS = '{"message":"Request Entity Too Large"}';

/** Longer than a queue whose consumer fails once makes anybody wait. */
const MOST_LAG_MS = 120_000;
const LOOK_EVERY_MS = 100;
/** How long nobody reads, so that the index can only be the indexer's; the next where that was not enough. */
const QUIET_MS = [3000, 10_000, 30_000, 60_000];
/** So that a few versions make an index too large for one answer. */
const LONG_DESCRIPTION = 'a chart of the probe '.repeat(5000);
const VERSIONS_OF_A_LARGE_INDEX = 6;

export const uploads: readonly Check[] = [
  ...BYTES_TYPES.map(
    (type): Check => ({
      name: `Package sent as \`${type ?? 'no type at all'}\``,
      expected: '201, and whole',
      look: (probe) => arrives(probe, { type }),
    }),
  ),
  {
    name: 'Package sent in chunks, without a length',
    expected: '201, and whole',
    look: (probe) => arrives(probe, { type: 'application/octet-stream', chunked: true }),
  },
  {
    name: 'Package sent in a form (`multipart/form-data`)',
    expected: '201, and whole',
    look: (probe) => arrives(probe, { form: true }),
  },
  ...TEXT_TYPES.map(
    (type): Check => ({
      name: `Package sent as \`${type}\``,
      expected: '415: the gateway takes it for text',
      async look(probe) {
        const { status } = await probe.publish({}, { type });
        return judged(status === 415, String(status));
      },
    }),
  ),
  {
    name: 'A body of 4,500,001 bytes',
    expected: "413 in Chartroom's words",
    look: (probe) => tooLarge(probe, 4_500_001, isOurs),
  },
  {
    name: 'A body of 5 MiB, of which base64 makes more than Lambda takes',
    expected: `413 \`${THEIRS}\``,
    look: (probe) => tooLarge(probe, 5 * MIB, isTheirs),
  },
  {
    name: 'A body of 11 MiB, more than the gateway takes',
    expected: `413 \`${THEIRS}\``,
    look: (probe) => tooLarge(probe, 11 * MIB, isTheirs),
  },
];

const isTheirs = (body: Buffer) => body.toString() === THEIRS;

/** The `ETag` of a package is the digest of what is stored. */
async function arrives(probe: Probe, how: Parameters<Probe['publish']>[1]) {
  const { status, error, name, version, digest } = await probe.publish({}, how);
  if (status !== 201) return judged(false, `${status} ${error}`);
  const { headers } = await probe.client.send('HEAD', `/${probe.repository}/charts/${name}-${version}.tgz`);
  const isWhole = headers['etag'] === `"${digest}"`;
  return judged(isWhole, isWhole ? '201, whole' : '201, other bytes');
}

async function tooLarge({ client, repository }: Probe, bytes: number, isExpected: (body: Buffer) => boolean) {
  const { status, body } = await client.send('POST', `/api/${repository}/charts`, {
    headers: { 'content-type': 'application/octet-stream' },
    body: randomBytes(bytes),
  });
  return judged(status === 413 && isExpected(body), `${status} \`${body.toString().slice(0, 60)}\``);
}

type Form = { readonly id: string; readonly url: string; readonly fields: Readonly<Record<string, string>> };

/** What comes by the bucket's events, after the answer. */
export const events: readonly Check[] = [
  {
    name: 'Upload through the bucket, until its event published it',
    expected: 'taken by the bucket, published by the event',
    async look(probe) {
      const { client, repository } = probe;
      const asked = await client.send('POST', `/api/${repository}/uploads`);
      if (asked.status !== 201) return judged(false, `${asked.status} for the form`);
      const { id, url, fields } = JSON.parse(asked.body.toString()) as Form;
      const name = 'probe-bucket';
      probe.willPublish(name);
      const bytes = await aPackage({ name, version: '1.0.0', description: 'through the bucket' });
      const { type, body } = aForm(fields, { field: 'file', bytes });
      const put = await sendTo('POST', new URL(url), { headers: { 'content-type': type }, body });
      if (put.status >= 300) return judged(false, `${put.status} by the bucket`);
      const began = performance.now();
      const state = await outcomeOf(probe, id);
      const tookMs = Math.round(performance.now() - began);
      return judged(state === 'published', `${state} ${tookMs} ms after the bucket's ${put.status}`);
    },
  },
  {
    name: 'Index after a publish, while nobody reads',
    expected: 'is current by the events alone',
    async look(probe) {
      for (const quietMs of QUIET_MS) {
        const seconds = await unreadLag(probe, quietMs);
        if (seconds !== undefined) return judged(true, `at most ${seconds} s after the publish`);
      }
      return judged(false, `not within ${(QUIET_MS.at(-1) ?? 0) / 1000} s`);
    },
  },
];

async function outcomeOf({ client, repository }: Probe, upload: string): Promise<string> {
  const until = performance.now() + MOST_LAG_MS;
  let state = 'waiting';
  while (state === 'waiting' && performance.now() < until) {
    await pause(LOOK_EVERY_MS);
    const { status, body } = await client.send('GET', `/api/${repository}/uploads/${upload}`);
    if (status !== 200) return String(status);
    state = (JSON.parse(body.toString()) as { readonly state: string }).state;
  }
  return state;
}

/**
 * How long after a publish the index was made at most, by the instants that both say of themselves. Reading it tells,
 * though a reader makes an index that is behind: such a one says that it was made while it was read.
 *
 * @returns in seconds, which is as exact as an index is; undefined if the reader made it
 */
async function unreadLag(probe: Probe, quietMs: number): Promise<number | undefined> {
  const { client, repository } = probe;
  const { name, version } = await probe.publish();
  await pause(quietMs);
  const about = await client.send('GET', `/api/${repository}/charts/${name}/${version}`);
  const { created } = JSON.parse(about.body.toString()) as { readonly created: string };
  const { body } = await client.send('GET', `/${repository}/index.yaml`);
  const [, text = ''] = /"?generated"?: ?"([^"]+)"/.exec(body.toString()) ?? [];
  const generated = Date.parse(text);
  if (!body.includes(version)) throw new Error(`an index without ${version}`);
  if (!(generated < Date.parse(about.headers['date'] ?? ''))) return undefined;
  return Math.max(1, Math.ceil((generated + 1000 - Date.parse(created)) / 1000));
}

/** Comes last, since it makes the index large. */
export const largeIndex: Check = {
  name: 'Index above 512 KB',
  expected: '302 to the bytes; HEAD says their length',
  async look(probe) {
    const { client, repository } = probe;
    for (let count = 0; count < VERSIONS_OF_A_LARGE_INDEX; count++) {
      const { status, error } = await probe.publish({ name: 'probe-long', description: LONG_DESCRIPTION });
      if (status !== 201) return judged(false, `${status} ${error} for a package with a long description`);
    }
    const { status, headers } = await client.send('GET', `/${repository}/index.yaml`);
    if (status !== 302) return judged(false, String(status));
    const followed = await sendTo('GET', new URL(headers['location'] ?? '', client.base));
    const head = await client.send('HEAD', `/${repository}/index.yaml`);
    const length = head.headers['content-length'] ?? 'missing';
    return judged(
      followed.status === 200 && head.status === 200 && length === String(followed.body.length),
      `302, then ${followed.status} with ${followed.body.length} bytes; HEAD ${head.status}, Content-Length ${length}`,
    );
  },
};
