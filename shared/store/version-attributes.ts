import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { Digest } from '../domain/digest.ts';
import { type Item, numberOf, readVersionKey, textOf } from './item-keys.ts';
import type { PackageRecord, PendingPackage, ProvenanceRecord, VersionItem } from './version-store.ts';

/**
 * A version's records as attributes. Written by hand: three flat maps are less code than a general
 * marshaller, and nothing is guessed from the type of a value.
 */
export function pendingAttribute(pending: PendingPackage): AttributeValue {
  return {
    M: {
      ...packageAttributes(pending),
      expires: { N: String(pending.expires) },
      ...(pending.provenance && { provenance: provenanceAttribute(pending.provenance) }),
    },
  };
}

export function liveAttribute(live: PackageRecord): AttributeValue {
  return { M: packageAttributes(live) };
}

function packageAttributes({ digest, sizeBytes, entry, key, created }: PackageRecord): Item {
  return {
    digest: { S: digest },
    size: { N: String(sizeBytes) },
    entry: { S: entry },
    key: { S: key },
    created: { S: created },
  };
}

export function provenanceAttribute(provenance: ProvenanceRecord): AttributeValue {
  return {
    M: {
      package: { S: provenance.package },
      digest: { S: provenance.digest },
      key: { S: provenance.key },
    },
  };
}

/** Reads back a version's item. */
export function readVersionItem(item: Item): VersionItem {
  const pending = item['pending']?.M;
  const live = item['live']?.M;
  const provenance = item['provenance']?.M;
  const unindexed = item[table.unindexedAttribute]?.S;
  return {
    ...readVersionKey(item),
    ...(pending && { pending: readPending(pending) }),
    ...(live && { live: readPackage(live) }),
    ...(provenance && { provenance: readProvenance(provenance) }),
    ...(unindexed !== undefined && { unindexed }),
    removed: item['removed']?.BOOL === true,
  };
}

function readPending(map: Item): PendingPackage {
  const provenance = map['provenance']?.M;
  return {
    ...readPackage(map),
    expires: numberOf(map, 'expires'),
    ...(provenance && { provenance: readProvenance(provenance) }),
  };
}

// A commit copies `pending` whole: the `expires` and `provenance` inside `live` mean nothing and are not read.
function readPackage(map: Item): PackageRecord {
  return {
    digest: textOf(map, 'digest') as Digest,
    sizeBytes: numberOf(map, 'size'),
    entry: textOf(map, 'entry'),
    key: textOf(map, 'key'),
    created: textOf(map, 'created'),
  };
}

function readProvenance(map: Item): ProvenanceRecord {
  return {
    package: textOf(map, 'package') as Digest,
    digest: textOf(map, 'digest') as Digest,
    key: textOf(map, 'key'),
  };
}
