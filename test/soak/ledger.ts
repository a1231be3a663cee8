/** A promise that did not hold. */
export class Violation extends Error {}

/** From when to when something took place, by one clock. */
export type Span = { readonly start: number; readonly end: number };

/** SHA-256 of the package that a version has; undefined where there is none. */
export type Content = string | undefined;

type Change = {
  readonly kind: 'publish' | 'overwrite' | 'delete';
  readonly content: Content;
  readonly start: number;
  /** Infinite while it may still take effect. */
  end: number;
  /** Acknowledged; else it may or may not have taken effect, now or later. */
  acknowledged: boolean;
};

/** A change under way; exactly one of its ends is called. */
export type OpenChange = {
  acknowledged(end: number): void;
  /** It took no effect and will not. */
  refused(): void;
  /** Its answer is not known. @param lastEffect when it can take effect no more */
  cutOff(lastEffect: number): void;
};

/**
 * What was asked of each version, when, and how it was answered. A version is a register, and whatever was seen of
 * it must be what some change left there that no later acknowledged change had replaced before the look began.
 */
export class Ledger {
  readonly #changes = new Map<string, Change[]>();

  get versions(): readonly string[] {
    return [...this.#changes.keys()];
  }

  begin(version: string, kind: Change['kind'], content: Content, start: number): OpenChange {
    const changes = this.#changes.get(version) ?? [];
    this.#changes.set(version, changes);
    const change: Change = { kind, content, start, end: Number.POSITIVE_INFINITY, acknowledged: false };
    changes.push(change);
    return {
      acknowledged: (end) => {
        change.end = end;
        change.acknowledged = true;
        if (kind === 'publish') this.#checkCompetitors(version, change);
      },
      refused: () => void changes.splice(changes.indexOf(change), 1),
      cutOff: (lastEffect) => {
        change.end = lastEffect;
      },
    };
  }

  /** Whether a reader between these times may find this. */
  admits(version: string, content: Content, span: Span): boolean {
    return this.contents(version, span).includes(content);
  }

  /** All that a reader between these times may find. */
  contents(version: string, { start, end }: Span): readonly Content[] {
    const changes = this.#changes.get(version) ?? [];
    const never = { content: undefined, start: Number.NEGATIVE_INFINITY, end: Number.NEGATIVE_INFINITY };
    // Of the acknowledged changes that ended before the look, whatever ended before the last of them began is over.
    const over = Math.max(
      Number.NEGATIVE_INFINITY,
      ...changes.filter((one) => one.acknowledged && one.end < start).map((one) => one.start),
    );
    return [never, ...changes]
      .filter((one) => one.start <= end && one.end >= over)
      .map(({ content }) => content);
  }

  /** @throws Violation if nothing explains what was seen */
  observe(version: string, content: Content, span: Span, how: string): void {
    if (!this.admits(version, content, span)) {
      const saw = content === undefined ? 'is not there' : `has ${content}`;
      throw this.violation(version, `${version} ${saw} in ${how}, from ${show(span)}`);
    }
    this.#narrow(version, content, span);
  }

  violation(version: string, message: string): Violation {
    const history = (this.#changes.get(version) ?? []).map(
      (one) =>
        `  ${one.kind} ${one.content ?? ''} ${show(one)} ${one.acknowledged ? 'acknowledged' : 'not acknowledged'}`,
    );
    return new Violation(`${message}; asked of it was\n${history.join('\n') || '  nothing'}`);
  }

  /** A change whose answer is not known, and whose content was seen, has taken effect by then. */
  #narrow(version: string, content: Content, { end }: Span): void {
    if (content === undefined) return;
    const causes = (this.#changes.get(version) ?? []).filter(
      (one) => one.content === content && one.start <= end,
    );
    const [cause] = causes;
    if (cause !== undefined && causes.length === 1) cause.end = Math.min(cause.end, end);
  }

  /** Of two publishes without force that were both acknowledged, the later one needs a delete between them. */
  #checkCompetitors(version: string, winner: Change): void {
    const changes = this.#changes.get(version) ?? [];
    for (const other of changes) {
      if (other === winner || other.kind !== 'publish' || !other.acknowledged) continue;
      const from = Math.min(winner.start, other.start);
      const to = Math.max(winner.end, other.end);
      const between = changes.some(({ kind, start, end }) => kind === 'delete' && start < to && end > from);
      if (!between) throw this.violation(version, `two publishes of ${version} were acknowledged`);
    }
  }
}

const show = ({ start, end }: Span) => `${start.toFixed(1)} to ${end.toFixed(1)} ms`;
