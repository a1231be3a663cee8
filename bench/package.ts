import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { publishFromInbox } from '../shared/inbox.ts';
import { aPackage } from '../test/packages.ts';
import { aWorld, root, versionId } from '../test/use-cases/world.ts';
import { type Figure, hold, timed } from './figures.ts';

const MIB = 1024 * 1024;

const filesOf = (count: number, folder: string, content: () => string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${folder}/${n}.yaml`, content()]));

/** The packages that ask for the most: the largest that Helm's users publish, and the largest that one may unpack to. */
export const shapes = {
  'a package of 20 MiB that is hard to compress': () =>
    aPackage({ files: filesOf(26, 'files', () => randomBytes(0.74 * MIB).toString('base64')) }),
  'a package that unpacks to 99 MiB of templates': () =>
    aPackage({ files: filesOf(33, 'templates', () => 'kind: X\n'.repeat((3 * MIB) / 8)) }),
};

/**
 * Publishing one package from the inbox, over a store that keeps nothing. Meant for a process of its own: the
 * package comes from a file, so that making it takes no memory here.
 */
export async function packageFigures(file: string): Promise<readonly Figure[]> {
  const world = aWorld();
  const kept = new Set<string>();
  const objects = {
    ...world.objects,
    read: async () => {
      const bytes = await readFile(file);
      return { bytes, sizeBytes: bytes.length, metadata: {}, versionId: '1' };
    },
    put: async (key: string) => void kept.add(key),
  };
  const [before, began] = [process.resourceUsage().maxRSS, performance.now()];
  await publishFromInbox({ ...world, objects, maxPackageBytes: 100 * MIB }, root, 'inbox/-/demo.tgz');
  const took = performance.now() - began;
  const { maxRSS } = process.resourceUsage();
  hold(
    'the package is published',
    (await world.versions.get(versionId('demo', '1.0.0')))?.live !== undefined,
  );
  return [
    { name: 'publish from the inbox, without S3', unit: 'ms', runs: [took] },
    { name: 'memory that it takes', unit: 'MB', runs: [(maxRSS - before) / 1000] },
  ];
}

/** The peer: Helm reads the same package. */
export async function helmReads(helm: string, file: string, runs: number): Promise<Figure> {
  const show = () => promisify(execFile)(helm, ['show', 'chart', file]);
  return { name: 'helm show chart', unit: 'ms', runs: await timed(runs, async () => void (await show())) };
}
