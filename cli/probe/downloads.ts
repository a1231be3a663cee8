import { basic } from '../command-line.ts';
import { type Check, judged, notTried, type Package, type Probe } from './check.ts';
import { type Answer, sendTo } from './http.ts';
import { digestOf } from './package.ts';

const fileOf = ({ name, version }: Package, plus = '+') => `${name}-${version.replace('+', plus)}.tgz`;

const packagePath = ({ repository }: Probe, published: Package, plus?: string) =>
  `/${repository}/charts/${fileOf(published, plus)}`;

/** Where a download leads to. @throws where it leads nowhere */
function locationOf({ status, headers }: Answer, base: URL): URL {
  const { location } = headers;
  if (location !== undefined) return new URL(location, base);
  throw new Error(`${status} without Location`);
}

/** Follows as Helm does: the password goes along to the same host, and to those below it. */
async function follow({ client: { base, credentials } }: Probe, to: URL): Promise<Answer> {
  const goesAlong = to.hostname === base.hostname || to.hostname.endsWith(`.${base.hostname}`);
  const headers = credentials !== undefined && goesAlong ? { authorization: basic(credentials) } : {};
  return await sendTo('GET', to, { headers });
}

/** Downloads a package by a path, and tells whether it is the one that was published. */
async function isServed(probe: Probe, published: Package, plus?: string): Promise<string> {
  const found = await probe.client.send('GET', packagePath(probe, published, plus));
  if (found.status !== 302) return String(found.status);
  const { status, body } = await follow(probe, locationOf(found, probe.client.base));
  if (status !== 200) return `302, then ${status}`;
  return digestOf(body) === published.digest ? 'whole' : 'other bytes';
}

export const downloads: readonly Check[] = [
  {
    name: 'Package, HEAD',
    expected: '200, `Content-Length` of the package, `application/x-tar`, no redirect',
    async look(probe) {
      const published = await probe.publish();
      const { status, headers } = await probe.client.send('HEAD', packagePath(probe, published));
      const { 'content-length': length, 'content-type': type, location } = headers;
      return judged(
        status === 200 &&
          length === String(published.bytes.length) &&
          type === 'application/x-tar' &&
          location === undefined,
        `${status}, Content-Length ${length ?? 'missing'} (of ${published.bytes.length}), ${type ?? 'no type'}`,
      );
    },
  },
  {
    name: 'Package, GET, as Helm follows',
    expected: '302, then the bytes that were published',
    async look(probe) {
      const outcome = await isServed(probe, await probe.publish());
      return judged(outcome === 'whole', outcome);
    },
  },
  {
    name: 'Signed URL, HEAD',
    expected: '403: it is signed for GET alone',
    async look(probe) {
      const published = await probe.publish();
      const found = await probe.client.send('GET', packagePath(probe, published));
      const { status } = await sendTo('HEAD', locationOf(found, probe.client.base));
      return judged(status === 403, String(status));
    },
  },
  {
    name: 'Signed URL, `Range: bytes=0-9`',
    expected: '206, 10 bytes',
    async look(probe) {
      const published = await probe.publish();
      const found = await probe.client.send('GET', packagePath(probe, published));
      const { status, body } = await sendTo('GET', locationOf(found, probe.client.base), {
        headers: { range: 'bytes=0-9' },
      });
      return judged(status === 206 && body.length === 10, `${status}, ${body.length} bytes`);
    },
  },
  ...['+', '%2B'].map((plus) => ({
    name: `\`${plus}build\` in a version, in the path of a package`,
    expected: 'the package',
    async look(probe: Probe) {
      const published = await probe.publish({ metadata: '+build' });
      const outcome = await isServed(probe, published, plus);
      return judged(outcome === 'whole', outcome);
    },
  })),
  ...['+', '%2B'].map((plus) => ({
    name: `\`${plus}build\` in a version, in the path of that version`,
    expected: '200, that version',
    async look(probe: Probe) {
      const { name, version } = await probe.publish({ metadata: '+build' });
      const path = `/api/${probe.repository}/charts/${name}/${version.replace('+', plus)}`;
      const { status, body } = await probe.client.send('GET', path);
      const isIt = body.toString().includes(`"version":"${version}"`);
      return judged(status === 200 && isIt, `${status}${status === 200 && !isIt ? ', another version' : ''}`);
    },
  })),
  {
    name: 'A name with dots',
    expected: 'the package',
    async look(probe) {
      const outcome = await isServed(probe, await probe.publish({ name: 'probe.v1.dots' }));
      return judged(outcome === 'whole', outcome);
    },
  },
  {
    name: 'The URL in the index',
    expected: 'leads to the package, beside the index',
    async look(probe) {
      const { name, version, bytes } = await probe.publish();
      const { client, repository } = probe;
      const { body } = await client.send('GET', `/api/${repository}/charts/${name}/${version}`);
      const [url] = (JSON.parse(body.toString()) as { readonly urls: readonly string[] }).urls;
      if (url === undefined) return judged(false, 'none');
      const below = client.base.pathname.replace(/\/+$/, '');
      const to = new URL(url, new URL(`${below}/${repository}/index.yaml`, client.base));
      if (to.host !== client.base.host) return notTried('the setting chartUrl names another host');
      const { status, headers } = await client.send('HEAD', to.pathname.slice(below.length));
      const isIt = headers['content-length'] === String(bytes.length);
      return judged(status === 200 && isIt && to.pathname.startsWith(below), String(status));
    },
  },
];
