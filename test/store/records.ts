import { randomUUID } from 'node:crypto';
import type { AccessChange, By, VersionChange } from '../../shared/domain/audit.ts';
import { parseChartName } from '../../shared/domain/chart-name.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import { packageKey, provenanceKey, type VersionId } from '../../shared/domain/object-keys.ts';
import { parseRepository, type Repository } from '../../shared/domain/repository.ts';
import { parseChartVersion } from '../../shared/domain/version.ts';
import type { PendingPackage, ProvenanceRecord } from '../../shared/store/version-store.ts';

/** A repository that nothing else speaks of, so that tests can share one table. */
export function aRepository(): Repository {
  return parseRepository([`r${randomUUID()}`]);
}

export function aVersionId(
  parts: { repository?: Repository; name?: string; version?: string } = {},
): VersionId {
  return {
    repository: parts.repository ?? aRepository(),
    name: parseChartName(parts.name ?? 'redis'),
    version: parseChartVersion(parts.version ?? '1.0.0'),
  };
}

/** The instant at which these tests play; stores have no clock. */
export const now = Date.parse('2026-01-02T03:04:05.678Z');

const digestOfText = (text: string) => digestOf(Buffer.from(text));

/** Somebody who changes something. */
export const somebody: By = {
  account: 'somebody',
  kind: 'user',
  address: '192.0.2.1',
  requestId: 'request-1',
};

/** A change of a version. */
export function aChange(parts: Partial<VersionChange> = {}): VersionChange {
  const at = new Date(now).toISOString();
  return { id: randomUUID(), at, by: somebody, action: 'published', ...parts };
}

/** What a delete is told. */
export const removal = () => ({ now, change: aChange({ action: 'deleted' }) });

/** A change of who may do what. */
export function anAccessChange(parts: Partial<AccessChange> = {}): AccessChange {
  const at = new Date(now).toISOString();
  return { id: randomUUID(), at, by: somebody, action: 'account_changed', ...parts };
}

/** A reservation with a key of its own; the same `content` is the same package. */
export function aPending(
  id: VersionId,
  parts: { content?: string; expires?: number; provenance?: ProvenanceRecord; entry?: string } = {},
): PendingPackage {
  const content = parts.content ?? 'a package';
  const digest = digestOfText(content);
  return {
    digest,
    sizeBytes: content.length,
    entry: parts.entry ?? JSON.stringify({ name: id.name, version: id.version, description: 'é ✓ "quoted"' }),
    key: packageKey(id, digest, randomUUID()),
    created: new Date(now).toISOString(),
    expires: parts.expires ?? now + 60_000,
    change: aChange({ digest }),
    ...(parts.provenance && { provenance: parts.provenance }),
  };
}

/** A provenance file of the package with this content, under a key of its own. */
export function aProvenance(id: VersionId, content = 'a package'): ProvenanceRecord {
  const own = randomUUID();
  const digest = digestOfText(content);
  return { package: digest, digest: digestOfText(own), key: provenanceKey(id, digest, own) };
}
