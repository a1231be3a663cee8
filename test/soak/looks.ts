import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../shared/domain/digest.ts';
import type { Random } from '../random.ts';
import { type Span, Violation } from './ledger.ts';
import { below, fileOf, partsOf, repositories, versionId, type World } from './world.ts';

type Entry = {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly urls: readonly string[];
};
export type Entries = Readonly<Record<string, readonly Entry[]>>;

/** A download may miss what an index lists, if the version is changed meanwhile; not so often in sequence. */
const LOOKS = 8;

/** An index or the list of the API, held against the ledger. @returns undefined if the read was cut off */
export async function readEntries(
  world: World,
  repository: string,
  from: 'index' | 'list',
): Promise<Entries | undefined> {
  const path = from === 'index' ? `${below(repository)}/index.yaml` : `/api${below(repository)}/charts`;
  const answer = await world.send('GET', path);
  if (answer === undefined || answer === 'unsent') return undefined;
  if (answer.status !== 200) throw new Violation(`${path} was answered ${answer.status} ${answer.body}`);
  const parsed: unknown = JSON.parse(answer.body.toString());
  const entries = from === 'index' ? (parsed as { entries: Entries }).entries : (parsed as Entries);
  const listed = new Map<string, string>();
  for (const { name, version, digest } of Object.values(entries).flat()) {
    const id = versionId(repository, name, version);
    if (listed.has(id)) throw world.ledger.violation(id, `${id} is listed twice in ${path}`);
    listed.set(id, digest);
  }
  checkListed(world, repository, listed, answer.span, path);
  world.figures.indexReads += 1;
  return entries;
}

/** Holds what a reader saw of a repository against the ledger, what it did not see included. */
function checkListed(
  { ledger }: World,
  repository: string,
  listed: ReadonlyMap<string, string>,
  span: Span,
  how: string,
): void {
  const known = ledger.versions.filter((id) => partsOf(id).repository === repository);
  for (const id of new Set([...known, ...listed.keys()])) ledger.observe(id, listed.get(id), span, how);
}

export async function reader(world: World, part: number): Promise<void> {
  await world.repeat(part, async (random) => {
    const repository = random.pick(repositories);
    const entries = await readEntries(world, repository, random.chance(0.8) ? 'index' : 'list');
    const all = Object.values(entries ?? {}).flat();
    for (let n = 0; n < 4 && !world.over; n += 1) {
      const entry = random.pickAny(all);
      if (entry !== undefined) await checkDownload(world, repository, entry, random);
    }
    await sleep(random.below(200));
  });
}

/** What an index lists can be had, with the digest that it lists, or an index read later tells of the change. */
async function checkDownload(world: World, repository: string, entry: Entry, random: Random): Promise<void> {
  const { name, version } = entry;
  const id = versionId(repository, name, version);
  let expected: string | undefined = entry.digest;
  for (let look = 0; look < LOOKS; look += 1) {
    const served = await download(world, id);
    if (served === 'cut off') return;
    if (served.digest === expected) break;
    const entries: Entries | undefined = await readEntries(world, repository, 'index');
    if (entries === undefined) return;
    expected = entries[name]?.find((one) => one.version === version)?.digest;
    if (served.digest === expected) break;
    if (look === LOOKS - 1) {
      throw world.ledger.violation(id, `${id} is listed with ${expected} and served with ${served.digest}`);
    }
  }
  if (random.chance(0.5)) await checkProvenance(world, id);
}

export async function download(
  world: World,
  id: string,
): Promise<{ digest: string | undefined } | 'cut off'> {
  const answer = await world.send('GET', fileOf(id));
  if (answer === undefined || answer === 'unsent') return 'cut off';
  const digest = answer.status === 200 ? digestOf(answer.body) : undefined;
  if (answer.status !== 200 && answer.status !== 404) {
    throw new Violation(`${fileOf(id)} was answered ${answer.status} ${answer.body}`);
  }
  world.ledger.observe(id, digest, answer.span, `a download of ${fileOf(id)}`);
  world.figures.downloads += 1;
  return { digest };
}

/** A provenance file is that of a package which may be there, and is missing only where one without may be. */
export async function checkProvenance(world: World, id: string): Promise<void> {
  const path = `${fileOf(id)}.prov`;
  const answer = await world.send('GET', path);
  if (answer === undefined || answer === 'unsent') return;
  const possible = world.ledger
    .contents(id, answer.span)
    .map((content) => (content === undefined ? undefined : world.provenance.get(content)));
  const explained =
    answer.status === 404
      ? possible.includes(undefined)
      : answer.status === 200 && possible.some((file) => file?.equals(answer.body));
  if (!explained) throw world.ledger.violation(id, `${path} was answered ${answer.status} ${answer.body}`);
}
