import type { Client } from './http.ts';

type Verdict = 'ok' | 'differs' | 'not tried';

/** What a check saw. */
export type Seen = { readonly verdict: Verdict; readonly seen: string };

/** What all checks know. */
export type Probe = {
  readonly client: Client;
  /** Whether the Chartroom asks who calls. */
  readonly closed: boolean;
  readonly repository: string;
  /** Publishes a small package of a version that nobody has. */
  publish(shape?: Shape, sent?: Published): Promise<Package>;
  /** A name to be deleted at the end, for what is not published by {@link Probe.publish}. */
  willPublish(name: string): void;
};

export type Shape = {
  readonly name?: string;
  readonly description?: string;
  /** What follows the three numbers of the version. @default nothing */
  readonly metadata?: '+build';
};
export type Published = {
  readonly type?: string | undefined;
  readonly chunked?: true;
  /** Whether it is sent as a file of a form. @default false: the package is the body */
  readonly form?: true;
};

/** A package, and what became of it. */
export type Package = {
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
  readonly digest: string;
  readonly status: number;
  readonly error: string;
};

export type Check = {
  readonly name: string;
  /** What the documents say, and the tests on a developer's computer show. */
  readonly expected: string;
  look(probe: Probe): Promise<Seen>;
};

export const notTried = (why: string): Seen => ({ verdict: 'not tried', seen: why });

/** As expected where nothing speaks against it; else, what does. */
export const judged = (isAsExpected: boolean, seen: string): Seen => ({
  verdict: isAsExpected ? 'ok' : 'differs',
  seen,
});
