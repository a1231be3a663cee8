import type { By } from './domain/audit.ts';
import { Fault } from './domain/fault.ts';
import { provenanceKey, type VersionId } from './domain/object-keys.ts';
import { packageFileName } from './domain/package-file.ts';
import { type ProvenanceFile, parseProvenance } from './domain/provenance.ts';
import type { Repository } from './domain/repository.ts';
import type { PublishDependencies } from './publish.ts';
import type { ProvenanceRecord, VersionItem } from './store/version-store.ts';

export type ProvenanceUpload = {
  readonly repository: Repository;
  readonly provenance: Uint8Array;
  readonly overwrite: boolean;
  readonly by: By;
};

/** How often a write is tried anew when the version changes between writing and looking. */
const ATTEMPTS = 5;

/**
 * Publishes a provenance file by itself. One that comes before its package waits for it; the index does
 * not change.
 *
 * @throws Fault `invalid_provenance` if it is none, or is for other bytes than the live package's;
 *   `provenance_exists`; `try_again`
 */
export async function publishProvenance(
  { versions, objects, clock, newId }: PublishDependencies,
  upload: ProvenanceUpload,
): Promise<VersionId> {
  const file = parseProvenance(upload.provenance);
  const id: VersionId = { repository: upload.repository, name: file.name, version: file.version };
  const key = provenanceKey(id, file.package, newId());
  const rules = { key, overwrite: upload.overwrite };

  refuseUnfit(await versions.get(id), id, file, rules);
  await objects.put(key, upload.provenance, { contentType: 'application/pgp-signature' });
  const record: ProvenanceRecord = { package: file.package, digest: file.digest, key };
  const at = new Date(clock.now()).toISOString();
  const change = { id: newId(), at, by: upload.by, action: 'signed', digest: file.digest } as const;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await versions.addProvenance(id, record, { overwrite: upload.overwrite, change })) return id;
    // Somebody was faster, and may be gone again by now: only what the item holds is an acknowledgement. The
    // object stays, since a write whose answer got lost may name it all the same.
    const item = await versions.get(id);
    if (item?.provenance?.key === key) return id;
    refuseUnfit(item, id, file, rules);
  }
  throw new Fault('try_again', `${id.name} ${id.version} is being changed by others: try again`, {
    retryAfterSeconds: 1,
  });
}

/** @throws Fault if the version's present state does not admit the file */
function refuseUnfit(
  item: VersionItem | undefined,
  id: VersionId,
  file: ProvenanceFile,
  { key, overwrite }: { key: string; overwrite: boolean },
): void {
  const expected = packageFileName(id.name, id.version);
  if (item?.live !== undefined && item.live.digest !== file.package) {
    throw new Fault(
      'invalid_provenance',
      `the provenance file states digest ${file.package} for ${expected}, the published package has ${item.live.digest}`,
    );
  }
  const present = item?.provenance;
  if (present === undefined || present.package !== file.package || present.key === key || overwrite) return;
  throw new Fault(
    'provenance_exists',
    `${expected} already has a provenance file: pass ?force to replace it`,
  );
}
