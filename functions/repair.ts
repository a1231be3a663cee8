import { parseRepository } from '../shared/domain/repository.ts';
import { readEnvironment, reconcileDependencies } from '../shared/edge/environment.ts';
import { type RepairReport, repair } from '../shared/repair.ts';

/** `repository`: its path, `""` for the root repository; without it all. `dryRun`: only tell what is wrong. */
export type RepairEvent = { readonly repository?: string; readonly dryRun?: boolean };

/** Invoked by hand (docs/runbook.md). */
export const handler = async ({ repository, dryRun = false }: RepairEvent): Promise<RepairReport> =>
  await repair(reconcileDependencies(readEnvironment(process.env)), {
    dryRun,
    repository: repository === undefined ? undefined : parseRepository(repository.split('/').filter(Boolean)),
  });
