import type { VersionId } from '../../shared/domain/object-keys.ts';
import type { Repository } from '../../shared/domain/repository.ts';
import { type Finding, isDamage } from '../../shared/findings.ts';
import type { Notice } from '../../shared/refresh.ts';
import { type RepairReport, repair } from '../../shared/repair.ts';
import type { Random } from '../random.ts';
import { nameOf } from './ledger.ts';
import { hold } from './promises.ts';
import type { World } from './world.ts';

/** What a history loses; never items and indexes, since one is all that is left of the other. */
export type Loss = 'nothing' | 'items' | 'pointer' | 'items and pointer' | 'index';

/** What befell the stores of one history, and what may be told of it. */
export class Losses {
  readonly #world: World;
  readonly kind: Loss;
  /** The packages of the versions whose items were lost. */
  readonly #items = new Map<VersionId, string>();
  /** Those that were published again since: what was lost must never come back. */
  readonly #replaced = new Set<VersionId>();
  readonly #indexes = new Set<string>();
  #pointers = 0;

  constructor(world: World, kind: Loss) {
    this.#world = world;
    this.kind = kind;
  }

  get happened(): boolean {
    return this.#items.size + this.#indexes.size + this.#pointers > 0;
  }

  /** Something is gone from now on. @returns what, if there was anything to lose */
  strike(random: Random, ids: readonly VersionId[]): string | undefined {
    const { repository } = random.pick(ids);
    const pointer = this.#world.pointers.look(repository);
    if (pointer === undefined || this.kind === 'nothing') return undefined;
    const kind = this.kind === 'items and pointer' ? random.pick(['items', 'pointer'] as const) : this.kind;
    if (kind === 'items') return this.#loseItems(random, ids, repository);
    if (kind === 'pointer') {
      // Twice, and nobody knows which of two indexes was current.
      if (this.#pointers > 0) return undefined;
      this.#pointers += 1;
      this.#world.pointers.lose(repository);
      return `the pointer of ${repository}/`;
    }
    this.#indexes.add(pointer.folder);
    const files = random.pick([['index.yaml'], ['ranges.json'], ['index.yaml', 'ranges.json']]);
    for (const file of files) this.#world.objects.lose(`${pointer.folder}${file}`);
    return `${files.join(', ')} of ${pointer.folder}`;
  }

  /** Of a version that no index lists yet only the package is left, and no rule can tell it from an upload. */
  #loseItems(random: Random, ids: readonly VersionId[], repository: Repository): string | undefined {
    const lost: string[] = [];
    for (const id of ids.filter((each) => each.repository === repository && random.chance(0.7))) {
      const item = this.#itemOf(id);
      if (item?.live === undefined || item.unindexed !== undefined || this.isLost(id)) continue;
      this.#items.set(id, item.live.key);
      this.#world.versions.lose(id);
      lost.push(nameOf(id));
    }
    return lost.length === 0 ? undefined : lost.join(', ');
  }

  /** Whether the answers about a version prove nothing any more. */
  isLost(id: VersionId): boolean {
    return this.#items.has(id);
  }

  isIndexLost(folder: string | undefined): boolean {
    return folder !== undefined && this.#indexes.has(folder);
  }

  /** Whether a finding tells of what was lost here. */
  explains(finding: Finding): boolean {
    const [items, pointer] = [this.#items.size > 0, this.#pointers > 0];
    switch (finding.kind) {
      case 'version_lost': {
        // Without a pointer, what was deleted between two indexes of one sequence may have been lost as well.
        if (pointer && finding.isDoubtful) return true;
        return [...this.#items.keys()].some((id) => nameOf(id) === nameOf(finding));
      }
      case 'index_differs':
        return items;
      case 'index_shrank':
        return items || pointer;
      case 'pointer_lost':
        return pointer;
      case 'pointer_behind':
        // Somebody who had begun before there was a pointer may make one after it was lost: it counts from the start.
        return pointer;
      case 'index_lost':
        return this.#indexes.size > 0;
      default:
        return false;
    }
  }

  /** Whether an alarm tells of what was lost here. */
  explainsNotice({ kind }: Notice): boolean {
    return (
      (kind === 'index_shrank' && this.#items.size + this.#pointers > 0) ||
      (kind === 'pointer_lost' && this.#pointers > 0)
    );
  }

  /** What holds at every instant. */
  checkAlways(): void {
    for (const [id, key] of this.#items) {
      const live = this.#itemOf(id)?.live;
      if (live === undefined) continue;
      if (live.key !== key) this.#replaced.add(id);
      else
        hold(
          'what was published again does not give way to what was lost',
          !this.#replaced.has(id),
          nameOf(id),
        );
    }
  }

  /** Every lost version is named, with its package, however often reconciliation came; and comes back. */
  async checkEnd(): Promise<void> {
    const waiting = [...this.#items].filter(([id]) => !this.#replaced.has(id));
    const before = await repair(this.#world, { dryRun: true });
    for (const [id, key] of waiting) {
      hold('a lost version keeps its package', this.#world.objects.objects.has(key), nameOf(id));
      hold('a lost version is named', this.#itemOf(id)?.live !== undefined || names(before, id), nameOf(id));
    }
    const { findings } = await repair(this.#world, { dryRun: false });
    // Somebody decides that what is doubtful was deleted.
    const decided = new Set<string>();
    for (const finding of findings) {
      if (finding.kind !== 'version_lost' || !finding.isDoubtful) continue;
      decided.add(nameOf(finding));
      for (const key of finding.keys) this.#world.objects.lose(key);
    }
    if (decided.size > 0) await repair(this.#world, { dryRun: false });
    for (const [id, key] of waiting) {
      const isBack = this.#itemOf(id)?.live?.key === key;
      hold('a lost version comes back', isBack || decided.has(nameOf(id)), nameOf(id));
    }
    const after = await repair(this.#world, { dryRun: true });
    hold('after a repair nothing is wrong', after.healthy, JSON.stringify(after.findings.find(isDamage)));
  }

  #itemOf(id: VersionId) {
    return this.#world.versions.items().find((item) => nameOf(item) === nameOf(id));
  }
}

function names({ healthy, findings }: RepairReport, id: VersionId): boolean {
  const isNamed = findings.some(
    (finding) =>
      finding.kind === 'version_lost' && finding.package === 'there' && nameOf(finding) === nameOf(id),
  );
  return !healthy && isNamed;
}
