import { randomInt } from 'node:crypto';
import { type SignedChart, signedChart } from './canary-chart.ts';
import type { Clock } from './clock.ts';
import { canaryRepository } from './domain/canary.ts';
import { digestOf } from './domain/digest.ts';
import { parseProvenance } from './domain/provenance.ts';
import { verifySignature } from './signature.ts';

export type CanaryDependencies = {
  readonly clock: Pick<Clock, 'now'>;
  /** Makes repository and account. @returns whom to ask as; undefined where nobody is asked */
  readonly open: () => Promise<{ readonly name: string; readonly secret: string } | undefined>;
  /** Follows redirects, and gives no password to another host. */
  readonly fetch: typeof fetch;
  /** The address of the root repository, without a slash at its end. */
  readonly address: string;
};

/** How a run ended: by which step it failed, if it did. */
export type CanaryOutcome =
  | { readonly succeeded: true; readonly publishMs: number }
  | { readonly succeeded: false; readonly step: string; readonly error: unknown };

type Client = (method: string, path: string, init?: RequestInit) => Promise<Buffer>;

const CHART = 'canary';

// As long as the gateway waits for a function.
const PATIENCE_MS = 30_000;

/** What is older belongs to no run that is under way: none takes as long, and clocks differ by seconds. */
const LEFT_AFTER_MS = 10 * 60_000;
const MOST_LEFTOVERS = 20;

/**
 * Does what a client does, by the public address: publishes a signed chart, finds it in the index and in the index of one
 * chart, pulls and verifies it, and deletes it. Runs may be under way at once, and what a run left that ended halfway, a
 * later one takes away.
 */
export async function runCanary(dependencies: CanaryDependencies): Promise<CanaryOutcome> {
  let step = 'make its repository and account';
  try {
    const client = clientOf(dependencies, await dependencies.open());
    step = 'make and sign a chart';
    const { clock } = dependencies;
    const chart = await signedChart(CHART, `1.0.${clock.now()}${randomInt(100, 1000)}`);
    let publishMs: number;
    try {
      step = 'publish';
      const began = clock.now();
      await publish(client, chart);
      step = 'find it in the index';
      mustList(await client('GET', `/${canaryRepository}/index.yaml`), chart);
      publishMs = clock.now() - began;
      step = 'pull it';
      await pull(client, chart);
      step = 'find it in the index of its chart';
      mustList(await client('GET', `/${canaryRepository}/charts/${CHART}/index.yaml`), chart);
    } catch (error) {
      // What cannot be deleted now, a later run finds.
      await remove(client, chart.version).catch(() => {});
      throw error;
    }
    step = 'delete it';
    await remove(client, chart.version);
    step = 'delete what earlier runs left';
    await removeLeftovers(client, clock.now());
    return { succeeded: true, publishMs };
  } catch (error) {
    return { succeeded: false, step, error };
  }
}

function clientOf(
  { fetch, address }: CanaryDependencies,
  account: { readonly name: string; readonly secret: string } | undefined,
): Client {
  const headers: Record<string, string> =
    account === undefined ? {} : { authorization: `Basic ${btoa(`${account.name}:${account.secret}`)}` };
  return async (method, path, init = {}) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(`${address}${path}`, { ...init, method, headers, signal });
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.ok) return body;
    const id = answer.headers.get('x-request-id') ?? 'none';
    const said = [answer.status, ...reasonOf(body.toString())].join(' ');
    throw new Error(`${method} ${path}: ${said} (request ${id})`);
  };
}

const MOST_REASON_CHARACTERS = 300;

/** What Chartroom or S3 calls it; the rest of what anybody answers may hold tokens, and comes into the log. */
function reasonOf(body: string): readonly string[] {
  const code = /<Code>([A-Za-z0-9.]+)<\/Code>/.exec(body)?.[1] ?? errorOf(body);
  return typeof code === 'string' ? [code.slice(0, MOST_REASON_CHARACTERS)] : [];
}

function errorOf(body: string): unknown {
  try {
    return (JSON.parse(body) as { readonly error?: unknown } | null)?.error;
  } catch (error) {
    // A page of something that stands before us.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function publish(client: Client, { file, package: bytes, provenance }: SignedChart): Promise<void> {
  const form = new FormData();
  form.set('chart', new Blob([new Uint8Array(bytes)]), file);
  form.set('prov', new Blob([provenance]), `${file}.prov`);
  await client('POST', `/api/${canaryRepository}/charts`, { body: form });
}

/** Of an index in JSON or YAML. */
function mustList(index: Buffer, { version, digest }: SignedChart): void {
  if (index.includes(version) && index.includes(digest)) return;
  throw new Error(`version ${version} was published and is not listed`);
}

async function pull(client: Client, { file, digest, provenance, ring }: SignedChart): Promise<void> {
  const bytes = await client('GET', `/${canaryRepository}/charts/${file}`);
  if (digestOf(bytes) !== digest) throw new Error(`${file} has other bytes than were published`);
  const signed = await client('GET', `/${canaryRepository}/charts/${file}.prov`);
  if (!signed.equals(Buffer.from(provenance))) throw new Error(`${file}.prov has other bytes`);
  await verifySignature(signed, ring);
  if (parseProvenance(signed).package !== digest) throw new Error(`${file}.prov states another digest`);
}

async function remove(client: Client, version: string): Promise<void> {
  await client('DELETE', `/api/${canaryRepository}/charts/${CHART}/${version}`);
}

async function removeLeftovers(client: Client, now: number): Promise<void> {
  const list = JSON.parse(String(await client('GET', `/api/${canaryRepository}/charts`))) as {
    readonly [CHART]?: readonly { readonly version: string; readonly created: string }[];
  };
  const left = (list[CHART] ?? []).filter(({ created }) => now - Date.parse(created) > LEFT_AFTER_MS);
  for (const { version } of left.slice(0, MOST_LEFTOVERS)) await remove(client, version);
}
