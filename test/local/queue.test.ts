import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type Consumer, Queue } from '../../local/queue.ts';

type Batch = {
  Records: { messageId: string; body: string; attributes: { ApproximateReceiveCount: string } }[];
};

const queues: Queue[] = [];
const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-queues-'));
afterAll(() => rmSync(folder, { recursive: true }));

afterEach(() => {
  for (const queue of queues.splice(0)) queue.stop();
});

let made = 0;

function aQueue(consumer?: Partial<Consumer>, visibilityMs = 20, name = `${++made}`): Queue {
  const queue = new Queue(name, folder, visibilityMs);
  const invoke: Consumer['invoke'] = async () => ({ outcome: 'answer', payload: 'null' });
  const one = {
    ScalingConfig: { MaximumConcurrency: 1 },
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  };
  if (consumer !== undefined) queue.consume({ invoke, ...one, ...consumer });
  queues.push(queue);
  return queue;
}

/** A consumer that notes what it receives and answers as told. */
function recorder(answer: (batch: Batch, call: number) => unknown = () => null) {
  const batches: Batch[] = [];
  const invoke: Consumer['invoke'] = async (event) => {
    const batch: Batch = JSON.parse(event);
    batches.push(batch);
    return { outcome: 'answer', payload: JSON.stringify(answer(batch, batches.length) ?? null) };
  };
  const bodies = () => batches.map(({ Records }) => Records.map(({ body }) => body));
  return { invoke, batches, bodies };
}

describe('a queue', () => {
  it('collects a batch while its window is open', async () => {
    const { invoke, bodies } = recorder();
    const queue = aQueue({ invoke, MaximumBatchingWindowInSeconds: 0.1 });
    for (const body of ['a', 'b', 'c']) queue.send(body);
    await vi.waitUntil(() => queue.bodies.length === 0);
    expect(bodies()).toEqual([['a', 'b', 'c']]);
  });

  it('does not wait for the window once a batch is full', async () => {
    const { invoke, bodies } = recorder();
    const queue = aQueue({ invoke, BatchSize: 2, MaximumBatchingWindowInSeconds: 3_600 });
    for (const body of ['a', 'b', 'c']) queue.send(body);
    await vi.waitUntil(() => queue.bodies.length === 1);
    expect(bodies()).toEqual([['a', 'b']]);
  });

  it('redelivers only what the answer reports as failed', async () => {
    const { invoke, batches, bodies } = recorder(({ Records }, call) => ({
      batchItemFailures: call === 1 ? [{ itemIdentifier: Records[1]?.messageId }] : [],
    }));
    const queue = aQueue({ invoke, MaximumBatchingWindowInSeconds: 0.03 });
    for (const body of ['a', 'b', 'c']) queue.send(body);
    await vi.waitUntil(() => queue.bodies.length === 0);
    expect(bodies()).toEqual([['a', 'b', 'c'], ['b']]);
    expect(batches[1]?.Records[0]?.attributes.ApproximateReceiveCount).toBe('2');
  });

  it.each([
    { why: 'an answer without an identifier', answer: { batchItemFailures: [{}] } },
    { why: 'an answer that is no list', answer: { batchItemFailures: 'all' } },
  ])('redelivers the whole batch after $why', async ({ answer }) => {
    const { invoke, bodies } = recorder((_, call) => (call === 1 ? answer : null));
    const queue = aQueue({ invoke, MaximumBatchingWindowInSeconds: 0.03 });
    for (const body of ['a', 'b']) queue.send(body);
    await vi.waitUntil(() => queue.bodies.length === 0);
    expect(bodies()).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('moves a message to the dead letters after its last allowed receive', async () => {
    const dead = aQueue();
    let calls = 0;
    const invoke: Consumer['invoke'] = async () => {
      calls += 1;
      return { outcome: 'error', detail: 'no' };
    };
    const queue = aQueue({ invoke });
    queue.redrive = { to: dead, maxReceiveCount: 3 };
    queue.send('poison');
    await vi.waitUntil(() => dead.bodies.length === 1);
    expect(calls).toBe(3);
    expect(queue.bodies).toEqual([]);
  });

  it('runs no more batches at once than allowed', async () => {
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const invoke: Consumer['invoke'] = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running -= 1;
      return { outcome: 'answer', payload: 'null' };
    };
    const queue = aQueue({ invoke, BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } }, 60_000);
    for (let index = 0; index < 6; index += 1) queue.send(String(index));
    await vi.waitUntil(() => {
      for (const end of ends.splice(0)) end();
      return queue.bodies.length === 0;
    });
    expect(most).toBe(2);
  });

  it('has its messages again after its process ended, those that were being worked on too', async () => {
    let calls = 0;
    const never: Consumer['invoke'] = () => {
      calls += 1;
      return new Promise(() => {});
    };
    const before = aQueue({ invoke: never, BatchSize: 1 }, 20, 'kept');
    for (const body of ['a', 'b']) before.send(body);
    await vi.waitUntil(() => calls === 1);
    const { invoke, batches } = recorder();
    const queue = aQueue({ invoke, BatchSize: 1 }, 20, 'kept'); // the other is not stopped, as if it was killed
    await vi.waitUntil(() => queue.bodies.length === 0);
    const received = batches
      .flatMap(({ Records }) => Records)
      .map(({ body, attributes }) => ({ body, ...attributes }));
    expect(received).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ body: 'a', ApproximateReceiveCount: '2' }),
        expect.objectContaining({ body: 'b', ApproximateReceiveCount: '1' }),
      ]),
    );
  });
});
