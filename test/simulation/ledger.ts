import type { AuditedChange } from '../../shared/domain/audit.ts';
import type { VersionId } from '../../shared/domain/object-keys.ts';
import type { VersionItem } from '../../shared/store/version-store.ts';
import { hold } from './promises.ts';
import { impossible, isExplained, type Operation } from './register.ts';

/** What somebody asked about one version, while it may still be answered. */
export type Asked = { -readonly [Key in keyof Operation]: Operation[Key] } & {
  /** Where it may have changed something. */
  readonly change?: Request | undefined;
};

/** A request that changes something, by the name that the audit tells it by. */
export type Request = {
  readonly id: string;
  /** Of what it brings; a delete brings nothing. */
  readonly digest?: string;
  /** Whether somebody else may have done what it was told is done: the same bytes, or a delete. */
  readonly isShared: boolean;
  answer: string;
};

/** An acknowledged or attempted provenance file. */
type Signing = {
  readonly start: number;
  end: number;
  readonly package: string;
  acknowledged: boolean;
  /** None for one that comes with its package. */
  readonly request?: Request;
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

  ask(
    id: VersionId,
    what: string,
    effect: Operation['effect'],
    { start = this.#step(), change }: { readonly start?: number; readonly change?: Request } = {},
  ): Asked {
    const asked: Asked = { what, start, end: Number.POSITIVE_INFINITY, certain: false, effect, change };
    this.#asked.set(id, [...(this.#asked.get(id) ?? []), asked]);
    return asked;
  }

  changesOf(id: VersionId): Set<Asked> {
    const changes = this.#changes.get(id) ?? new Set();
    this.#changes.set(id, changes);
    return changes;
  }

  beginSigning(
    id: VersionId,
    digest: string,
    { by, request }: { readonly by?: Asked; readonly request?: Request },
  ): Signing {
    const signing: Signing = {
      start: this.#step(),
      end: Number.POSITIVE_INFINITY,
      package: digest,
      acknowledged: false,
      ...(by && { by }),
      ...(request && { request }),
    };
    this.#signings.set(id, [...(this.#signings.get(id) ?? []), signing]);
    return signing;
  }

  /** Holds the audit of a version to what was asked: from now on what it tells happened, and nothing else did. */
  hear(id: VersionId, changes: readonly AuditedChange[]): void {
    const toldOf = (request: Request) => {
      const told = changes.filter(({ by }) => by.requestId === request.id);
      const isRefused = !['done', 'unknown'].includes(request.answer);
      const most = isRefused ? 0 : 1;
      const least = request.answer === 'done' && !request.isShared ? 1 : 0;
      const detail = `${nameOf(id)}, ${request.id} ${request.answer}: ${JSON.stringify(told)}`;
      hold('the audit has a change once, and nothing that was refused', told.length <= most, detail);
      hold('what was acknowledged is in the audit', told.length >= least, detail);
      return told[0];
    };
    const asked = this.#asked.get(id) ?? [];
    for (const each of asked) if (each.change) tellBy(each, each.change, toldOf(each.change));
    const signings = (this.#signings.get(id) ?? []).flatMap(({ request }) => request ?? []);
    for (const request of signings) {
      const told = toldOf(request);
      const isRight = told === undefined || ('digest' in told && told.digest === request.digest);
      hold('the audit has the digest of a provenance file', isRight, JSON.stringify(told));
    }
    const known = new Set(
      [...asked.flatMap(({ change }) => change ?? []), ...signings].map((each) => each.id),
    );
    const stray = changes.find(({ by }) => !known.has(by.requestId ?? ''));
    hold('the audit tells of nothing that nobody asked for', stray === undefined, JSON.stringify(stray));
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

/** Makes a change what the audit tells of it: what it met, and what it left. */
function tellBy(asked: Asked, request: Request, told: AuditedChange | undefined): void {
  const { digest } = request;
  if (told === undefined) {
    if (request.answer === 'done') asked.effect = (state) => (state === digest ? state : impossible);
    if (request.answer === 'unknown') asked.effect = () => impossible;
    return;
  }
  const { digest: came, was } = told as { readonly digest?: string; readonly was?: string };
  hold('the audit has the digest of what came', came === digest, JSON.stringify(told));
  asked.certain = true;
  const { effect } = asked;
  asked.effect = (state) => (state === was ? effect(state) : impossible);
}

function story(asked: readonly Asked[]): string {
  const lines = asked.map(
    ({ what, start, end, certain }) => `${what} [${start}, ${end}]${certain ? '' : ' not answered'}`,
  );
  return `\n  ${lines.join('\n  ')}`;
}
