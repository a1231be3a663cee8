import { createHash } from 'node:crypto';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { inject } from 'vitest';
import { type LocalOptions, type LocalStack, startLocal } from '../../local/stack.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import type { Pointer } from '../../shared/store/pointer-store.ts';
import { pointersTable } from '../../shared/store/pointers-table.ts';
import { isDeployed } from '../deploy/deploy-kind.ts';
import { deployStack } from '../deploy/deployed-stack.ts';

/** What a stack has wherever it runs. */
export type Stack = Pick<
  LocalStack,
  'url' | 'tableName' | 'bucketName' | 'clientConfig' | 'invoke' | 'idle' | 'stop'
>;

/** Ways to talk to a whole Chartroom, and to look into its stores. */
type Helpers = {
  /** Sends a request; redirects are answers, not followed. */
  send(method: string, path: string, init?: RequestInit): Promise<Response>;
  /** Publishes a package by a raw upload. */
  publish(bytes: Uint8Array, repository?: string, query?: string): Promise<Response>;
  /** The index as a reader sees it, redirects followed. */
  readIndex(repository?: string): Promise<Index>;
  /** SHA-256 of what a URL gives, redirects followed; undefined if it is not there. */
  digestAt(path: string): Promise<string | undefined>;
  /** The pointer and the index that it names, read from the stores: nothing that heals. */
  publishedIndex(repository?: string): Promise<{ pointer: Pointer; index: Index } | undefined>;
  /** Keys of all objects. */
  keys(): Promise<string[]>;
  /** Sort keys of all items but those of the audit, which stay, and of the deployment. */
  items(): Promise<string[]>;
};

/** A whole Chartroom on this computer, with all that can be done to it there: faults, lost events, restarts. */
export type Chartroom = LocalStack & Helpers;

/** A whole Chartroom, wherever it runs. */
export type AnyChartroom = Stack & Helpers;

type Entry = {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly digest: string;
  readonly urls: readonly string[];
  readonly created: string;
};
export type Index = { readonly entries: Record<string, Entry[]> };

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** `name version` of everything an index lists. */
export const listed = ({ entries }: Index): string[] =>
  Object.values(entries)
    .flat()
    .map(({ name, version }) => `${name} ${version}`);

/** Long enough to gather what comes at once. A whole second, as deployed, would be most of what a test waits. */
const GATHER_MS = 200;

/** Starts a Chartroom on this computer that keeps nothing. The caller stops it. */
export async function startChartroom(
  options: LocalOptions & { access?: 'open' | 'closed' } = {},
): Promise<Chartroom> {
  const { access = 'open' } = options;
  const stack = await startLocal({ assembly: inject('assemblies')[access], gatherMs: GATHER_MS, ...options });
  // The stack's own properties stay settable (intercept, onCall, deliver): the helpers are put beside them.
  return Object.assign(stack, http(stack), stores(stack));
}

type AnyOptions = { readonly access?: 'open' | 'closed'; readonly adminPassword?: string };

/**
 * Starts a Chartroom with nothing in it: a deployment where CHARTROOM_DEPLOY asks for that, else one on this computer.
 * The caller stops it.
 */
export async function startAnyChartroom(options: AnyOptions = {}): Promise<AnyChartroom> {
  if (!isDeployed) return await startChartroom(options);
  const { access = 'open', adminPassword } = options;
  const stack = await deployStack({ assembly: inject('assemblies')[access], adminPassword });
  return { ...stack, ...http(stack), ...stores(stack) };
}

/**
 * Makes an admin that is a robot: every function takes a third of a second over a user's password.
 *
 * @param password of the admin
 * @returns name and secret, with a colon between
 */
export async function anAdminRobot({ send }: Pick<Chartroom, 'send'>, password: string): Promise<string> {
  const headers = { authorization: `Basic ${btoa(`admin:${password}`)}` };
  const robot = { kind: 'robot', grants: [{ role: 'admin', on: '*' }] };
  await send('PUT', '/-/accounts/tester', { headers, body: JSON.stringify(robot) });
  const made = await send('POST', '/-/accounts/tester/secrets', { headers, body: '{"expiresInDays":1}' });
  return `tester:${((await made.json()) as { secret: string }).secret}`;
}

/**
 * Loses the first answer, and each second one after it, to the transactions of a function, which asks again for what is
 * done: so does whoever was overtaken.
 */
export function answersLost(caller: string): NonNullable<LocalStack['intercept']> {
  let count = 0;
  return ({ operation, caller: by }) => {
    if (operation !== 'TransactWriteItems' || !by.startsWith(caller)) return 'pass';
    count += 1;
    return count % 2 === 1 ? 'fail-after' : 'pass';
  };
}

const below = (repository: string) => (repository === '' ? '' : `/${repository}`);

function http({ url }: Stack) {
  const send = (method: string, path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { method, redirect: 'manual', ...init });
  return {
    send,
    publish: (bytes: Uint8Array, repository = '', query = '') =>
      send('POST', `/api${below(repository)}/charts${query}`, {
        body: new Uint8Array(bytes),
        headers: { 'content-type': 'application/octet-stream' },
      }),
    readIndex: async (repository = ''): Promise<Index> => {
      const answer = await fetch(`${url}${below(repository)}/index.yaml`);
      if (answer.status !== 200) throw new Error(`index: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as Index;
    },
    digestAt: async (path: string) => {
      const answer = await fetch(`${url}${path}`);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return answer.status === 200 ? sha256(bytes) : undefined;
    },
  };
}

function stores({ clientConfig, tableName, bucketName }: Stack) {
  const { region, credentials, endpoints } = clientConfig;
  const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  const dynamo = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const pointers = pointersTable(dynamo, tableName);
  return {
    publishedIndex: async (repository = '') => {
      const segments = repository === '' ? [] : repository.split('/');
      const pointer = await pointers.get(parseRepository(segments));
      if (pointer === undefined) return undefined;
      const key = `${pointer.folder}index.yaml`;
      const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucketName, Key: key }));
      return { pointer, index: JSON.parse((await body?.transformToString()) ?? '') as Index };
    },
    keys: async () => {
      const { Contents: contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucketName }));
      return contents.map(({ Key: key = '' }) => key);
    },
    items: async () => {
      const { Items: items = [] } = await dynamo.send(new ScanCommand({ TableName: tableName }));
      return items.flatMap(({ pk, sk }) => (/^(audit#|deployment$)/.test(pk?.S ?? '') ? [] : (sk?.S ?? '')));
    },
  };
}
