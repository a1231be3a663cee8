import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { digestOf } from '../../shared/domain/digest.ts';
import { aHelm, type Helm } from '../helm/helm.ts';
import { type Span, Violation } from './ledger.ts';
import { below, partsOf, repositories, versionId, type World } from './world.ts';

type Run = { readonly stdout: string; readonly span: Span } | undefined;

/** Who works with the real Helm, in a home of its own: adds, updates, searches, pulls. */
export async function helmUser(world: World, part: number): Promise<void> {
  const helm = await aHelm();
  const added = new Set<string>();
  try {
    await world.repeat(part, async (random) => {
      const repository = random.pick(repositories);
      const name = `r${repositories.indexOf(repository)}`;
      const update = added.has(name)
        ? ['repo', 'update', name, '--fail-on-repo-update-fail']
        : ['repo', 'add', name, `${world.runner.url}${below(repository)}`];
      const index = await run(world, helm, update);
      if (index === undefined) return;
      added.add(name);
      const found = await search(world, helm, repository, name, index.span);
      for (let n = 0; n < 2; n += 1) {
        const id = random.pickAny(found);
        if (id !== undefined && !world.over) await pull(world, helm, name, id, random.chance(0.5));
      }
    });
  } finally {
    await helm.remove();
  }
}

/**
 * Runs Helm.
 *
 * @param excused whether a failure has a reason besides a kill
 * @returns undefined if it failed with reason
 * @throws Violation if it failed without
 */
async function run(
  { runner, figures }: World,
  helm: Helm,
  args: readonly string[],
  excused: (span: Span) => boolean = () => false,
): Promise<Run> {
  const start = performance.now();
  const { ok, stdout, stderr } = await helm.tryHelm(...args);
  const span = { start, end: performance.now() };
  figures.helmRuns += 1;
  if (ok) return { stdout, span };
  if (!runner.undisturbed(span)) figures.helmRunsCutOff += 1;
  else if (!excused(span)) throw new Violation(`helm ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return undefined;
}

/** What Helm finds in the index that it got is what it may find. @returns what it found */
async function search(
  world: World,
  helm: Helm,
  repository: string,
  name: string,
  span: Span,
): Promise<string[]> {
  const { ledger } = world;
  const answer = await run(world, helm, ['search', 'repo', `${name}/`, '--versions', '--output', 'json']);
  if (answer === undefined) return [];
  const found = (JSON.parse(answer.stdout) as { name: string; version: string }[]).map((one) =>
    versionId(repository, one.name.slice(name.length + 1), one.version),
  );
  const here = new Set(found);
  for (const id of found) {
    const possible = ledger.contents(id, span).some((content) => content !== undefined);
    if (!possible) throw ledger.violation(id, `Helm found ${id} in the index`);
  }
  for (const id of ledger.versions) {
    if (partsOf(id).repository === repository && !here.has(id))
      ledger.observe(id, undefined, span, 'Helm’s index');
  }
  return found;
}

async function pull(
  world: World,
  helm: Helm,
  name: string,
  id: string,
  withProvenance: boolean,
): Promise<void> {
  const { ledger, provenance } = world;
  const { name: chart, version } = partsOf(id);
  const args = ['pull', `${name}/${chart}`, '--version', version, ...(withProvenance ? ['--prov'] : [])];
  // Deleted since Helm got its index.
  const pulled = await run(world, helm, args, (span) => ledger.admits(id, undefined, span));
  const file = path.join(helm.folder, `${chart}-${version}.tgz`);
  if (pulled !== undefined) {
    const digest = digestOf(await readFile(file));
    ledger.observe(id, digest, pulled.span, `helm ${args.join(' ')}`);
    const signed = await readFile(`${file}.prov`).catch(() => undefined);
    const known = ledger.contents(id, pulled.span).map((content) => provenance.get(content ?? ''));
    if (signed !== undefined && !known.some((one) => one?.equals(signed))) {
      throw ledger.violation(id, `helm pull --prov brought ${signed}`);
    }
  }
  await Promise.all([file, `${file}.prov`].map((one) => rm(one, { force: true })));
}
