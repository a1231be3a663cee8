import { Fault } from './domain/fault.ts';

/** What is another after each change, so that nobody undoes a change that they have not seen. */
type Revised = { readonly revision: string };

type Place<Value> = {
  readonly read: () => Promise<Value | undefined>;
  /** @returns false if it is another than `before` by now */
  readonly write: (value: Value, before: Value | undefined) => Promise<boolean>;
};

/** How often a change begins anew when somebody else changes the same at the same time. */
const ATTEMPTS = 20;

/**
 * Puts what `next` makes of a value in its place, and begins again where somebody else was faster. What is left as it
 * was is no change.
 *
 * @param name of what is changed, for who reads the message
 * @throws Fault `try_again`, and what `next` throws
 */
export async function changeRevised<Value extends Revised>(
  name: string,
  { read, write }: Place<Value>,
  next: (before: Value | undefined) => Value,
): Promise<{ readonly value: Value; readonly isNew: boolean }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await read();
    const value = next(before);
    if (value === before || (await write(value, before))) return { value, isNew: before === undefined };
  }
  throw new Fault('try_again', `${name} is being changed by others: try again`, { retryAfterSeconds: 1 });
}
