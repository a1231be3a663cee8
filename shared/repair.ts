import { throwAll } from './async-iteration.ts';
import type { Repository } from './domain/repository.ts';
import { type Finding, isDamage } from './findings.ts';
import { type ReconcileDependencies, reconcileRepository, remaining } from './reconcile.ts';

export type RepairRequest = {
  /** @default all */
  readonly repository?: Repository | undefined;
  /** Only look: change nothing. */
  readonly dryRun: boolean;
};

/** What was found and what became of it. */
export type RepairReport = {
  readonly repositories: number;
  /** No damage was found, or none is left. */
  readonly healthy: boolean;
  readonly findings: readonly (Finding & { readonly mended: boolean })[];
  /** How many findings more there were than `findings` holds. */
  readonly more: number;
};

// An answer of Lambda holds 6 MB.
const MOST_FINDINGS = 10_000;

/**
 * Puts right all that can be, also what needs a decision: versions come back of which the table has lost
 * every trace, if an index lists them and their packages are there. As a dry run it tells what is wrong.
 *
 * @throws what failed, once all the rest is done
 */
export async function repair(
  dependencies: Omit<ReconcileDependencies, 'found'>,
  { repository, dryRun }: RepairRequest,
): Promise<RepairReport> {
  const findings: (Finding & { mended: boolean })[] = [];
  const errors: unknown[] = [];
  let repositories = 0;
  let more = 0;
  let healthy = true;
  const found = (finding: Finding, mended: boolean) => {
    healthy &&= mended || !isDamage(finding);
    if (findings.length < MOST_FINDINGS) findings.push({ ...finding, mended });
    else more += 1;
  };
  const chosen = repository === undefined ? remaining(dependencies) : [{ repository }];
  for await (const { repository: each } of chosen) {
    repositories += 1;
    try {
      await reconcileRepository({ ...dependencies, found }, each, dryRun ? 'nothing' : 'everything');
    } catch (error) {
      errors.push(error);
    }
  }
  throwAll(errors);
  return { repositories, healthy, findings, more };
}
