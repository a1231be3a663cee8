import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bind, close } from '../local/listen.ts';
import { parseChartName } from '../shared/domain/chart-name.ts';
import { parseChartVersion } from '../shared/domain/version.ts';
import { type Figure, hold } from './figures.ts';
import { seededVersions, yamlIndex } from './helm-index.ts';
import { type Usage, usageOf } from './process-usage.ts';
import { newVersion, type Publishable, publish, readIndex } from './repository.ts';
import { root } from './seed.ts';
import type { StackProcess } from './stack-process.ts';

/**
 * What Helm's users wait for, and what it takes of their computers: the index as it is, the same in YAML, which is
 * served from here, and that of one chart alone.
 */
export async function clientFigures(
  helm: string,
  stack: StackProcess,
  size: number,
  runs: number,
): Promise<readonly Figure[]> {
  const next = await newVersion(0, size, 5);
  await publish(stack.url, next);
  await readIndex(stack.url);
  const name = parseChartName(next.name);
  const id = { repository: root, name, version: parseChartVersion(next.version) };
  const live = (await stack.stores.versions.get(id))?.live;
  if (live === undefined) throw new Error(`${next.file} is not there`);
  const all = [...seededVersions(size), { ...id, ...live }];
  const yaml = yamlIndex(all);
  const alone = `/charts/${name}`;
  const copy = createServer(({ url = '' }, response) => {
    response.end(url.endsWith('.tgz') ? next.body : yaml);
  });
  const copied = `http://127.0.0.1:${await bind(copy, '127.0.0.1', 0)}`;
  try {
    const measure = (url: string, times: number) => helmFigures(helm, { url, ...next }, times);
    const own = await measure(stack.url, runs);
    const inYaml = await measure(copied, Math.max(1, runs - 2));
    const { ok } = await fetch(`${stack.url}${alone}/index.yaml`);
    hold('the index of one chart is served', ok);
    const ofOne = await measure(`${stack.url}${alone}`, runs);
    const called = (what: string, figures: readonly Figure[]) =>
      figures.map((figure) => ({ ...figure, name: `${figure.name}, ${what}` }));
    return [...called('JSON', own), ...called('YAML', inYaml), ...called('one chart', ofOne)];
  } finally {
    await close(copy);
  }
}

type Wanted = Publishable & { readonly url: string };

async function helmFigures(
  helm: string,
  { url, name: chart, version, file }: Wanted,
  runs: number,
): Promise<Figure[]> {
  const used = new Map<string, Usage[]>();
  for (let run = 0; run < runs; run += 1) {
    const home = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
    const homes = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
    const doing = async (name: string, ...args: readonly string[]) => {
      const usage = await usageOf([helm, ...args], { ...process.env, ...homes });
      used.set(name, [...(used.get(name) ?? []), usage]);
      return usage.printed;
    };
    try {
      await doing('helm repo add', 'repo', 'add', 'bench', url);
      await doing('helm repo update', 'repo', 'update', 'bench');
      const found = await doing('helm search repo', 'search', 'repo', `bench/${chart}`, '--versions');
      hold('Helm finds the version', found.includes(version));
      await doing('helm pull', 'pull', `bench/${chart}`, '--version', version, '--destination', home);
      hold('Helm has the package', existsSync(path.join(home, file)));
    } finally {
      await rm(home, { recursive: true });
    }
  }
  return [...used].flatMap(([name, usages]) => [
    { name, unit: 'ms', runs: usages.map(({ wallMs }) => wallMs) },
    { name: `${name}, CPU`, unit: 'ms', runs: usages.map(({ cpuMs }) => cpuMs) },
    { name: `${name}, memory`, unit: 'MB', runs: usages.map(({ mostMemoryMB }) => mostMemoryMB) },
  ]);
}
