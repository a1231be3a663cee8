import type { VersionId } from '../../shared/domain/object-keys.ts';
import type { VersionItem } from '../../shared/store/version-store.ts';
import { hold } from './promises.ts';
import { isExplained, type Operation } from './register.ts';

/** What somebody asked about one version, while it may still be answered. */
export type Asked = { -readonly [Key in keyof Operation]: Operation[Key] };

/** An acknowledged or attempted provenance file. */
type Signing = {
  readonly start: number;
  end: number;
  readonly package: string;
  acknowledged: boolean;
  /** The publish that brings it, where one does. */
  readonly by?: Asked;
};

export const nameOf = ({ repository, name, version }: VersionId) => `${repository}/${name} ${version}`;

/** All that was asked about versions, and answered. */
export class Ledger {
  readonly #step: () => number;
  readonly #asked = new Map<VersionId, Asked[]>();
  /** Who changes what is live, or may have. */
  readonly #changes = new Map<VersionId, Set<Asked>>();
  readonly #signings = new Map<VersionId, Signing[]>();

  /** @param step of the history */
  constructor(step: () => number) {
    this.#step = step;
  }

  ask(id: VersionId, what: string, effect: Operation['effect'], start = this.#step()): Asked {
    const asked: Asked = { what, start, end: Number.POSITIVE_INFINITY, certain: false, effect };
    this.#asked.set(id, [...(this.#asked.get(id) ?? []), asked]);
    return asked;
  }

  changesOf(id: VersionId): Set<Asked> {
    const changes = this.#changes.get(id) ?? new Set();
    this.#changes.set(id, changes);
    return changes;
  }

  beginSigning(id: VersionId, digest: string, by?: Asked): Signing {
    const signing: Signing = {
      start: this.#step(),
      end: Number.POSITIVE_INFINITY,
      package: digest,
      acknowledged: false,
      ...(by && { by }),
    };
    this.#signings.set(id, [...(this.#signings.get(id) ?? []), signing]);
    return signing;
  }

  /** Holds what was answered about a version to the order that must explain it, and to what is there now. */
  check(id: VersionId, item: VersionItem | undefined): void {
    const asked = this.#asked.get(id) ?? [];
    hold('every answer can be explained', isExplained(asked), story(asked));
    this.#checkSignings(id, item);
  }

  /** A provenance file that was acknowledged is served with its package, unless something took its place. */
  #checkSignings(id: VersionId, item: VersionItem | undefined): void {
    const signings = this.#signings.get(id) ?? [];
    for (const { start, package: digest, acknowledged, by } of signings) {
      if (!acknowledged || item?.live?.digest !== digest) continue;
      const others = signings.filter((other) => other.package !== digest && other.end >= start);
      const changes = [...this.changesOf(id)].filter((change) => change !== by && change.end >= start);
      // One that came with its package is replaced by none that is for another, while that package is live.
      if (changes.length > 0 || (by === undefined && others.length > 0)) continue;
      hold('an acknowledged provenance file stays', item.provenance?.package === digest, nameOf(id));
    }
  }
}

function story(asked: readonly Asked[]): string {
  const lines = asked.map(
    ({ what, start, end, certain }) => `${what} [${start}, ${end}]${certain ? '' : ' not answered'}`,
  );
  return `\n  ${lines.join('\n  ')}`;
}
