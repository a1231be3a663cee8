/** A promise that was broken. */
export class Violation extends Error {}

export function hold(promise: string, holds: boolean, detail = ''): void {
  if (!holds) throw new Violation(`${promise}${detail && `: ${detail}`}`);
}
