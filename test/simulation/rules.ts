/** One rule of the design, taken out: what is replaced where. */
export type Mutant = {
  readonly rule: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

const versions = 'test/store/memory-versions.ts';
const pointers = 'test/store/memory-pointers.ts';
const publish = 'shared/publish.ts';
const reader = 'shared/current-index.ts';
const refresh = 'shared/refresh.ts';
const losses = 'shared/losses.ts';
const inspect = 'shared/inspect-repository.ts';
const lost = 'shared/domain/lost-versions.ts';

// The conditions are those of the stores, whose real ones are held to the same contract as the memory ones.
export const mutants: readonly Mutant[] = [
  {
    rule: 'reserve: no unexpired reservation of another',
    file: versions,
    from: 'if (other && item.pending.expires > now) return false;',
    to: 'void other;',
  },
  {
    rule: 'reserve: no live version',
    file: versions,
    from: 'if (item.live !== undefined && !overwrite) return false;',
    to: '',
  },
  {
    rule: 'commit: the reservation is the one that was put for',
    file: versions,
    from: 'if (item.pending?.key !== key) return false;\n        const { pending, ...rest } = item;\n        const provenance',
    to: 'if (item.pending === undefined) return false;\n        const { pending, ...rest } = item;\n        const provenance',
  },
  {
    rule: 'commit: brings the provenance file of the reservation along',
    file: versions,
    from: 'const provenance = pending.provenance && { provenance: pending.provenance };',
    to: 'const provenance = {};',
  },
  {
    rule: 'commit: marks the version',
    file: versions,
    from: 'unindexed: mark(id),\n          removed: false,',
    to: 'removed: false,',
  },
  {
    rule: 'provenance: not for another package than the live one',
    file: versions,
    from: 'if (item.live !== undefined && item.live.digest !== provenance.package) return false;',
    to: '',
  },
  {
    rule: 'remove: the live package is the one that was read',
    file: versions,
    from: 'if (item.live?.key !== key) return false;',
    to: 'if (item.live === undefined) return false;',
  },
  {
    rule: 'indexed: the token is the one that was read',
    file: versions,
    from: 'if (item === undefined || item.unindexed !== clear.token) return;',
    to: 'if (item === undefined) return;',
  },
  {
    rule: 'indexed: a tombstone goes only if nothing else is there',
    file: versions,
    from: 'if (item.removed && !item.pending && !item.provenance) itemsOf',
    to: 'if (item.removed) itemsOf',
  },
  {
    rule: 'flip: the previous index is still current',
    file: pointers,
    from: 'if (current?.folder !== previous?.folder && !nextIsCurrent) return false;',
    to: 'void nextIsCurrent;',
  },
  {
    rule: 'refresh: marks are cleared after the flip',
    file: refresh,
    from: '  const flip = await makeCurrent(',
    to: '  await inParallel(marks, (mark) => versions.indexed(mark));\n  const flip = await makeCurrent(',
  },
  {
    rule: 'audit: it has the changes before the marks are cleared',
    file: refresh,
    from: `    await inParallel(changes, (change) => audit.put(change));
    await inParallel(marks, (mark) => versions.indexed(mark));`,
    to: `    await inParallel(marks, (mark) => versions.indexed(mark));
    await inParallel(changes, (change) => audit.put(change));`,
  },
  {
    rule: 'audit: a change is added to those that it does not have yet',
    file: versions,
    from: '=> [...changes, change];',
    to: '=> [change, ...changes].slice(0, 1);',
  },
  {
    rule: 'audit: a provenance file marks its version',
    file: versions,
    from: 'return save({ ...item, provenance, changes, unindexed: mark(id) });',
    to: 'return save({ ...item, provenance, changes });',
  },
  {
    rule: 'reader: the marks first, the pointer after them',
    file: reader,
    from: `  const marks: Mark[] = [];
  for await (const mark of versions.marks(repository)) marks.push(mark);
  return { marks, pointer: await pointers.get(repository) };`,
    to: `  const pointer = await pointers.get(repository);
  const marks: Mark[] = [];
  for await (const mark of versions.marks(repository)) marks.push(mark);
  return { marks, pointer };`,
  },
  {
    rule: 'reader: two flips after its first look, not one',
    file: reader,
    from: 'now.pointer.sequence >= first.pointer.sequence + 2',
    to: 'now.pointer.sequence >= first.pointer.sequence + 1',
  },
  {
    rule: 'reader: without a pointer at first, the number says nothing',
    file: reader,
    from: 'if (first.pointer !== undefined && now.pointer.sequence >= first.pointer.sequence + 2)',
    to: 'if (now.pointer.sequence >= (first.pointer?.sequence ?? 0) + 1)',
  },
  {
    rule: 'reader: a replaced token proves nothing about the old one',
    file: reader,
    from: 'const idOf = ({ name, version }: Mark) => `${name}#${version}`;',
    to: 'const idOf = ({ token }: Mark) => token;',
  },
  {
    rule: 'publish: acknowledged after the commit',
    file: publish,
    from: '  if (await versions.commit(id, pending)) return true;',
    to: '  void versions.commit(id, pending).catch(() => {});\n  if (id) return true;',
  },
  {
    rule: 'publish: the package is put last',
    file: publish,
    from: `  const files = gzipSync(JSON.stringify(chart.files));
  await objects.put(filesKey(pending.key), files, { contentType: 'application/gzip' });`,
    to: `  const files = gzipSync(JSON.stringify(chart.files));
  await objects.put(pending.key, bytes, { contentType: 'x' });
  await objects.put(filesKey(pending.key), files, { contentType: 'application/gzip' });`,
  },
  {
    rule: 'publish: the objects are put before the commit',
    file: publish,
    from: '  const files = gzipSync(JSON.stringify(chart.files));',
    to: '  const early = await versions.commit(id, pending);\n  if (early) await objects.put(pending.key, bytes, { contentType: "x" });\n  const files = gzipSync(JSON.stringify(chart.files));\n  if (early) await objects.put(filesKey(pending.key), files, { contentType: "x" });\n  if (early) return true;',
  },
  {
    rule: 'publish: a reservation that was taken over is not acknowledged',
    file: publish,
    from: '  if (clock.now() < pending.expires) return true;\n',
    to: '  if (clock.now() > 0) return true;\n',
  },
  {
    rule: 'keys: each reservation has one of its own',
    file: 'shared/domain/object-keys.ts',
    from: 'return `${versionFolder(id)}${digest}-${reservation}.tgz`;',
    to: 'return `${versionFolder(id)}${digest}-${reservation && "x"}.tgz`;',
  },
  {
    rule: 'delete: the item first, then its objects',
    file: 'shared/delete.ts',
    from: '  if (!(await versions.remove(id, key, { now, change }))) return false;',
    to: '  await objects.remove([key]);\n  if (!(await versions.remove(id, key, { now, change }))) return false;',
  },
  {
    rule: 'events: commit only where the package is there',
    file: 'shared/handle-object-events.ts',
    from: 'if (item?.pending?.key === key && (await objects.exists(key)))',
    to: 'if (item?.pending !== undefined)',
  },
  {
    rule: 'reconciliation: nothing is removed before the grace is over',
    file: 'shared/domain/leftovers.ts',
    from: 'const isOld = (modified: number, now: number) => now - modified > GRACE_MS;',
    to: 'const isOld = (modified: number, now: number) => now - modified >= 0;',
  },
  {
    rule: 'superseded: a replaced index stays for who was sent to it',
    file: 'shared/domain/flips.ts',
    from: 'flips.findLastIndex(({ at }) => now - at > REPLACED_KEPT_MS);',
    to: 'flips.findLastIndex(({ at }) => now - at >= 0);',
  },
  {
    rule: 'reconciliation: a reservation ends by its package, not by its age alone',
    file: 'shared/mend.ts',
    from: 'await (found ? versions.commit(id, pending) : versions.abandon(id, pending.key));',
    to: 'await (found === undefined ? versions.abandon(id, pending.key) : versions.commit(id, pending));',
  },
  {
    rule: 'reconciliation: a difference counts only while the index stays current',
    file: inspect,
    from: 'if (again?.folder !== pointer?.folder) continue;',
    to: 'void again;',
  },
  {
    rule: 'loss: a tombstone stands for a version that an index still lists',
    file: lost,
    from: 'if (live === undefined) return !removed;',
    to: 'if (live === undefined) return true;',
  },
  {
    rule: 'loss: a reservation or a waiting provenance file does not',
    file: lost,
    from: 'if (live === undefined) return !removed;',
    to: 'if (live === undefined) return !known.has(version);',
  },
  {
    rule: 'loss: an index is compared with the one before it, by name',
    file: losses,
    from: 'listing: joinListings([...(before ? [before] : []), heldListing(told), ...others]),',
    to: 'listing: joinListings([heldListing(told), ...others]),',
  },
  {
    rule: 'loss: what is not back is carried on from index to index',
    file: refresh,
    from: 'const list = lost === undefined ? pointer?.lost : lost.size > 0 ? folder : undefined;',
    to: 'const list = lost !== undefined && lost.size > 0 ? folder : undefined;',
  },
  {
    rule: 'loss: the package of a lost version is no leftover',
    file: inspect,
    from: 'const isClaimed = this.#tableIsWhole && isCounted && !forgotten.has(folder);',
    to: 'const isClaimed = this.#tableIsWhole || forgotten.has(folder);',
  },
  {
    rule: 'loss: of several indexes that may have been current all count',
    file: 'shared/published-index.ts',
    from: 'isDoubtful: !states.every((state) => state.has(stateOf(listed))),',
    to: 'isDoubtful: states.length === 0,',
  },
  {
    rule: 'loss: a package comes back only if it was published at the listed instant',
    file: inspect,
    from: "if ((await objects.head(key))?.metadata['created'] !== created) others.add(key);",
    to: 'if (created === key) others.add(key);',
  },
  {
    rule: 'lost pointer: an index that is begun without one says so',
    file: refresh,
    from: '(isFirst ? firstIndexFolder : indexFolder)(repository, sequence, newId())',
    to: '(isFirst ? indexFolder : indexFolder)(repository, sequence, newId())',
  },
  {
    rule: 'newest versions: an index is spliced with the number that it was made with',
    file: refresh,
    from: 'const { perChart: newest = 0 } = pointer;',
    to: 'const { indexVersionsPerChart: newest } = await dependencies.settingsOf(repository);',
  },
  {
    rule: 'newest versions: another number is found without being asked for',
    file: 'shared/versions-in-index.ts',
    from: 'return perChart === (await settingsOf(repository)).indexVersionsPerChart;',
    to: 'return perChart >= 0 || (await settingsOf(repository)).indexVersionsPerChart > 0;',
  },
  {
    rule: 'newest versions: an inspection expects as many as the index was made with',
    file: inspect,
    from: 'newest: pointer?.perChart',
    to: 'newest: pointer === undefined ? 0 : 0',
  },
];

/**
 * The source of a mutant's file without its rule.
 *
 * @throws if the rule is not there, or is there more than once
 */
export function without({ file, from, to }: Mutant, source: string): string {
  if (source.split(from).length !== 2) throw new Error(`${file}: not there once: ${from}`);
  return source.replace(from, () => to);
}
