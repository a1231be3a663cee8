import type { Clock } from '../clock.ts';
import type { Repository } from '../domain/repository.ts';

// What was deleted, or is not for everybody any more, is served this long at most by an environment that knew it.
const REMEMBERED_MS = 5_000;

// Some hundred bytes each.
const MOST_REMEMBERED = 1_000;

/** Something that is asked about a repository; a refusal may be thrown too. */
type Question = (repository: Repository) => Promise<boolean>;

/**
 * Remembers for five seconds of which repositories the answer was yes. A no is asked for anew each time, so whoever
 * makes a repository, or opens one to everybody, sees that at once.
 */
export function rememberingYes(ask: Question, clock: Pick<Clock, 'now'>): Question {
  const until = new Map<Repository, number>();
  return async (repository) => {
    // Before the answer is read: what it says was true after this moment.
    const now = clock.now();
    if (now < (until.get(repository) ?? 0)) return true;
    if (!(await ask(repository))) return false;
    if (until.size >= MOST_REMEMBERED) until.clear();
    until.set(repository, now + REMEMBERED_MS);
    return true;
  };
}
