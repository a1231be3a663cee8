import { region } from './template.ts';

type Rule = { readonly Name: string; readonly Value: string };

/** Of an `AWS::S3::Bucket`. */
export type BucketProperties = {
  readonly NotificationConfiguration?: {
    readonly QueueConfigurations?: readonly {
      readonly Event: string;
      readonly Queue: string;
      readonly Filter?: { readonly S3Key: { readonly Rules: readonly Rule[] } };
    }[];
  };
};

export type Change = {
  /** `ObjectCreated:Put` and the like. */
  readonly event: string;
  readonly key: string;
  readonly size?: number;
  readonly eTag?: string;
};

let lastSequence = 0;

/** Keys in events are encoded as forms are, slashes aside. */
const encodeKey = (key: string) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');

/** The record that S3 sends of a change. */
export function eventRecord(bucket: string, { event, key, ...object }: Change) {
  lastSequence = Math.max(lastSequence + 1, Date.now() * 1000); // rises also across restarts
  const sequencer = lastSequence.toString(16).toUpperCase().padStart(18, '0');
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: new Date().toISOString(),
    eventName: event,
    s3: {
      s3SchemaVersion: '1.0',
      bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
      object: { key: encodeKey(key), ...object, sequencer },
    },
  };
}

export type EventRecord = ReturnType<typeof eventRecord>;

/** @returns the ARNs of the queues that asked for a change */
export function queuesFor({ NotificationConfiguration }: BucketProperties, { event, key }: Change) {
  const matches = (pattern: string) =>
    pattern.endsWith('*') ? `s3:${event}`.startsWith(pattern.slice(0, -1)) : `s3:${event}` === pattern;
  return (NotificationConfiguration?.QueueConfigurations ?? [])
    .filter(({ Event }) => matches(Event))
    .filter(({ Filter }) =>
      (Filter?.S3Key.Rules ?? []).every(({ Name, Value }) =>
        Name.toLowerCase() === 'prefix' ? key.startsWith(Value) : key.endsWith(Value),
      ),
    )
    .map(({ Queue }) => Queue);
}
