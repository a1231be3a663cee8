import { FileStretch } from './file-stretch.ts';
import { type Caller, Refusal } from './sigv4.ts';

/** One call to a store. */
export type StoreCall = {
  readonly service: 's3' | 'dynamodb';
  /** AWS's name of it, `PutObject` or `UpdateItem`. */
  readonly operation: string;
  /** Logical id of the function that makes it. */
  readonly caller: string;
  /** The S3 key it is about. */
  readonly key?: string;
};

/** What befalls a call: an error to the caller, or the caller's end, before or after it took effect. */
export type Fate = 'pass' | 'fail-before' | 'fail-after' | 'kill-before' | 'kill-after';

export type Faults = {
  decide(call: StoreCall): Fate;
  /** Ends the execution environment that made the call. */
  kill(environment: string): Promise<void>;
};

/** The caller is gone: there is nobody to answer. */
export class CallerEnded extends Error {}

/** Applies a call with whatever fate a test has chosen for it. Callers that are no function are left alone. */
export async function withFaults<Answer extends { readonly body?: unknown }>(
  faults: Faults,
  caller: Caller | undefined,
  call: Omit<StoreCall, 'caller'>,
  apply: () => Promise<Answer>,
): Promise<Answer> {
  if (caller?.environment === undefined) return await apply();
  const fate = faults.decide({ ...call, caller: caller.accessKeyId });
  const answer = fate.endsWith('before') ? undefined : await apply();
  if (fate !== 'pass' && answer?.body instanceof FileStretch) answer.body.close(); // nobody reads it
  if (fate.startsWith('kill')) {
    await faults.kill(caller.environment);
    throw new CallerEnded();
  }
  if (answer !== undefined && fate === 'pass') return answer;
  const code = call.service === 's3' ? 'InternalError' : 'InternalServerError';
  throw new Refusal(500, code, 'We encountered an internal error.');
}
