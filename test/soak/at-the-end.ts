import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Violation } from './ledger.ts';
import { checkProvenance, download, type Entries, readEntries } from './looks.ts';
import { below, partsOf, repositories, versionId, type World } from './world.ts';

/** The promises, when nothing happens any more. @returns how many versions there are */
export async function checkAtTheEnd(world: World): Promise<number> {
  let versions = 0;
  for (const repository of repositories) {
    const index = await entriesOf(world, repository, 'index');
    // The list is read from the table, so it is what a rebuild would render.
    const list = await entriesOf(world, repository, 'list');
    if (!isDeepStrictEqual(index, list)) throw new Violation(`the index of /${repository} is not its list`);
    versions += Object.values(index).flat().length;
    await checkFiles(world, repository, index);
    await checkThatItStays(world, repository);
  }
  return versions;
}

async function entriesOf(world: World, repository: string, from: 'index' | 'list'): Promise<Entries> {
  const entries = await readEntries(world, repository, from);
  if (entries === undefined) throw new Violation(`the ${from} of /${repository} cannot be read`);
  return entries;
}

/** Every version that there ever was is served as listed, or not at all. */
async function checkFiles(world: World, repository: string, index: Entries): Promise<void> {
  const listed = new Map(
    Object.values(index)
      .flat()
      .map(({ name, version, digest }) => [versionId(repository, name, version), digest]),
  );
  const waiting = world.ledger.versions.filter((id) => partsOf(id).repository === repository);
  const one = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const served = await download(world, id);
      const expected = listed.get(id);
      if (served === 'cut off' || served.digest !== expected) {
        throw world.ledger.violation(
          id,
          `${id} is listed with ${expected}, served with ${JSON.stringify(served)}`,
        );
      }
      await checkProvenance(world, id);
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
}

/** With nothing changed, nobody makes another index: a mark that no refresh clears would have each reader do so. */
async function checkThatItStays(world: World, repository: string): Promise<void> {
  const tag = async () =>
    (await fetch(`${world.runner.url}${below(repository)}/index.yaml`)).headers.get('etag');
  const [first, second] = [await tag(), await tag()];
  if (first !== second)
    throw new Violation(`a reader makes the index of /${repository} anew, with nothing changed`);
}

/** After a stop: what the data directory holds is what it is meant to hold, with nothing half made beside it. */
export function checkDataFolder(folder: string): void {
  expectNames(folder, ['assembly', 'dynamodb', 'queues', 's3']);
  for (const bucket of readdirSync(path.join(folder, 's3'))) {
    const files = path.join(folder, 's3', bucket);
    expectNames(files, ['blobs', 'journal.jsonl']);
    const blobs = journaled(path.join(files, 'journal.jsonl'));
    expectNames(path.join(files, 'blobs'), [...blobs.keys()].toSorted());
    for (const [blob, size] of blobs) {
      const has = statSync(path.join(files, 'blobs', blob)).size;
      if (has !== size) throw new Violation(`${blob} in ${files} has ${has} bytes, its journal says ${size}`);
    }
  }
}

/** Blobs of the objects that there are, by the journal, with their sizes. */
function journaled(journal: string): Map<string, number> {
  type Line = { put?: { key: string; blob: string; sizeBytes: number }; delete?: string };
  const objects = new Map<string, readonly [string, number]>();
  for (const text of readFileSync(journal, 'utf8').split('\n').filter(Boolean)) {
    const { put, delete: gone } = JSON.parse(text) as Line;
    if (put !== undefined) objects.set(put.key, [put.blob, put.sizeBytes]);
    if (gone !== undefined) objects.delete(gone);
  }
  return new Map(objects.values());
}

function expectNames(folder: string, expected: readonly string[]): void {
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  if (isDeepStrictEqual(names, expected)) return;
  const more = names.filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => !names.includes(name));
  throw new Violation(
    `${folder} has ${more.join(', ') || 'nothing'} besides, and lacks ${missing.join(', ') || 'nothing'}`,
  );
}
