import type { Context, S3Event, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { canaryName } from '../shared/contract.ts';
import { readKey } from '../shared/domain/object-keys.ts';
import type { Repository } from '../shared/domain/repository.ts';
import { eventDependencies } from '../shared/edge/bucket-environment.ts';
import { readEnvironment } from '../shared/edge/environment.ts';
import { logError } from '../shared/edge/log.ts';
import { record } from '../shared/edge/record.ts';
import { inRun } from '../shared/edge/run.ts';
import {
  byRepository,
  type EventDependencies,
  handleObjectEvents,
  type ObjectEvent,
  setMisplacedAside,
} from '../shared/handle-object-events.ts';

/** Whoever invokes the indexer by hand leaves out what the queue says of a message. */
type Message = Pick<SQSRecord, 'messageId' | 'body'> & Partial<Pick<SQSRecord, 'attributes'>>;

type Notification = {
  readonly messageId: string;
  readonly events: readonly ObjectEvent[];
  /** When the bucket changed, in milliseconds since 1970; of a message that comes again nothing, since it was heard of. */
  readonly changedAt: readonly number[];
};

/**
 * The indexer: S3 events of packages and of the inbox, through the queue. A message that cannot be read, or
 * whose repository could not be brought up to date, is reported as failed and comes again; the others are
 * done.
 */
export function indexRepositories(
  dependencies: EventDependencies,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records: messages }) => {
    const heard = dependencies.clock.now();
    const notifications = messages.flatMap((message) => readMessage(message) ?? []);
    tellOfLag(notifications, heard);
    const read = new Set(notifications.map(({ messageId }) => messageId));
    const failed = await updateRepositories(dependencies, notifications);
    const isDone = ({ messageId }: SQSRecord) => read.has(messageId) && !failed.has(messageId);
    return {
      batchItemFailures: messages
        .filter((message) => !isDone(message))
        .map(({ messageId }) => ({ itemIdentifier: messageId })),
    };
  };
}

/** Once for a batch: the longest of it is what an alarm is about. */
function tellOfLag(notifications: readonly Notification[], heard: number): void {
  const [first] = notifications.flatMap(({ changedAt }) => changedAt).sort((a, b) => a - b);
  // The bucket's clock may be ahead.
  if (first !== undefined) record('EventLag', Math.max(0, heard - first) / 1000);
}

/** Each repository once, however many messages speak of it. @returns the ids of messages that failed */
async function updateRepositories(
  dependencies: EventDependencies,
  notifications: readonly Notification[],
): Promise<ReadonlySet<string>> {
  const failed = new Set<Repository>();
  for (const [repository, events] of byRepository(notifications.flatMap((each) => each.events))) {
    try {
      await handleObjectEvents(dependencies, repository, events);
    } catch (error) {
      failed.add(repository);
      logError('the index could not be brought up to date', error, { repository }, { RefreshFailed: 1 });
    }
  }
  const failedMessages = new Set<string>();
  for (const { messageId, events } of notifications) {
    if ([...byRepository(events).keys()].some((repository) => failed.has(repository))) {
      failedMessages.add(messageId);
    }
    try {
      await setMisplacedAside(dependencies, events);
    } catch (error) {
      failedMessages.add(messageId);
      logError('an object of the inbox could not be set aside', error, { messageId });
    }
  }
  return failedMessages;
}

/**
 * A message holds one S3 notification; `s3:TestEvent` has no records and says nothing.
 *
 * @returns undefined if it is something else: the queue sets it aside after some attempts
 */
function readMessage({ messageId, body, attributes }: Message): Notification | undefined {
  try {
    const { Records: records = [] } = JSON.parse(body) as Partial<S3Event>;
    const events = records.map(
      ({ eventName, s3 }): ObjectEvent => ({
        // Keys in events are form-encoded: a blank is '+'.
        key: decodeURIComponent(s3.object.key.replaceAll('+', ' ')),
        kind: eventName.startsWith('ObjectRemoved') ? 'removed' : 'created',
      }),
    );
    const isFirst = attributes?.ApproximateReceiveCount === '1';
    const changedAt = isFirst
      ? records.flatMap(({ eventTime }, at) => (isTheCanarys(events[at]) ? [] : Date.parse(eventTime)))
      : [];
    return { messageId, events, changedAt: changedAt.filter(Number.isFinite) };
  } catch (error) {
    logError('a message of the queue cannot be read', error, { messageId });
    return undefined;
  }
}

const isTheCanarys = (event: ObjectEvent | undefined) =>
  event !== undefined && readKey(event.key)?.repository === canaryName;

let ready: ((event: SQSEvent) => Promise<SQSBatchResponse>) | undefined;

/** Builds its dependencies at the first call, so that importing the file touches no environment. */
export const handler = (
  event: SQSEvent,
  { awsRequestId }: Pick<Context, 'awsRequestId'>,
): Promise<SQSBatchResponse> =>
  inRun({ endpoint: 'index-repositories', function_request_id: awsRequestId }, () => {
    ready ??= indexRepositories(eventDependencies(readEnvironment(process.env)));
    return ready(event);
  });
