import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { FunctionId } from '../infra/functions.ts';
import type { LocalStack } from '../local/stack.ts';
import { systemClock } from '../shared/clock.ts';
import { parseRepository } from '../shared/domain/repository.ts';
import { refreshIndex } from '../shared/refresh.ts';
import { bucket } from '../shared/store/bucket.ts';
import { pointersTable } from '../shared/store/pointers-table.ts';
import { aPackage } from '../test/packages.ts';
import { memoryVersions } from '../test/store/memory-versions.ts';
import { hold } from './figures.ts';
import { type Calls, meter } from './meter.ts';
import { seededVersion, settingsOf } from './seed.ts';

/** What one operation of a deployment calls. */
export type Operation = {
  readonly name: string;
  /** Requests to API Gateway, each of which is one of Lambda. */
  readonly requests: number;
  /** Runs of the indexer, each with a batch of events: three requests to SQS. */
  readonly batches: number;
  /** Of the functions behind them; whoever is sent to the bucket is in it. */
  readonly calls: Calls;
  /** The function that works longest, and its memory. */
  readonly functionId: FunctionId;
  readonly memoryMegabytes: 512 | 1024 | 1769 | 2048;
};

type Spent = (caller: string) => Calls;

// Above any size at which an index is still copied as a whole.
const LARGE_VERSIONS = 200;
const LARGE_ENTRY_BYTES = 200_000;

/**
 * Counts what each operation calls, on a local stack with closed access that keeps nothing: as it is deployed, with
 * a robot's secret that was used before, and functions that have answered one request.
 */
export async function countCalls(stack: LocalStack, password: string): Promise<readonly Operation[]> {
  const counted = meter(stack);
  const authorization = `Basic ${btoa(await robot(stack, password))}`;
  const send = async (method: string, path: string, init: RequestInit = {}) => {
    const headers = { authorization, 'accept-encoding': 'identity', ...init.headers };
    const answer = await fetch(`${stack.url}${path}`, { method, redirect: 'manual', ...init, headers });
    hold(`${method} ${path} is answered`, answer.status < 400);
    return answer;
  };
  const publish = async (repository: string, version: string) =>
    send('POST', `/api/${repository}/charts`, { body: await typical(version) });
  for (const path of ['small', 'large', 'deep/down']) await send('PUT', `/-/repositories/${path}`);
  for (const name of ['one', 'two']) {
    await send('PUT', `/-/repositories/${name}`);
    await publish(name, '1.0.0');
  }
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) await publish('small', version);
  await seedLarge(stack);
  await publish('large', '1.0.0');
  await stack.idle();

  /** The calls of an operation that was done right before: what a function remembers, it remembers. */
  const again = async (work: () => Promise<unknown>): Promise<Spent> => {
    await work();
    return await settled(work);
  };
  const settled = (work: () => Promise<unknown>): Promise<Spent> =>
    counted.during(async () => {
      await work();
      await stack.idle();
    });
  const followed = async (path: string) => {
    const { headers, status } = await send('GET', path);
    hold(`${path} is a redirect`, status === 302);
    await (await fetch(headers.get('location') ?? '')).arrayBuffer();
  };
  const unchanged = async (path: string) => {
    const etag = (await send('GET', path)).headers.get('etag') ?? '';
    return await again(async () => {
      const { status } = await send('GET', path, { headers: { 'if-none-match': etag } });
      hold(`${path} is unchanged`, status === 304);
    });
  };
  let patch = 0;
  const obsolete = ['1.2.0', '1.1.0'];
  const changes = {
    small: () => publish('small', `2.0.${patch++}`),
    large: () => publish('large', `2.0.${patch++}`),
    throughBucket: () => upload(send, `2.0.${patch++}`),
    deleted: () => send('DELETE', `/api/small/charts/${CHART}/${obsolete.pop()}`),
  };
  for (const change of Object.values(changes)) await change();
  await stack.idle();
  const small = await settled(changes.small);
  const large = await settled(changes.large);
  const throughBucket = await settled(changes.throughBucket);
  const deleted = await settled(changes.deleted);

  const read = { requests: 1, batches: 0 };
  const refreshed = {
    requests: 0,
    batches: 1,
    functionId: 'index-repositories',
    memoryMegabytes: 1769,
  } as const;
  const merged = '/chartrepo/index.yaml';
  return [
    {
      name: 'index, unchanged (304)',
      ...read,
      functionId: 'get-index',
      memoryMegabytes: 1024,
      calls: (await unchanged('/small/index.yaml'))(''),
    },
    {
      name: 'index, inline (200)',
      ...read,
      functionId: 'get-index',
      memoryMegabytes: 1024,
      calls: (await again(() => send('GET', '/small/index.yaml')))(''),
    },
    {
      name: 'index, by redirect (302)',
      ...read,
      functionId: 'get-index',
      memoryMegabytes: 1024,
      calls: (await again(() => followed('/large/index.yaml')))(''),
    },
    {
      name: 'index of one chart, unchanged (304)',
      ...read,
      functionId: 'get-chart-index',
      memoryMegabytes: 1024,
      calls: (await unchanged(`/small/charts/${CHART}/index.yaml`))(''),
    },
    {
      name: 'package (302)',
      ...read,
      functionId: 'get-package',
      memoryMegabytes: 512,
      calls: (await again(() => followed(`/small/charts/${CHART}-1.0.0.tgz`)))(''),
    },
    {
      name: 'list of charts, a page of 100',
      ...read,
      functionId: 'list-charts',
      memoryMegabytes: 1024,
      calls: (await again(() => send('GET', '/api/small/charts?limit=100')))(''),
    },
    {
      name: 'index of all projects, unchanged: 4 projects',
      ...read,
      functionId: 'get-merged-index',
      memoryMegabytes: 2048,
      calls: (await unchanged(merged))(''),
    },
    {
      name: 'publish, answered 201',
      ...read,
      functionId: 'publish-package',
      memoryMegabytes: 1024,
      calls: small('publishpackage'),
    },
    { name: 'refresh by the indexer, a small index', ...refreshed, calls: small('indexrepositories') },
    { name: 'refresh by the indexer, an index of 40 MB', ...refreshed, calls: large('indexrepositories') },
    {
      name: 'publish through the bucket, with its refresh',
      requests: 1,
      batches: 2,
      functionId: 'index-repositories',
      memoryMegabytes: 1769,
      calls: throughBucket(''),
    },
    {
      name: 'delete of a version',
      ...read,
      functionId: 'delete-version',
      memoryMegabytes: 512,
      calls: deleted('deleteversion'),
    },
  ];
}

// Between two charts of the large index: at its end it would be a part of an upload that may be small.
const CHART = 'chart-000004-typical';

/** A package with an entry of about 700 bytes. */
const typical = async (version: string) =>
  new Uint8Array(
    await aPackage({ name: CHART, version, description: 'What a chart says of itself. '.repeat(14) }),
  );

async function robot({ url }: LocalStack, password: string): Promise<string> {
  const headers = { authorization: `Basic ${btoa(`admin:${password}`)}` };
  const account = { kind: 'robot', grants: [{ role: 'admin', on: '*' }] };
  const path = `${url}/-/accounts/meter`;
  await fetch(path, { method: 'PUT', headers, body: JSON.stringify(account) });
  const made = await fetch(`${path}/secrets`, { method: 'POST', headers, body: '{"expiresInDays":1}' });
  return `meter:${((await made.json()) as { secret: string }).secret}`;
}

type Send = (method: string, path: string, init?: RequestInit) => Promise<Response>;

async function upload(send: Send, version: string): Promise<void> {
  const answer = await send('POST', '/api/deep/down/uploads');
  const { url, fields } = (await answer.json()) as { url: string; fields: Record<string, string> };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([await typical(version)]));
  hold('the bucket takes the form', (await fetch(url, { method: 'POST', body: form })).ok);
}

/**
 * Puts a large index into the bucket, of versions that the table does not hold: a refresh reads but the charts that
 * are marked.
 */
async function seedLarge({ clientConfig, tableName, bucketName }: LocalStack): Promise<void> {
  const { region, credentials, endpoints } = clientConfig;
  const dynamo = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  const versions = memoryVersions({ pageItems: LARGE_VERSIONS });
  const repository = parseRepository(['large']);
  const padding = 'x'.repeat(LARGE_ENTRY_BYTES);
  for (let n = 0; n < LARGE_VERSIONS; n += 1) {
    const { id, pending } = seededVersion(n);
    const entry = JSON.stringify({ ...JSON.parse(pending.entry), description: padding });
    await versions.reserve({ ...id, repository }, { ...pending, entry }, { overwrite: true, now: 1 });
    await versions.commit({ ...id, repository }, { ...pending, entry });
  }
  const dependencies = {
    versions,
    pointers: pointersTable(dynamo, tableName),
    objects: bucket(s3, bucketName),
    audit: { put: async () => {} },
    settings: { format: 'json', chartUrl: '', contextPath: '' } as const,
    settingsOf,
    clock: systemClock,
    newId: randomUUID,
    report: () => {},
  };
  await refreshIndex(dependencies, repository, { rebuildAtMost: Number.POSITIVE_INFINITY });
}
