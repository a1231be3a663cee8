import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { renderFragment, renderIndex } from '../shared/domain/index-file.ts';
import { aPackage } from '../test/packages.ts';
import { type Figure, timed } from './figures.ts';
import { root, seededVersion } from './seed.ts';

/** The peer: `helm repo index --merge` of one new package into an index with so many versions. */
export async function helmFigures(helm: string, count: number, runs: number): Promise<readonly Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  try {
    const index = path.join(folder, 'existing.yaml');
    await writeFile(index, blockYaml(count));
    await writeFile(path.join(folder, 'demo-1.0.0.tgz'), await aPackage());
    const merge = await timed(runs, async () => {
      await promisify(execFile)(helm, ['repo', 'index', folder, '--merge', index]);
    });
    return [{ name: 'helm repo index --merge of one package', unit: 'ms', runs: merge }];
  } finally {
    await rm(folder, { recursive: true });
  }
}

function blockYaml(count: number): Uint8Array {
  const settings = { format: 'yaml', chartUrl: '', contextPath: '' } as const;
  const charts = new Map<string, ReturnType<typeof seededVersion>[]>();
  for (let n = 0; n < count; n += 1) {
    const seeded = seededVersion(n);
    charts.set(seeded.id.name, [...(charts.get(seeded.id.name) ?? []), seeded]);
  }
  const fragments = [...charts.values()].flatMap((versions) => {
    const live = versions.map(({ id, pending }) => ({ ...id, ...pending }));
    const fragment = live[0] && renderFragment(live[0].name, live, settings, root);
    return fragment === undefined ? [] : [fragment];
  });
  return renderIndex(fragments, '2026-01-01T00:00:00Z', settings).bytes;
}
