import type { VersionId } from '../../shared/domain/object-keys.ts';
import { parseRepository, type Repository } from '../../shared/domain/repository.ts';
import { type CheckedUpload, checkUpload } from '../../shared/publish.ts';
import { aPackage, aProvenance } from '../packages.ts';

/** A package of a version, checked as a publish checks it: that part needs threads, which no seed decides. */
export type Prepared = { readonly checked: CheckedUpload; readonly signed: CheckedUpload };

const repositories: readonly Repository[] = [parseRepository([]), parseRepository(['team'])];

/** Few versions, so that actors meet; of each some packages that differ. */
export async function preparePackages(): Promise<ReadonlyMap<VersionId, readonly Prepared[]>> {
  const packages = new Map<VersionId, readonly Prepared[]>();
  for (const repository of repositories) {
    for (const [name, version] of [
      ['a', '1.0.0'],
      ['a', '1.1.0'],
      ['b', '1.0.0'],
    ] as const) {
      const prepared: Prepared[] = [];
      for (const description of ['one', 'two', 'three']) {
        const bytes = await aPackage({ name, version, description });
        const provenance = aProvenance(bytes, { name, version });
        prepared.push({
          checked: await checkUpload({ repository, package: bytes }),
          signed: await checkUpload({ repository, package: bytes, provenance }),
        });
      }
      const [first] = prepared;
      if (first !== undefined) packages.set(first.checked.id, prepared);
    }
  }
  return packages;
}
