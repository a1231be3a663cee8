import { aPackage } from '../test/packages.ts';
import { hold } from './figures.ts';
import { VERSIONS_OF_A_CHART } from './seed.ts';

/** A version that is about to be published. */
export type Publishable = {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly body: Uint8Array;
};

/**
 * The n-th new version of a chart that is there already; each n is another chart, all over the index.
 *
 * @param major of the version, 2 or more: another one for each use
 */
export async function newVersion(n: number, count: number, major: number): Promise<Publishable> {
  const charts = Math.ceil(count / VERSIONS_OF_A_CHART);
  const chart = (n * 7919 + 13) % charts; // a prime, so that neighbours are far from each other
  return await publishable(`chart-${String(chart).padStart(6, '0')}`, `${major}.0.${n}`);
}

export async function publishable(name: string, version: string): Promise<Publishable> {
  const body = await aPackage({ name, version });
  return { name, version, file: `${name}-${version}.tgz`, body: new Uint8Array(body) };
}

/** Publishes to the repository at a URL, Chartroom's or ChartMuseum's. */
export async function publish(url: string, { file, body }: Publishable): Promise<void> {
  const answer = await fetch(`${url}/api/charts`, { method: 'POST', body });
  const text = await answer.text();
  hold(`${file} is published: ${answer.status} ${text.slice(0, 200)}`, answer.status === 201);
}

// As Helm does, which asks for no compression; fetch would.
const headers = { 'accept-encoding': 'identity' };

/** The whole index, and when its first and its last byte came, in milliseconds since it was asked for. */
export type Reading = { readonly bytes: Buffer; readonly beganMs: number; readonly wholeMs: number };

/** Reads the index, by whatever redirect. */
export async function readIndex(url: string): Promise<Reading> {
  const began = performance.now();
  const answer = await fetch(`${url}/index.yaml`, { headers });
  const beganMs = performance.now() - began;
  const bytes = Buffer.from(await answer.arrayBuffer());
  hold(`the index is answered 200, not ${answer.status}`, answer.status === 200);
  return { bytes, beganMs, wholeMs: performance.now() - began };
}

/** How often something is in an index. */
export function count(index: Buffer, text: string): number {
  let found = 0;
  for (let at = index.indexOf(text); at !== -1; at = index.indexOf(text, at + text.length)) found += 1;
  return found;
}
