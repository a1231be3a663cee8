import { settingsFingerprint } from './domain/entry.ts';
import { Fault } from './domain/fault.ts';
import { rebuildRequestKey } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import { hasVersions } from './has-versions.ts';
import { loadRefresh } from './load-refresh.ts';
import type { IndexDependencies, RefreshOutcome } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';
import type { Mark } from './store/version-store.ts';
import { underLease } from './under-lease.ts';

// API Gateway cuts a request off after 30 s; 20 s leave room for the answer and a client's own timeout.
const PATIENCE_MS = 20_000;

// About as long as a refresh of a large index takes. One that takes longer only shares its work with another;
// a holder that died delays the others no longer than this.
const LEASE_MS = 2_000;

// How far apart refreshes begin while many publish at once: at 50 publishes a second each takes a dozen along. A large
// index takes about as long by itself, so that its readers, whose wait is the longest, hardly wait for more.
const GATHER_MS = 250;

// Reading this many items takes well under a second; larger repositories are rebuilt by the indexer.
const REBUILD_IN_REQUEST = 1_000;

/** What a reader knows: the marks first, the pointer after them. */
type Look = { readonly marks: readonly Mark[]; readonly pointer: Pointer | undefined };

/**
 * Finds the index that holds everything acknowledged before the call, making it first if need be.
 *
 * The marks are read before the pointer, by two strong reads in sequence: whatever was marked before the
 * call is seen as a mark, or was cleared after an index that holds it became current, which the pointer
 * then shows.
 *
 * @param rebuildAtMost how many versions may be read when the index must be built from all of them; with
 *   more, the indexer is asked to do it
 * @param deadline until when it is waited for others, in milliseconds since 1970; 20 s from now unless it is said
 * @returns undefined if nothing was ever published to the repository
 * @throws Fault `try_again` if it takes longer than 20 s
 */
export async function currentIndex(
  dependencies: IndexDependencies,
  repository: Repository,
  {
    rebuildAtMost = REBUILD_IN_REQUEST,
    deadline = dependencies.clock.now() + PATIENCE_MS,
  }: { rebuildAtMost?: number; deadline?: number } = {},
): Promise<Pointer | undefined> {
  const { clock } = dependencies;
  const first = await look(dependencies, repository);
  if (isCurrent(first, dependencies)) return first.pointer;
  // Nobody need take the lease, or wait for who has it, to find that nothing is there.
  const isNew = first.marks.length === 0 && first.pointer === undefined;
  if (isNew && !(await hasVersions(dependencies, repository))) return undefined;

  let rebuildAsked = false;
  let base = first.pointer;
  let now = first;
  let gatheredAt: string | undefined;
  for (let attempt = 0; ; ) {
    // Once for each pointer, whatever the clocks say: while it stands this reader refreshes, and two flips cover it.
    const gathering = now.pointer?.folder === gatheredAt ? 0 : gatherFor(now, clock.now());
    gatheredAt = now.pointer?.folder;
    if (gathering > 0) await clock.sleep(gathering);
    const outcome: Attempt =
      gathering > 0 ? { kind: 'gathered' } : await refreshUnderLease(dependencies, repository, rebuildAtMost);
    if (outcome.kind === 'refreshed') return outcome.pointer;
    if (outcome.kind === 'empty') return undefined;
    if (outcome.kind === 'too_large_to_rebuild' && !rebuildAsked) {
      await askForRebuild(dependencies, repository);
      rebuildAsked = true;
    }
    now = await look(dependencies, repository);
    if (isCurrent(now, dependencies) || covers(now, { marks: first.marks, pointer: base }, dependencies)) {
      return now.pointer;
    }
    base ??= now.pointer;
    if (clock.now() > deadline) {
      throw new Fault('try_again', 'the index is being brought up to date: try again in a few seconds', {
        retryAfterSeconds: 5,
      });
    }
    if (outcome.kind === 'unchanged' || outcome.kind === 'gathered') continue;
    await clock.sleep(Math.min(50 * 1.5 ** attempt, 200));
    attempt += 1;
  }
}

/**
 * How long to wait for what others are publishing, so that one refresh takes it along. Whoever publishes one version
 * after the other and reads in between is not kept waiting.
 */
function gatherFor({ marks, pointer }: Look, now: number): number {
  const last = pointer?.flips.at(-1);
  if (last === undefined || Math.max(last.marks, marks.length) < 2) return 0;
  return Math.min(Math.max(last.began + GATHER_MS - now, 0), GATHER_MS);
}

/**
 * Reads something of the current index, once more where the index was replaced and removed meanwhile.
 *
 * @param read gets undefined if nothing was ever published; gives undefined if the index is not there
 * @throws Fault `try_again` if it is lost, or cannot be brought up to date
 */
export async function readCurrent<Value>(
  dependencies: IndexDependencies,
  repository: Repository,
  read: (pointer: Pointer | undefined) => Promise<Value | undefined>,
): Promise<Value> {
  let missing: string | undefined;
  for (;;) {
    const pointer = await currentIndex(dependencies, repository);
    const value = await read(pointer);
    if (value !== undefined) return value;
    if (missing === pointer?.folder) break;
    missing = pointer?.folder;
  }
  throw await rebuilding(dependencies, repository);
}

/** Asks for a rebuild of an index that is lost, and says so. */
export async function rebuilding(dependencies: IndexDependencies, repository: Repository): Promise<Fault> {
  await askForRebuild(dependencies, repository);
  return new Fault('try_again', 'the index is being rebuilt: try again in a few seconds', {
    retryAfterSeconds: 5,
  });
}

/** An object in the inbox: its event makes the indexer rebuild, outside of any request. */
export async function askForRebuild(
  { objects }: { readonly objects: Pick<ObjectStore, 'put'> },
  repository: Repository,
): Promise<void> {
  await objects.put(rebuildRequestKey(repository), new Uint8Array(), { contentType: 'text/plain' });
}

async function look({ versions, pointers }: IndexDependencies, repository: Repository): Promise<Look> {
  const marks: Mark[] = [];
  for await (const mark of versions.marks(repository)) marks.push(mark);
  return { marks, pointer: await pointers.get(repository) };
}

function isCurrent({ marks, pointer }: Look, dependencies: IndexDependencies): boolean {
  return marks.length === 0 && hasSettings(pointer, dependencies);
}

const hasSettings = (pointer: Pointer | undefined, { settings }: IndexDependencies): pointer is Pointer =>
  pointer?.settings === settingsFingerprint(settings);

/**
 * Whether the index seen now holds all that was marked at the first look: none of those versions is marked
 * any more, or a refresh that read its marks after the first look was flipped. A flip from n to n + 1 read
 * its marks while n was current, so two flips after the first look suffice and one does not. Without a
 * pointer to count from the number says nothing: where one was lost, the count goes on from the newest
 * index that is found. A version whose token was replaced still counts as marked: a new token proves nothing about the old one.
 */
function covers(now: Look, first: Look, dependencies: IndexDependencies): boolean {
  if (!hasSettings(now.pointer, dependencies)) return false;
  if (first.pointer !== undefined && now.pointer.sequence >= first.pointer.sequence + 2) return true;
  const idOf = ({ name, version }: Mark) => `${name}#${version}`;
  const marked = new Set(now.marks.map(idOf));
  return !first.marks.some((mark) => marked.has(idOf(mark)));
}

type Attempt = RefreshOutcome | { readonly kind: 'busy' | 'gathered' };

/** One refresh for many readers: who does not get the lease looks again a little later. */
async function refreshUnderLease(
  dependencies: IndexDependencies,
  repository: Repository,
  rebuildAtMost: number,
): Promise<Attempt> {
  // Most readers find an index that is current. Before the lease, so that nobody waits for it.
  const { refreshIndex } = await loadRefresh();
  return await underLease(dependencies, repository, { lease: 'refresh', milliseconds: LEASE_MS }, () =>
    refreshIndex(dependencies, repository, { rebuildAtMost }),
  );
}
