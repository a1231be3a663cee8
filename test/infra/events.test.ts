import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { resource, rightsOf, synthesize } from './synthesize.ts';

const closed = synthesize();

describe('the event path', () => {
  const [queueId, queue] = resource(closed, 'AWS::SQS::Queue', 'indexrepositoriesQueue');
  const [deadLettersId] = resource(closed, 'AWS::SQS::Queue', 'indexrepositoriesDeadLetters');
  const [policyId] = resource(closed, 'AWS::SQS::QueuePolicy', 'indexrepositoriesQueue');
  const [indexerId, indexer] = resource(closed, 'AWS::Lambda::Function', 'indexrepositories');

  it('begins with every creation and removal below charts/ and inbox/, and with nothing else', () => {
    const [, bucket] = resource(closed, 'AWS::S3::Bucket');
    const { QueueConfigurations: notifications } = bucket.Properties['NotificationConfiguration'] as {
      QueueConfigurations: readonly unknown[];
    };
    const notification = (Event: string, Value: string) => ({
      Event,
      Filter: { S3Key: { Rules: [{ Name: 'prefix', Value }] } },
      Queue: { 'Fn::GetAtt': [queueId, 'Arn'] },
    });
    expect(notifications).toHaveLength(4);
    expect(notifications).toEqual(
      expect.arrayContaining([
        notification('s3:ObjectCreated:*', 'charts/'),
        notification('s3:ObjectRemoved:*', 'charts/'),
        notification('s3:ObjectCreated:*', 'inbox/'),
        notification('s3:ObjectRemoved:*', 'inbox/'),
      ]),
    );
  });

  it("is open to S3 on this account's behalf alone, and before the bucket tries it", () => {
    closed.hasResourceProperties('AWS::SQS::QueuePolicy', {
      Queues: [{ Ref: queueId }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          {
            Effect: 'Allow',
            Principal: { Service: 's3.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: { 'Fn::GetAtt': [queueId, 'Arn'] },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ]),
      },
    });
    expect(resource(closed, 'AWS::S3::Bucket')[1].DependsOn).toEqual([policyId]);
  });

  it('gathers changes in batches and takes back only those that failed', () => {
    closed.resourceCountIs('AWS::Lambda::EventSourceMapping', 1);
    closed.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [queueId, 'Arn'] },
      FunctionName: { Ref: indexerId },
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 1,
      ScalingConfig: { MaximumConcurrency: 2 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  it('is read as Lambda needs it, and no more', () => {
    const rights = rightsOf(closed, 'index-repositories').filter(({ action }) => action.startsWith('sqs:'));
    expect(rights.map(({ action, on }) => `${action} ${on}`).toSorted()).toEqual(
      ['DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage'].map((each) => `sqs:${each} <${queueId}>`),
    );
  });

  it('hides a batch for longer than the indexer can work on it', () => {
    const timeout = Number(indexer.Properties['Timeout']);
    expect(Number(queue.Properties['VisibilityTimeout'])).toBeGreaterThan(timeout);
  });

  it('keeps what fails five times for two weeks', () => {
    expect(queue.Properties['RedrivePolicy']).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [deadLettersId, 'Arn'] },
      maxReceiveCount: 5,
    });
    closed.hasResourceProperties('AWS::SQS::Queue', { MessageRetentionPeriod: 14 * 24 * 60 * 60 });
  });
});
