import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import { upkeep, type VersionChange } from '../domain/audit.ts';
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
      change: changeAttribute(pending.change),
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
    was: wasAttribute(digest),
  };
}

export function provenanceAttribute(provenance: ProvenanceRecord): AttributeValue {
  return {
    M: {
      package: { S: provenance.package },
      digest: { S: provenance.digest },
      key: { S: provenance.key },
      was: wasAttribute(provenance.digest),
    },
  };
}

/*
 * Two lists grow in step: the changes, and what each took the place of. A write can append what the item holds, but
 * cannot put it into something new: so the digest of a package or provenance file lies ready beside it, as a list of
 * one, for the write that replaces it.
 */
export const changeAttribute = (change: VersionChange): AttributeValue => ({
  L: [{ S: JSON.stringify(change) }],
});

const wasAttribute = (digest: Digest): AttributeValue => ({ L: [{ S: digest }] });

function readChanges(item: Item): VersionChange[] {
  const replaced = item['replaced']?.L ?? [];
  const changes = new Map<string, VersionChange>();
  for (const [position, { S: text = '' }] of (item['changes']?.L ?? []).entries()) {
    const change = JSON.parse(text) as VersionChange;
    const was = replaced[position]?.S;
    // A write whose answer got lost is sent again, and then seems to replace what it brought itself.
    if (changes.has(change.id)) continue;
    const action = was !== undefined && change.action === 'published' ? 'overwrote' : change.action;
    changes.set(change.id, { ...change, action, ...(was !== undefined && { was }) });
  }
  return [...changes.values()];
}

/** Reads back a version's item. */
export function readVersionItem(item: Item): VersionItem {
  const pending = item['pending']?.M;
  const live = item['live']?.M;
  const provenance = item['provenance']?.M;
  const unindexed = item[table.unindexedAttribute]?.S;
  const changes = readChanges(item);
  const labels = (item['labels']?.NS ?? []).map(Number).toSorted((a, b) => a - b);
  return {
    ...readVersionKey(item),
    ...(pending && { pending: readPending(pending) }),
    ...(live && { live: readPackage(live) }),
    ...(provenance && { provenance: readProvenance(provenance) }),
    ...(unindexed !== undefined && { unindexed }),
    ...(changes.length > 0 && { changes }),
    ...(labels.length > 0 && { labels }),
    removed: item['removed']?.BOOL === true,
  };
}

function readPending(map: Item): PendingPackage {
  const provenance = map['provenance']?.M;
  return {
    ...readPackage(map),
    expires: numberOf(map, 'expires'),
    change: readChange(map),
    ...(provenance && { provenance: readProvenance(provenance) }),
  };
}

function readChange(pending: Item): VersionChange {
  const [change] = pending['change']?.L ?? [];
  if (change?.S !== undefined) return JSON.parse(change.S) as VersionChange;
  // A reservation from before there was an audit: whose it was is not known any more.
  const { key, created, digest } = readPackage(pending);
  return { id: key, at: created, by: upkeep, action: 'published', digest };
}

// A commit copies `pending` whole: what else is inside `live` means nothing and is not read.
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
