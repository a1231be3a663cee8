import { randomUUID } from 'node:crypto';
import type { S3Event, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { systemClock } from '../shared/clock.ts';
import type { Repository } from '../shared/domain/repository.ts';
import { objects, pointers, readEnvironment, versions } from '../shared/edge/environment.ts';
import { logError } from '../shared/edge/log.ts';
import {
  byRepository,
  type EventDependencies,
  handleObjectEvents,
  type ObjectEvent,
} from '../shared/handle-object-events.ts';

/**
 * The indexer: S3 events of packages and of the inbox, through the queue. A message whose repository
 * could not be brought up to date is reported as failed and comes again; the others are done.
 */
export function indexRepositories(
  dependencies: EventDependencies,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records: messages }) => {
    const groups = byRepository(messages.flatMap(readMessage));
    const failed = new Set<Repository>();
    for (const [repository, events] of groups) {
      try {
        await handleObjectEvents(dependencies, repository, events);
      } catch (error) {
        failed.add(repository);
        logError('the index could not be brought up to date', error, { repository });
      }
    }
    const speaksOfFailed = (message: SQSRecord) =>
      [...byRepository(readMessage(message)).keys()].some((repository) => failed.has(repository));
    return {
      batchItemFailures: messages
        .filter(speaksOfFailed)
        .map(({ messageId }) => ({ itemIdentifier: messageId })),
    };
  };
}

/** A message holds one S3 notification; `s3:TestEvent` has no records and says nothing. */
function readMessage({ body }: SQSRecord): ObjectEvent[] {
  const { Records: records = [] } = JSON.parse(body) as Partial<S3Event>;
  return records.map(({ eventName, s3 }) => ({
    // Keys in events are form-encoded: a blank is '+'.
    key: decodeURIComponent(s3.object.key.replaceAll('+', ' ')),
    kind: eventName.startsWith('ObjectRemoved') ? 'removed' : 'created',
  }));
}

let ready: ((event: SQSEvent) => Promise<SQSBatchResponse>) | undefined;

/** Builds its dependencies at the first call, so that importing the file touches no environment. */
export const handler = (event: SQSEvent): Promise<SQSBatchResponse> => {
  const environment = readEnvironment(process.env);
  ready ??= indexRepositories({
    versions: versions(environment),
    pointers: pointers(environment),
    objects: objects(environment),
    settings: environment.indexSettings,
    clock: systemClock,
    newId: randomUUID,
  });
  return ready(event);
};
