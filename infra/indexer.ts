import { Aws, Duration, Names } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { CfnQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { indexerSeconds, prefixes } from '../shared/contract.ts';
import { BundledFunction } from './bundled-function.ts';
import { indexer } from './functions.ts';
import { usingKey } from './key.ts';

const TIMEOUT = Duration.seconds(indexerSeconds);

const EVENTS = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'];
const WATCHED = [prefixes.charts, prefixes.inbox];

export type IndexerProps = {
  readonly bucket: Bucket;
  /** The key for messages at rest, which S3 must be allowed to use. @default SQS's own */
  readonly key: IKey | undefined;
  readonly bundles: string;
  readonly environment: Record<string, string>;
};

/** What keeps the indexes current though nobody reads: the bucket's events, through a queue, to one function. */
export class Indexer extends BundledFunction {
  readonly queue: Queue;
  /** Events that failed again and again; each is a change that no index shows until somebody reads it. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { bucket, key, bundles, environment }: IndexerProps) {
    super(scope, id, {
      functionId: indexer,
      bundles,
      description: `${WATCHED.join(', ')} changed: bring the indexes up to date`,
      environment,
      // One whole CPU: rendering and splicing are all it does.
      memoryMegabytes: 1769,
      timeout: TIMEOUT,
    });
    const encryption = key === undefined && { encryption: QueueEncryption.SQS_MANAGED };
    this.deadLetters = new Queue(this, 'DeadLetters', {
      ...encryption,
      enforceSSL: true,
      // The longest SQS keeps anything: time to find the fault and send them again.
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, 'Queue', {
      ...encryption,
      enforceSSL: true,
      // A batch must not appear again while it is worked on. AWS advises six times the function's timeout for
      // functions that are throttled; with maxConcurrency ours is not, and what failed should come back soon.
      visibilityTimeout: TIMEOUT.plus(Duration.seconds(30)),
      // Below five, a spell of throttling would throw good events away.
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
    // What Lambda needs to read a queue (AWSLambdaSQSQueueExecutionRole): CDK's SqsEventSource grants more.
    this.allow(
      new PolicyStatement({
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [this.queue.queueArn],
      }),
    );
    // By the id that SqsEventSource gives it: under another one a second would read the same queue.
    this.function.addEventSourceMapping(`SqsEventSource:${Names.nodeUniqueId(this.queue.node)}`, {
      eventSourceArn: this.queue.queueArn,
      // Many changes of one repository become one index.
      batchSize: 100,
      maxBatchingWindow: Duration.seconds(1),
      // Two at once, the least there is: more would only lose the race for the same pointers.
      maxConcurrency: 2,
      reportBatchItemFailures: true,
    });
    notify(bucket, this.queue);
    if (key === undefined) return;
    for (const queue of [this.queue, this.deadLetters]) encryptWith(key, queue);
    this.allow(usingKey(['Decrypt'], key, 'sqs'));
  }
}

/** By the queue's own property: CDK's way lets whoever reads the queue use the key anywhere. */
function encryptWith(key: IKey, queue: Queue): void {
  const resource = queue.node.defaultChild;
  if (!(resource instanceof CfnQueue)) throw new Error('the queue must be made by this stack');
  resource.kmsMasterKeyId = key.keyArn;
}

/**
 * Sends the bucket's events to the queue, by the bucket's own property: CDK's way needs a custom resource.
 *
 * The policy names the account and not the bucket: queue and bucket would else wait for each other. S3
 * tries the queue when the notification is set, so the bucket waits for the policy.
 */
function notify(bucket: Bucket, queue: Queue): void {
  const { policyDependable } = queue.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  );
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof CfnBucket) || policyDependable === undefined) {
    throw new Error('the bucket and the queue must be made by this stack');
  }
  resource.notificationConfiguration = {
    queueConfigurations: WATCHED.flatMap((prefix) =>
      EVENTS.map((event) => ({
        event,
        filter: { s3Key: { rules: [{ name: 'prefix', value: prefix }] } },
        queue: queue.queueArn,
      })),
    ),
  };
  resource.node.addDependency(policyDependable);
}
