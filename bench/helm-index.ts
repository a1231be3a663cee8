import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LiveVersion } from '../shared/domain/entry.ts';
import { renderFragment, renderIndex } from '../shared/domain/index-file.ts';
import { aPackage } from '../test/packages.ts';
import type { Figure } from './figures.ts';
import { type Usage, usageOf } from './process-usage.ts';
import { root, seededVersion } from './seed.ts';

/** The peer: `helm repo index --merge` of one new package into an index with so many versions, in YAML. */
export async function helmIndexFigures(
  helm: string,
  yaml: Uint8Array,
  runs: number,
): Promise<readonly Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  try {
    const index = path.join(folder, 'existing.yaml');
    await writeFile(index, yaml);
    await writeFile(path.join(folder, 'demo-1.0.0.tgz'), await aPackage());
    const used: Usage[] = [];
    for (let run = 0; run < runs; run += 1) {
      used.push(await usageOf([helm, 'repo', 'index', folder, '--merge', index]));
    }
    return [
      { name: 'helm repo index --merge', unit: 'ms', runs: used.map(({ wallMs }) => wallMs) },
      { name: 'helm repo index --merge, CPU', unit: 'ms', runs: used.map(({ cpuMs }) => cpuMs) },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** So many seeded versions as they are listed. */
export const seededVersions = (count: number): LiveVersion[] =>
  Array.from({ length: count }, (_, n) => seededVersion(n)).map(({ id, pending }) => ({ ...id, ...pending }));

/** Chartroom's index of some versions in YAML, though the stack has it in JSON. */
export function yamlIndex(versions: readonly LiveVersion[]): Uint8Array {
  const settings = { format: 'yaml', chartUrl: '', contextPath: '' } as const;
  const charts = new Map<string, LiveVersion[]>();
  for (const version of versions) {
    const others = charts.get(version.name);
    if (others === undefined) charts.set(version.name, [version]);
    else others.push(version);
  }
  const fragments = [...charts.values()].flatMap((live) => {
    const fragment = live[0] && renderFragment(live[0].name, live, settings, root);
    return fragment === undefined ? [] : [fragment];
  });
  return renderIndex(fragments, '2026-01-01T00:00:00Z', settings).bytes;
}
