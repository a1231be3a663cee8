import type { Context } from 'aws-lambda';
import { Fault } from '../shared/domain/fault.ts';
import { parseRepository, type Repository } from '../shared/domain/repository.ts';
import { reconcileDependencies } from '../shared/edge/bucket-environment.ts';
import { readEnvironment } from '../shared/edge/environment.ts';
import { inRun } from '../shared/edge/run.ts';
import { type ReconcileDependencies, remaining } from '../shared/reconcile.ts';
import { type RepairReport, repair } from '../shared/repair.ts';

/** `repository`: its path, `""` for the root repository; without it all. `dryRun`: only tell what is wrong. */
export type RepairEvent = { readonly repository?: string; readonly dryRun?: boolean };

const MOST_NAMES = 20;

const nameOf = (repository: Repository) => repository || '(root)';

/** @throws Fault for a repository of which neither table nor bucket knows: to call it healthy would mislead */
async function mustBeThere(
  dependencies: Omit<ReconcileDependencies, 'found'>,
  wanted: Repository,
): Promise<void> {
  if (await dependencies.repositories.has(wanted)) return;
  const others: string[] = [];
  for await (const { repository } of remaining(dependencies)) {
    if (repository === wanted) return;
    others.push(nameOf(repository));
  }
  const more = others.length > MOST_NAMES ? ` and ${others.length - MOST_NAMES} more` : '';
  const names = others.length === 0 ? 'none' : `${others.slice(0, MOST_NAMES).join(', ')}${more}`;
  throw new Fault('not_found', `there is no repository ${nameOf(wanted)} here; there are ${names}`);
}

/** Invoked by hand (docs/runbook.md). */
export const handler = (
  event: RepairEvent,
  { awsRequestId }: Pick<Context, 'awsRequestId'>,
): Promise<RepairReport> =>
  inRun({ endpoint: 'repair', function_request_id: awsRequestId }, () => repairAsAsked(event));

async function repairAsAsked({ repository: path, dryRun = false }: RepairEvent): Promise<RepairReport> {
  const dependencies = reconcileDependencies(readEnvironment(process.env));
  const repository = path === undefined ? undefined : parseRepository(path.split('/').filter(Boolean));
  if (repository !== undefined) await mustBeThere(dependencies, repository);
  return await repair(dependencies, { dryRun, repository });
}
