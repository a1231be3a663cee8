import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { resource, synthesize } from './synthesize.ts';

const closed = synthesize();

describe('the table and the bucket', () => {
  const stateful = [resource(closed, 'AWS::DynamoDB::Table'), resource(closed, 'AWS::S3::Bucket')];

  it.each(stateful)(
    '%s outlives the stack and its own replacement, but not a first deployment that failed',
    (_, it) => {
      expect(it.DeletionPolicy).toBe('RetainExceptOnCreate');
      expect(it.UpdateReplacePolicy).toBe('Retain');
    },
  );

  it('keep their logical IDs: another one would replace them by empty ones', () => {
    expect(stateful.map(([logicalId]) => logicalId)).toEqual([
      'MetadataTableC8A01DE2',
      'ChartsBucket6892A383',
    ]);
  });

  it('keep the table as it was at any moment of the last weeks', () => {
    closed.hasResourceProperties('AWS::DynamoDB::Table', {
      // For 35 days, which is what there is where no number is given.
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    });
  });

  it('index the marks locally, so that they can be read strongly consistent', () => {
    closed.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      LocalSecondaryIndexes: [
        {
          IndexName: 'unindexed',
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'unindexed', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    });
  });

  it('drop by time to live what says so of itself, which no version does', () => {
    closed.hasResourceProperties('AWS::DynamoDB::Table', {
      TimeToLiveSpecification: { AttributeName: 'forgetAt', Enabled: true },
    });
  });

  it('encrypt the table by a key of DynamoDB, which costs nothing and nobody can lose', () => {
    // It is always encrypted: this says that there is no key of the account's.
    closed.hasResourceProperties('AWS::DynamoDB::Table', { SSESpecification: { SSEEnabled: false } });
    closed.resourceCountIs('AWS::KMS::Key', 0);
  });

  it('hide the bucket from the public, encrypt it and version it', () => {
    closed.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      VersioningConfiguration: { Status: 'Enabled' },
    });
  });

  it('forget what nobody needs, each prefix at its own time', () => {
    closed.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          aRule({
            Prefix: 'inbox/',
            ExpirationInDays: 14,
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          }),
          aRule({ Prefix: 'index/', NoncurrentVersionExpiration: { NoncurrentDays: 1 } }),
          aRule({
            Prefix: 'merged/',
            ExpirationInDays: 1,
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          }),
          aRule({ Prefix: 'charts/', NoncurrentVersionExpiration: { NoncurrentDays: 90 } }),
          aRule({ Prefix: 'files/', NoncurrentVersionExpiration: { NoncurrentDays: 90 } }),
          aRule({
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            ExpiredObjectDeleteMarker: true,
          }),
        ],
      },
    });
  });
});

/** A whole lifecycle rule: whatever it does not name it does not do. */
const aRule = (rule: Record<string, unknown>) => ({ Id: Match.anyValue(), Status: 'Enabled', ...rule });
