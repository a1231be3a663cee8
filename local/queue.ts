import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { LambdaFunction } from './functions.ts';
import { Journal } from './journal.ts';
import { account, nameInArn, region, type Template } from './template.ts';

type Message = {
  readonly key: string;
  readonly body: string;
  readonly sentAt: number;
  readonly receiveCount: number;
  /** When it may be received (again), in milliseconds since the epoch. */
  readonly visibleAt: number;
};

/** Of an `AWS::SQS::Queue`. */
type QueueProperties = {
  readonly VisibilityTimeout?: number;
  readonly RedrivePolicy?: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number };
};

/** Who receives from a queue, and how: an `AWS::Lambda::EventSourceMapping`. */
export type Consumer = {
  readonly invoke: LambdaFunction['invoke'];
  readonly BatchSize?: number;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
  readonly FunctionResponseTypes?: readonly string[];
};
type Mapping = Omit<Consumer, 'invoke'> & {
  readonly EventSourceArn: string;
  readonly FunctionName: string;
};

/**
 * A standard SQS queue with the event source mapping that drains it: batches, a window, at least once, redrive.
 * Its messages are journaled, so that they survive the process: one that was being worked on comes again when its
 * visibility timeout has passed.
 */
export class Queue {
  readonly name: string;
  redrive: { readonly to: Queue; readonly maxReceiveCount: number } | undefined;
  #consumer: Consumer | undefined;
  readonly #visibilityMs: number;
  readonly #messages: Journal<Message>;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, folder: string, visibilityMs: number) {
    this.name = name;
    this.#visibilityMs = visibilityMs;
    this.#messages = new Journal(path.join(folder, `${name}.jsonl`));
  }

  /** The bodies of all messages, also of those that are hidden or being worked on. */
  get bodies(): readonly string[] {
    return [...this.#messages.values()].map(({ body }) => body);
  }

  get consumed(): boolean {
    return this.#consumer !== undefined;
  }

  consume(consumer: Consumer): void {
    this.#consumer = consumer;
    this.#pump();
  }

  send(body: string, delayMs = 0): void {
    const sentAt = Date.now();
    this.#messages.put({ key: randomUUID(), body, sentAt, receiveCount: 0, visibleAt: sentAt + delayMs });
    this.#pump();
  }

  /** Takes back the messages that were set aside as dead letters. @returns how many */
  takeBack(): number {
    if (this.redrive === undefined) return 0;
    const { to } = this.redrive;
    const dead = [...to.#messages.values()];
    for (const { key, body } of dead) {
      this.send(body);
      to.#messages.delete(key);
    }
    return dead.length;
  }

  stop(): void {
    this.#consumer = undefined;
    clearTimeout(this.#timer);
    this.#messages.close();
  }

  /** Starts every batch that is due, and wakes up when the next one will be. */
  #pump(): void {
    clearTimeout(this.#timer);
    const consumer = this.#consumer;
    if (consumer === undefined) return;
    const { BatchSize = 10, MaximumBatchingWindowInSeconds: windowS = 0, ScalingConfig } = consumer;
    while (this.#running < (ScalingConfig?.MaximumConcurrency ?? 5)) {
      const now = Date.now();
      const waiting = [...this.#messages.values()].sort((a, b) => a.visibleAt - b.visibleAt);
      const ready = waiting.filter(({ visibleAt }) => visibleAt <= now).slice(0, BatchSize);
      const [oldest] = waiting;
      if (oldest === undefined) return;
      const dueAt = oldest.visibleAt + (ready.length < BatchSize ? windowS * 1000 : 0);
      if (ready.length === 0 || dueAt > now) {
        this.#timer = setTimeout(() => this.#pump(), Math.max(1, dueAt - now));
        return;
      }
      void this.#deliver(ready, consumer);
    }
  }

  async #deliver(ready: readonly Message[], consumer: Consumer): Promise<void> {
    const batch = ready.flatMap((message) => this.#receive(message));
    if (batch.length === 0) return;
    this.#running += 1;
    const records = batch.map((message) => this.#record(message));
    const invocation = await consumer.invoke(JSON.stringify({ Records: records }));
    if (this.#consumer === undefined) return; // stopped: the messages come again at the next start
    const partial = consumer.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false;
    const failed = invocation.outcome === 'answer' ? failures(invocation.payload, partial) : 'all';
    for (const { key } of batch) if (failed !== 'all' && !failed.has(key)) this.#messages.delete(key);
    this.#running -= 1;
    this.#pump();
  }

  /** Hides a message for its reader. @returns none if it was read too often and went to the dead letters */
  #receive(message: Message): readonly Message[] {
    if (this.redrive !== undefined && message.receiveCount >= this.redrive.maxReceiveCount) {
      this.redrive.to.send(message.body);
      this.#messages.delete(message.key);
      return [];
    }
    const visibleAt = Date.now() + this.#visibilityMs;
    const received = { ...message, receiveCount: message.receiveCount + 1, visibleAt };
    this.#messages.put(received);
    return [received];
  }

  #record({ key, body, receiveCount, sentAt }: Message) {
    return {
      messageId: key,
      receiptHandle: randomUUID(),
      body,
      attributes: { ApproximateReceiveCount: String(receiveCount), SentTimestamp: String(sentAt) },
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:${region}:${account}:${this.name}`,
      awsRegion: region,
    };
  }
}

/** Which messages a batch's answer reports as failed; an answer that cannot be read fails the batch. */
function failures(payload: string, partial: boolean): ReadonlySet<string> | 'all' {
  type Answer = { batchItemFailures?: unknown } | null;
  const reported = (partial && (JSON.parse(payload) as Answer)?.batchItemFailures) || [];
  if (!Array.isArray(reported)) return 'all';
  const ids = reported.map((item: { itemIdentifier?: string } | null) => item?.itemIdentifier || undefined);
  return ids.includes(undefined) ? 'all' : new Set(ids.filter((id) => id !== undefined));
}

type QueueOptions = {
  readonly folder: string;
  readonly retryAfterMs: number | undefined;
  readonly gatherMs: number | undefined;
};

/**
 * The queues of a template with their consumers, by logical id.
 *
 * @param functionAt the function of an ARN or a name
 * @param retryAfterMs replaces every queue's visibility timeout
 * @param gatherMs replaces how long a batch is waited for
 */
export function queuesOf(
  template: Template,
  functionAt: (arn: string) => Pick<LambdaFunction, 'invoke'>,
  { folder, retryAfterMs, gatherMs }: QueueOptions,
): ReadonlyMap<string, Queue> {
  const declared = template.resources<QueueProperties>('AWS::SQS::Queue');
  const queues = new Map(
    declared.map(({ id, properties: { VisibilityTimeout = 30 } }) => [
      id,
      new Queue(id, folder, retryAfterMs ?? VisibilityTimeout * 1000),
    ]),
  );
  for (const { id, properties } of declared) {
    const { deadLetterTargetArn = '', maxReceiveCount = 0 } = properties.RedrivePolicy ?? {};
    const [queue, to] = [queues.get(id), queues.get(nameInArn(deadLetterTargetArn))];
    if (queue !== undefined && to !== undefined) queue.redrive = { to, maxReceiveCount };
  }
  for (const { properties } of template.resources<Mapping>('AWS::Lambda::EventSourceMapping')) {
    const { invoke } = functionAt(properties.FunctionName);
    const window = gatherMs !== undefined && { MaximumBatchingWindowInSeconds: gatherMs / 1000 };
    queues.get(nameInArn(properties.EventSourceArn))?.consume({ ...properties, ...window, invoke });
  }
  return queues;
}
