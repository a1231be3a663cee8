import type { S3Event, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Repository } from '../shared/domain/repository.ts';
import { eventDependencies } from '../shared/edge/bucket-environment.ts';
import { readEnvironment } from '../shared/edge/environment.ts';
import { logError } from '../shared/edge/log.ts';
import {
  byRepository,
  type EventDependencies,
  handleObjectEvents,
  type ObjectEvent,
  setMisplacedAside,
} from '../shared/handle-object-events.ts';

type Notification = { readonly messageId: string; readonly events: readonly ObjectEvent[] };

/**
 * The indexer: S3 events of packages and of the inbox, through the queue. A message that cannot be read, or
 * whose repository could not be brought up to date, is reported as failed and comes again; the others are
 * done.
 */
export function indexRepositories(
  dependencies: EventDependencies,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records: messages }) => {
    const notifications = messages.flatMap((message) => readMessage(message) ?? []);
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
      logError('the index could not be brought up to date', error, { repository });
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
function readMessage({ messageId, body }: SQSRecord): Notification | undefined {
  try {
    const { Records: records = [] } = JSON.parse(body) as Partial<S3Event>;
    const events = records.map(
      ({ eventName, s3 }): ObjectEvent => ({
        // Keys in events are form-encoded: a blank is '+'.
        key: decodeURIComponent(s3.object.key.replaceAll('+', ' ')),
        kind: eventName.startsWith('ObjectRemoved') ? 'removed' : 'created',
      }),
    );
    return { messageId, events };
  } catch (error) {
    logError('a message of the queue cannot be read', error, { messageId });
    return undefined;
  }
}

let ready: ((event: SQSEvent) => Promise<SQSBatchResponse>) | undefined;

/** Builds its dependencies at the first call, so that importing the file touches no environment. */
export const handler = (event: SQSEvent): Promise<SQSBatchResponse> => {
  ready ??= indexRepositories(eventDependencies(readEnvironment(process.env)));
  return ready(event);
};
