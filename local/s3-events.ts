import { region } from './template.ts';

/** A bucket's `NotificationConfiguration`, as CloudFormation has it. */
export type NotificationConfiguration = {
  readonly QueueConfigurations?: readonly {
    readonly Event: string;
    readonly Queue: string;
    readonly Filter?: {
      readonly S3Key: { readonly Rules: readonly { readonly Name: string; readonly Value: string }[] };
    };
  }[];
};

export type Change = {
  /** `ObjectCreated:Put` and the like. */
  readonly event: string;
  readonly key: string;
  readonly sizeBytes?: number;
  readonly etag?: string;
};

let lastSequence = 0n;

/** Rises with every event, also across restarts. */
function nextSequencer(): string {
  const now = BigInt(Date.now()) << 16n;
  lastSequence = now > lastSequence ? now : lastSequence + 1n;
  return lastSequence.toString(16).toUpperCase().padStart(18, '0');
}

/** Keys in events are encoded as forms are, slashes aside. */
const encodeKey = (key: string) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');

/** The record that S3 sends of a change. */
export function eventRecord(bucket: string, { event, key, sizeBytes, etag }: Change) {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: new Date().toISOString(),
    eventName: event,
    userIdentity: { principalId: 'local' },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: {},
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'local',
      bucket: { name: bucket, ownerIdentity: { principalId: 'local' }, arn: `arn:aws:s3:::${bucket}` },
      object: { key: encodeKey(key), size: sizeBytes, eTag: etag, sequencer: nextSequencer() },
    },
  };
}

export type EventRecord = ReturnType<typeof eventRecord>;

/** @returns the ARNs of the queues that asked for a change */
export function queuesFor(configuration: NotificationConfiguration | undefined, { event, key }: Change) {
  const matches = (pattern: string) =>
    pattern.endsWith('*') ? `s3:${event}`.startsWith(pattern.slice(0, -1)) : `s3:${event}` === pattern;
  return (configuration?.QueueConfigurations ?? [])
    .filter(({ Event }) => matches(Event))
    .filter(({ Filter }) =>
      (Filter?.S3Key.Rules ?? []).every(({ Name, Value }) =>
        Name.toLowerCase() === 'prefix' ? key.startsWith(Value) : key.endsWith(Value),
      ),
    )
    .map(({ Queue }) => Queue);
}
