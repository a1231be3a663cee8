/**
 * What is counted and measured in CloudWatch (docs/operations.md): the functions write these, the alarms and the
 * dashboard of infra/ read them. Plain data: this file imports nothing.
 */

/** The namespace; a deployment is told from the others of its account by the dimension `service`, its stack's name. */
export const metricNamespace = 'Chartroom';

/** Names and units. None has a repository as a dimension: each would be paid for by itself; the log lines name them. */
export const metrics = {
  /** Versions that were published or replaced, at once or through the bucket. */
  Published: 'Count',
  /** Uploads that were refused, at once or through the bucket, but for want of a right: those are Denied. */
  Rejected: 'Count',
  /** Indexes that were made current. */
  Refreshed: 'Count',
  /** Repositories whose index the indexer could not bring up to date; their events come again. */
  RefreshFailed: 'Count',
  /** Size of an index that was made current, and of every one once a day. */
  IndexSize: 'Bytes',
  /** Versions in an index that was made current, and in every one once a day. */
  IndexVersions: 'Count',
  /** How long the oldest mark that an index came to cover had waited for it, or one that was found waiting has. */
  OldestMark: 'Seconds',
  /** From a change in the bucket until the indexer heard of it. */
  EventLag: 'Seconds',
  /** Requests that were refused to somebody who is known and may not, who gave no account, or who was wrong too often. */
  Denied: 'Count',
  /** Wrong names, passwords, secrets and tokens. */
  BadCredentials: 'Count',
  /** Size of a repository's items in the table at most, where DynamoDB tells it. */
  CollectionSize: 'Gigabytes',
  IndexShrank: 'Count',
  PointerLost: 'Count',
  RebuildPutOff: 'Count',
  CleanUpFailed: 'Count',
  /** What reconciliation put right, and what it could not. */
  DamageMended: 'Count',
  DamageFound: 'Count',
  /** 1 for a run of the canary in which everything was as it should be, else 0. */
  CanarySucceeded: 'Count',
  /** From the canary's upload until an index that lists it was read. */
  CanaryPublish: 'Milliseconds',
} as const;

export type Metric = keyof typeof metrics;
