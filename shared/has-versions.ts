import type { Repository } from './domain/repository.ts';
import type { VersionStore } from './store/version-store.ts';

/** Whether there is a version in a repository that readers see. */
export async function hasVersions(
  { versions }: { readonly versions: Pick<VersionStore, 'ofRepository'> },
  repository: Repository,
): Promise<boolean> {
  for await (const { live } of versions.ofRepository(repository)) if (live !== undefined) return true;
  return false;
}
