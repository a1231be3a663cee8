import { createHash, randomUUID } from 'node:crypto';
import type { LambdaFunction } from './functions.ts';
import { nameInArn, region, type Template } from './template.ts';

type Message = {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  receiveCount: number;
  /** When it may be received (again), in milliseconds since the epoch. */
  visibleAt: number;
};

type QueueProperties = {
  readonly VisibilityTimeout?: number;
  readonly RedrivePolicy?: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number };
};
type MappingProperties = {
  readonly EventSourceArn: string;
  readonly FunctionName: string;
  readonly BatchSize?: number;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
  readonly FunctionResponseTypes?: readonly string[];
};

/** Who receives from a queue, and how. */
export type Consumer = {
  readonly invoke: LambdaFunction['invoke'];
  readonly batchSize: number;
  readonly windowMs: number;
  readonly concurrency: number;
  /** Whether the answer tells which messages of the batch failed. */
  readonly partial: boolean;
};

export type QueueOptions = {
  readonly name: string;
  readonly visibilityMs: number;
  readonly redrive?: { readonly to: Queue; readonly maxReceiveCount: number };
};

/**
 * A standard SQS queue with the event source mapping that drains it: batches, a window, at least once, redrive.
 * It lives in memory: what is in it when the process ends is lost.
 */
export class Queue {
  readonly name: string;
  consumer: Consumer | undefined;
  readonly #options: QueueOptions;
  readonly #messages = new Set<Message>();
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: QueueOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** The bodies of all messages, also of those that are hidden or being worked on. */
  get bodies(): readonly string[] {
    return [...this.#messages].map(({ body }) => body);
  }

  send(body: string, delayMs = 0): void {
    const now = Date.now();
    this.#messages.add({ id: randomUUID(), body, sentAt: now, receiveCount: 0, visibleAt: now + delayMs });
    this.#pump();
  }

  /** Takes back the messages that were set aside as dead letters. */
  redrive(): void {
    const { redrive } = this.#options;
    for (const body of redrive?.to.bodies ?? []) this.send(body);
    if (redrive !== undefined) redrive.to.#messages.clear();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Starts every batch that is due, and wakes up when the next one will be. */
  #pump(): void {
    clearTimeout(this.#timer);
    const consumer = this.consumer;
    while (consumer !== undefined && !this.#stopped && this.#running < consumer.concurrency) {
      const now = Date.now();
      const waiting = [...this.#messages].sort((a, b) => a.visibleAt - b.visibleAt);
      const ready = waiting.filter(({ visibleAt }) => visibleAt <= now).slice(0, consumer.batchSize);
      const oldest = waiting[0];
      if (oldest === undefined) return;
      const dueAt = oldest.visibleAt + (ready.length < consumer.batchSize ? consumer.windowMs : 0);
      if (ready.length === 0 || dueAt > now) {
        this.#timer = setTimeout(() => this.#pump(), Math.max(1, dueAt - now));
        return;
      }
      void this.#deliver(ready, consumer);
    }
  }

  async #deliver(ready: readonly Message[], consumer: Consumer): Promise<void> {
    const batch = ready.filter((message) => this.#receive(message));
    if (batch.length === 0) return;
    this.#running += 1;
    const records = batch.map((message) => this.#record(message));
    const invocation = await consumer.invoke(JSON.stringify({ Records: records }));
    const failed = invocation.outcome === 'answer' ? failures(invocation.payload, consumer.partial) : 'all';
    for (const message of batch) {
      if (failed !== 'all' && !failed.has(message.id)) this.#messages.delete(message);
    }
    this.#running -= 1;
    this.#pump();
  }

  /** Hides a message for its reader. @returns false if it was read too often and went to the dead letters */
  #receive(message: Message): boolean {
    const { redrive, visibilityMs } = this.#options;
    if (redrive !== undefined && message.receiveCount >= redrive.maxReceiveCount) {
      this.#messages.delete(message);
      redrive.to.send(message.body);
      return false;
    }
    message.receiveCount += 1;
    message.visibleAt = Date.now() + visibilityMs;
    return true;
  }

  #record(message: Message) {
    return {
      messageId: message.id,
      receiptHandle: randomUUID(),
      body: message.body,
      attributes: {
        ApproximateReceiveCount: String(message.receiveCount),
        SentTimestamp: String(message.sentAt),
        SenderId: 'local',
      },
      messageAttributes: {},
      md5OfBody: createHash('md5').update(message.body).digest('hex'),
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:${region}:000000000000:${this.name}`,
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

/**
 * The queues of a template with their consumers, by logical id.
 *
 * @param retryAfterMs replaces every queue's visibility timeout
 */
export function queuesOf(
  template: Template,
  functions: ReadonlyMap<string, Pick<LambdaFunction, 'invoke'>>,
  retryAfterMs?: number,
): ReadonlyMap<string, Queue> {
  const declared = new Map(
    template.resources<QueueProperties>('AWS::SQS::Queue').map(({ id, properties }) => [id, properties]),
  );
  const queues = new Map<string, Queue>();
  const build = (name: string): Queue => {
    const { VisibilityTimeout = 30, RedrivePolicy: policy } = declared.get(name) ?? {};
    const redrive = policy && {
      to: build(nameInArn(policy.deadLetterTargetArn)),
      maxReceiveCount: policy.maxReceiveCount,
    };
    const visibilityMs = retryAfterMs ?? VisibilityTimeout * 1000;
    const queue = queues.get(name) ?? new Queue({ name, visibilityMs, ...(redrive && { redrive }) });
    queues.set(name, queue);
    return queue;
  };
  for (const name of declared.keys()) build(name);
  for (const { properties } of template.resources<MappingProperties>('AWS::Lambda::EventSourceMapping')) {
    const target = functions.get(nameInArn(properties.FunctionName));
    const queue = queues.get(nameInArn(properties.EventSourceArn));
    if (queue === undefined || target === undefined) throw new Error('an event source mapping leads nowhere');
    queue.consumer = {
      invoke: (event) => target.invoke(event),
      batchSize: properties.BatchSize ?? 10,
      windowMs: (properties.MaximumBatchingWindowInSeconds ?? 0) * 1000,
      concurrency: properties.ScalingConfig?.MaximumConcurrency ?? 5,
      partial: properties.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    };
  }
  return queues;
}
