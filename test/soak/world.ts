import { type Random, randomFrom } from '../random.ts';
import { Ledger, type Span, Violation } from './ledger.ts';
import type { Runner } from './runner.ts';

/** Repositories of depth 0 to 3. */
export const repositories = ['', 'org', 'org/team/charts-of-it'];

// Longer than the runner's own limits: who waits longer than this waits for ever.
const ANSWER_PATIENCE_MS = 60_000;

export type Figures = Record<
  | 'published'
  | 'refused'
  | 'cutOff'
  | 'overwritten'
  | 'deleted'
  | 'indexReads'
  | 'downloads'
  | 'helmRuns'
  | 'helmRunsCutOff'
  | 'kills'
  | 'killsWhileStarting',
  number
>;

type Answer = { readonly status: number; readonly body: Buffer; readonly span: Span };

/** What all who take part know. */
export class World {
  readonly ledger = new Ledger();
  /** What a package was published with: digest of it → provenance file. */
  readonly provenance = new Map<string, Buffer>();
  readonly figures: Figures = {
    published: 0,
    refused: 0,
    cutOff: 0,
    overwritten: 0,
    deleted: 0,
    indexReads: 0,
    downloads: 0,
    helmRuns: 0,
    helmRunsCutOff: 0,
    kills: 0,
    killsWhileStarting: 0,
  };
  /** Called once, at the next acknowledgement. */
  onAcknowledgement: (() => void) | undefined;
  /** The first promise that did not hold, or what else went wrong. */
  trouble: unknown;
  over = false;

  readonly runner: Runner;
  readonly seed: number;

  constructor(runner: Runner, seed: number) {
    this.runner = runner;
    this.seed = seed;
  }

  /** Runs a part again and again until the soak is over or something is wrong. */
  async repeat(part: number, turn: (random: Random) => Promise<void>): Promise<void> {
    const random = randomFrom(this.seed * 1_000 + part);
    try {
      while (!this.over) {
        await Promise.race([this.runner.up(), this.ended]);
        if (!this.over) await turn(random);
      }
    } catch (error) {
      this.end(error);
    }
  }

  #signalEnd = () => {};
  readonly ended = new Promise<void>((resolve) => {
    this.#signalEnd = resolve;
  });

  end(trouble?: unknown): void {
    this.trouble ??= trouble;
    this.over = true;
    this.#signalEnd();
  }

  acknowledged(): void {
    const kill = this.onAcknowledgement;
    this.onAcknowledgement = undefined;
    kill?.();
  }

  /**
   * Sends a request, redirects followed.
   *
   * @returns undefined if it was cut off; 'unsent' if it never reached the runner
   * @throws Violation if a runner that ran all the while did not answer, or answered with a fault of its own
   */
  async send(method: string, path: string, body?: Buffer | FormData): Promise<Answer | 'unsent' | undefined> {
    const start = performance.now();
    const signal = AbortSignal.timeout(ANSWER_PATIENCE_MS);
    try {
      const response = await fetch(`${this.runner.url}${path}`, {
        method,
        signal,
        ...(body && { body: sendable(body) }),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      const span = { start, end: performance.now() };
      if (response.status < 500) return { status: response.status, body: bytes, span };
      this.#mustBeDisturbed(span, `${method} ${path} was answered ${response.status} ${bytes}`);
    } catch (error) {
      if (error instanceof Violation) throw error;
      this.#mustBeDisturbed(
        { start, end: performance.now() },
        `${method} ${path} was not answered: ${why(error)}`,
      );
      if (why(error).includes('ECONNREFUSED')) return 'unsent';
    }
    return undefined;
  }

  #mustBeDisturbed(span: Span, message: string): void {
    if (this.runner.undisturbed(span)) throw new Violation(`${message}, and the runner ran all the while`);
  }
}

const sendable = (body: Buffer | FormData) => (body instanceof FormData ? body : new Uint8Array(body));

const why = (error: unknown): string =>
  error instanceof Error
    ? `${error.message} ${error.cause instanceof Error ? `${error.cause.message} ${'code' in error.cause ? error.cause.code : ''}` : ''}`
    : String(error);

/** A version's name in the ledger. */
export const versionId = (repository: string, name: string, version: string) =>
  `${repository}|${name}|${version}`;

export function partsOf(id: string) {
  const [repository = '', name = '', version = ''] = id.split('|');
  return { repository, name, version };
}

export const below = (repository: string) => (repository === '' ? '' : `/${repository}`);

export const fileOf = (id: string) => {
  const { repository, name, version } = partsOf(id);
  return `${below(repository)}/charts/${name}-${version}.tgz`;
};
