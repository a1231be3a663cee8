import { createHash } from 'node:crypto';
import type { KnownRepository } from './known-repository.ts';
import type { Repository } from './repository.ts';
import type { AllRepositorySettings } from './settings.ts';

/** Whether Harbor's clients see a repository as a project: the name of one is a single segment. */
export const isProject = (repository: Repository): boolean => repository !== '' && !repository.includes('/');

/**
 * The number by which Harbor's clients ask for something that we know by name. It is made of the name, so that
 * nothing has to be counted or kept; of two names with the same number, neither is found by it. 31 bits: clients
 * made from Harbor's description read it into a signed 32-bit number.
 */
export function numberOf(name: string): number {
  const number = createHash('sha256').update(name).digest().readUInt32BE(0) >>> 1;
  return number === 0 ? 1 : number;
}

/** A repository as Harbor's API shows a project. */
export const shownProject = (
  { path, created }: Pick<KnownRepository, 'path' | 'created'>,
  { anonymousRead }: Pick<AllRepositorySettings, 'anonymousRead'>,
) => ({
  project_id: numberOf(path),
  name: path,
  creation_time: created,
  metadata: { public: String(anonymousRead) },
});
