import { describe, expect, it } from 'vitest';
import { functionIds } from '../../infra/functions.ts';
import { logicalPrefix, nestedStackIds, resourcesOf, synthesize, textOf } from './synthesize.ts';

const closed = synthesize();
const open = synthesize({ access: 'open', accessReason: 'a mirror of public charts' });

const domain = {
  domainName: 'charts.example.com',
  certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/1b2c-3d',
};

describe('what another logical ID would replace, with all that is in it', () => {
  it.each([
    { type: 'AWS::DynamoDB::Table', loses: 'every version', ids: ['MetadataTableC8A01DE2'] },
    { type: 'AWS::S3::Bucket', loses: 'every package', ids: ['ChartsBucket6892A383'] },
    { type: 'AWS::ApiGatewayV2::Api', loses: 'the address', ids: ['ApiF70053CD'] },
    { type: 'AWS::SecretsManager::Secret', loses: "the admin's password", ids: ['AdminSecretC5C2B4DE'] },
    { type: 'AWS::SNS::Topic', loses: 'who is told of alarms', ids: ['TopicBFC7AF6E'] },
    {
      type: 'AWS::Lambda::EventSourceMapping',
      loses: 'its place: two would read one queue',
      ids: ['indexrepositoriesFunctionSqsEventSourceChartroomindexrepositoriesQueue33B0AC5090ED190E'],
    },
    {
      type: 'AWS::SQS::Queue',
      loses: 'the events in it',
      ids: ['indexrepositoriesDeadLettersCAADF085', 'indexrepositoriesQueueFF5376F1'],
    },
  ])('keeps its name: $type has $loses', ({ type, ids }) => {
    expect([...resourcesOf(closed, type).keys()].toSorted()).toEqual(ids);
  });

  it('keeps its name: what makes the API known by a domain name', () => {
    const named = synthesize(domain);
    const idsOf = (type: string) => [...resourcesOf(named, type).keys()];
    expect(idsOf('AWS::ApiGatewayV2::DomainName')).toEqual(['Name17099BFF']);
    expect(idsOf('AWS::ApiGatewayV2::ApiMapping')).toEqual(['MappingE24B359D']);
  });

  it('keeps its name: a nested stack has functions and their logs, or the name that clients know', () => {
    expect(nestedStackIds(domain).toSorted()).toEqual([
      'CanaryNestedStackCanaryNestedStackResourceFC2714FD',
      'DataNestedStackDataNestedStackResourceEC94013D',
      'DomainNestedStackDomainNestedStackResource0E01C626',
      'HarborNestedStackHarborNestedStackResourceC925C7FF',
      'OneChartNestedStackOneChartNestedStackResourceA8CD63A7',
      'OperationsNestedStackOperationsNestedStackResource956E95E5',
    ]);
  });

  it('keeps its name: a log group has the logs of a month', () => {
    const ids = [...resourcesOf(closed, 'AWS::Logs::LogGroup').keys()];
    const ofFunctions = functionIds.map((id) => `${logicalPrefix(id)}Logs`);
    expect(ids.map((id) => id.slice(0, -8)).toSorted()).toEqual(['ApiAccessLog', ...ofFunctions].toSorted());
  });
});

describe.each([
  { access: 'closed', template: closed },
  { access: 'open', template: open },
])('what a deployment with $access access leaves behind', ({ template }) => {
  it('is the table and the bucket, and nothing else', () => {
    const kept = [...resourcesOf(template)].filter(([, { DeletionPolicy, UpdateReplacePolicy }]) =>
      [DeletionPolicy, UpdateReplacePolicy].some((policy = 'Delete') => policy !== 'Delete'),
    );
    expect(kept.map(([, { Type }]) => Type).toSorted()).toEqual(['AWS::DynamoDB::Table', 'AWS::S3::Bucket']);
    for (const [, { DeletionPolicy, UpdateReplacePolicy }] of kept) {
      expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['RetainExceptOnCreate', 'Retain']);
    }
  });

  it('is no content that somebody else removes: a bucket is not emptied with the stack', () => {
    const types = [...resourcesOf(template).values()].map(({ Type }) => Type);
    expect(types.filter((type) => type.includes('AutoDelete'))).toEqual([]);
  });
});

describe.each([
  { type: 'AWS::S3::Bucket', policy: 'AWS::S3::BucketPolicy', action: 's3:*' },
  { type: 'AWS::SQS::Queue', policy: 'AWS::SQS::QueuePolicy', action: 'sqs:*' },
])('every $type', ({ type, policy, action }) => {
  type Statement = {
    readonly Effect: string;
    readonly Action: unknown;
    readonly Principal: unknown;
    readonly Resource: unknown;
    readonly Condition?: unknown;
  };
  const policies = [...resourcesOf(closed, policy).values()].map(({ Properties }) => ({
    on: [Properties['Bucket'] ?? Properties['Queues']].flat().map(textOf),
    statements: (Properties['PolicyDocument'] as { Statement: readonly Statement[] }).Statement,
  }));

  it.each([...resourcesOf(closed, type)])('%s refuses whoever comes without TLS', (id, { Properties }) => {
    const own = policies.filter(({ on }) => on.includes(`<${id}>`)).flatMap(({ statements }) => statements);
    const [refused, ...others] = own.filter(({ Effect }) => Effect === 'Deny');
    expect(others).toEqual([]);
    expect(refused).toMatchObject({
      Action: action,
      Principal: { AWS: '*' },
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    });
    const on = [refused?.Resource].flat().map(textOf);
    expect(on).toEqual(type === 'AWS::S3::Bucket' ? [`<${id}>`, `<${id}>/*`] : [`<${id}>`]);
    const encryption = Properties['BucketEncryption'] ?? Properties['SqsManagedSseEnabled'];
    expect(encryption, 'it is encrypted at rest').toBeTruthy();
  });
});
