import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { functionIds } from '../../infra/functions.ts';
import { environmentVariables } from '../../shared/contract.ts';
import { endpoints, fallback, routes } from '../../shared/routes.ts';
import { logicalPrefix, resource, resourcesOf, rightsOf, synthesize, textOf } from './synthesize.ts';

const closed = synthesize();
const open = synthesize({ access: 'open', accessReason: 'a mirror of public charts' });

const environmentOf = (id: string, template = closed): Record<string, unknown> => {
  const [, found] = resource(template, 'AWS::Lambda::Function', logicalPrefix(id));
  return (found.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
};

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

  it('drop no version by time to live', () => {
    closed.hasResourceProperties('AWS::DynamoDB::Table', { TimeToLiveSpecification: Match.absent() });
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

describe('TLS', () => {
  it.each([
    ['AWS::S3::BucketPolicy', 's3:*', 1],
    ['AWS::SQS::QueuePolicy', 'sqs:*', 2],
  ])('is the only way in by every %s', (type, Action, count) => {
    const onlyTls = Match.objectLike({
      Effect: 'Deny',
      Action,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    });
    closed.resourceCountIs(type, count);
    closed.allResourcesProperties(type, { PolicyDocument: { Statement: Match.arrayWith([onlyTls]) } });
  });
});

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

  it('hides a batch for longer than the indexer can work on it, retries too', () => {
    const timeout = Number(indexer.Properties['Timeout']);
    expect(Number(queue.Properties['VisibilityTimeout'])).toBeGreaterThanOrEqual(6 * timeout);
  });

  it('keeps what fails five times for two weeks', () => {
    expect(queue.Properties['RedrivePolicy']).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [deadLettersId, 'Arn'] },
      maxReceiveCount: 5,
    });
    closed.hasResourceProperties('AWS::SQS::Queue', { MessageRetentionPeriod: 14 * 24 * 60 * 60 });
  });
});

describe('the functions', () => {
  it('are one for each endpoint, the fallback and the indexer', () => {
    closed.resourceCountIs('AWS::Lambda::Function', functionIds.length);
    for (const id of functionIds) resource(closed, 'AWS::Lambda::Function', logicalPrefix(id));
  });

  it('run on ARM with the newest Node', () => {
    closed.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
    });
  });

  it.each([...Object.keys(endpoints), fallback])('%s answers before the API gives up after 30 s', (id) => {
    const [, found] = resource(closed, 'AWS::Lambda::Function', logicalPrefix(id));
    expect(Number(found.Properties['Timeout'])).toBeLessThan(30);
  });

  it('write to log groups of their own, which forget', () => {
    closed.resourceCountIs('AWS::Logs::LogGroup', functionIds.length);
    closed.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    closed.allResourcesProperties('AWS::Lambda::Function', { LoggingConfig: { LogGroup: Match.anyValue() } });
  });

  it('are told the stores and the settings', () => {
    const settings = { indexFormat: 'yaml', chartUrl: 'https://c.example.com', contextPath: '/helm' };
    const template = synthesize({ ...settings, allowOverwrite: true, maxUploadBytes: 1024 });
    const variables = environmentOf('get-index', template);
    expect(variables).toMatchObject({
      [environmentVariables.table]: { Ref: 'MetadataTableC8A01DE2' },
      [environmentVariables.bucket]: { Ref: 'ChartsBucket6892A383' },
      [environmentVariables.access]: 'closed',
      [environmentVariables.maxUploadBytes]: '1024',
      [environmentVariables.allowOverwrite]: 'true',
    });
    expect(JSON.parse(String(variables[environmentVariables.indexSettings]))).toEqual({
      format: 'yaml',
      chartUrl: 'https://c.example.com',
      contextPath: '/helm',
    });
  });
});

describe('the API', () => {
  const targets = [...resourcesOf(closed, 'AWS::ApiGatewayV2::Route').values()].map(({ Properties }) => ({
    key: String(Properties['RouteKey']),
    target: textOf(Properties['Target']),
  }));
  const integrationOf = (id: string) => {
    const [integration] = resource(closed, 'AWS::ApiGatewayV2::Integration', logicalPrefix(id));
    return `integrations/<${integration}>`;
  };

  it('has every route of the table, and the fallback for the rest', () => {
    // API Gateway takes no path that ends in "/"; a greedy variable, which may be empty, stands for it.
    const expected = routes.map(({ method, path, handler }) => ({
      key: `${method} ${path === '/charts/' ? '/charts/{rest+}' : path}`,
      target: integrationOf(handler),
    }));
    expect(targets).toHaveLength(expected.length + 1);
    expect(targets).toEqual(
      expect.arrayContaining([...expected, { key: '$default', target: integrationOf(fallback) }]),
    );
  });

  it('has no route that API Gateway refuses', () => {
    for (const { key } of targets) expect(key).toMatch(/^(\$default|[A-Z]+ \/(.*[^/])?)$/);
  });

  it('serves at the root of its host', () => {
    closed.resourceCountIs('AWS::ApiGatewayV2::Stage', 1);
    closed.hasResourceProperties('AWS::ApiGatewayV2::Stage', { StageName: '$default', AutoDeploy: true });
  });

  it('has one integration and one permission for each function that it calls', () => {
    closed.resourceCountIs('AWS::ApiGatewayV2::Integration', functionIds.length - 1);
    const permitted = [...resourcesOf(closed, 'AWS::Lambda::Permission').values()].map((permission) =>
      textOf(permission.Properties['FunctionName']),
    );
    expect(permitted).toHaveLength(functionIds.length - 1);
    expect(new Set(permitted).size).toBe(permitted.length);
    closed.allResourcesProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
  });

  it('may call the fallback, whose route has a shorter ARN than the others', () => {
    const [, permission] = resource(closed, 'AWS::Lambda::Permission', logicalPrefix(fallback));
    expect(textOf(permission.Properties['SourceArn'])).toMatch(/<Api[^>]*>\/\*\/\*$/);
  });

  it('leaves room in the stack', () => {
    expect(resourcesOf(closed).size).toBeLessThan(400);
  });
});

describe('access', () => {
  const withPermission = Object.entries(endpoints).flatMap(([id, { permission }]) =>
    permission === 'none' ? [] : [id],
  );

  it('is closed by default, with a password that nobody has seen', () => {
    expect(environmentOf('get-index')[environmentVariables.access]).toBe('closed');
    closed.hasResourceProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: {
        SecretStringTemplate: '{"username":"admin"}',
        GenerateStringKey: 'password',
        PasswordLength: 32,
        ExcludePunctuation: true,
      },
    });
  });

  it.each(functionIds)('%s reads the password if, and only if, it must check one', (id) => {
    const [secret] = resource(closed, 'AWS::SecretsManager::Secret');
    const rights = rightsOf(closed, id).filter(({ action }) => action.startsWith('secretsmanager:'));
    const must = withPermission.includes(id);
    expect(rights.map(({ action, on }) => `${action} ${on}`)).toEqual(
      must ? [`secretsmanager:GetSecretValue <${secret}>`] : [],
    );
    expect(environmentOf(id)[environmentVariables.adminSecret]).toEqual(must ? { Ref: secret } : undefined);
  });

  it('needs no password when it is open', () => {
    open.resourceCountIs('AWS::SecretsManager::Secret', 0);
    expect(environmentOf('get-index', open)).not.toHaveProperty(environmentVariables.adminSecret);
    expect(environmentOf('get-index', open)[environmentVariables.access]).toBe('open');
  });

  it('cannot be opened without a reason, nor by a typo', () => {
    expect(() => synthesize({ access: 'open' })).toThrow(/accessReason/);
    expect(() => synthesize({ chartroom: { acess: 'open' } })).toThrow(/no setting "acess"/);
  });
});

describe('least privilege', () => {
  const every = functionIds.flatMap((id) => rightsOf(closed, id).map((right) => ({ id, ...right })));
  const who = (...actions: readonly string[]) =>
    [...new Set(every.filter(({ action }) => actions.includes(action)).map(({ id }) => id))].toSorted();

  it('names each action, and each resource up to a prefix of the bucket', () => {
    for (const { action, on } of every) {
      expect(action).not.toContain('*');
      expect(on).toMatch(/^<[A-Za-z0-9]+>(\/index\/unindexed|\/(charts|files|index|inbox)\/\*)?$/);
    }
  });

  it("gives a role nothing beyond its function's own policy", () => {
    closed.allResourcesProperties('AWS::IAM::Role', {
      ManagedPolicyArns: Match.absent(),
      Policies: Match.absent(),
    });
  });

  it('lets only who changes versions or refreshes indexes write to the table', () => {
    expect(who('dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem')).toEqual([
      'delete-chart',
      'delete-version',
      'get-index',
      'index-repositories',
      'publish-package',
      'publish-provenance',
    ]);
  });

  it('lets only publishers write packages and only deleters delete them', () => {
    const onPackages = every.filter(({ on }) => /\/(charts|files)\/\*$/.test(on));
    const may = (action: string) => [
      ...new Set(onPackages.filter((right) => right.action === action).map(({ id }) => id)),
    ];
    expect(may('s3:PutObject')).toEqual(['publish-package', 'publish-provenance']);
    expect(may('s3:DeleteObject')).toEqual(['delete-version', 'delete-chart']);
  });

  it('never lets a function scan the table, change the bucket or delete an old object version', () => {
    expect(who('dynamodb:Scan', 's3:DeleteObjectVersion', 's3:PutBucketPolicy')).toEqual([]);
  });

  it('narrows what tells a missing object from a forbidden one to the prefix that is read', () => {
    const listings = every.filter(({ action }) => action === 's3:ListBucket');
    expect(listings).not.toHaveLength(0);
    for (const { id, condition } of listings) {
      const prefix = (condition as { StringLike: { 's3:prefix': string } }).StringLike['s3:prefix'];
      expect(every).toContainEqual(
        expect.objectContaining({ id, action: 's3:GetObject', on: expect.stringContaining(`/${prefix}`) }),
      );
    }
  });

  it.each(['get-health', 'get-info', fallback])('%s touches no store', (id) => {
    expect(rightsOf(closed, id).map(({ action }) => action)).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });
});

describe('the outputs', () => {
  it('tell how to read the password and add the repository', () => {
    const outputs = Object.keys(closed.findOutputs('*'));
    expect(outputs).toEqual([
      'ApiUrl',
      'TableName',
      'BucketName',
      'AdminSecretArn',
      'AdminPasswordCommand',
      'HelmRepoAdd',
    ]);
    expect(textOf(closed.findOutputs('HelmRepoAdd')['HelmRepoAdd']?.['Value'])).toMatch(
      /\| helm repo add chartroom <Api[^>]*> --username admin --password-stdin$/,
    );
  });

  it('ask for no password when access is open', () => {
    expect(Object.keys(open.findOutputs('*'))).toEqual(['ApiUrl', 'TableName', 'BucketName', 'HelmRepoAdd']);
    expect(textOf(open.findOutputs('HelmRepoAdd')['HelmRepoAdd']?.['Value'])).toMatch(
      /^helm repo add chartroom <Api[^>]*>$/,
    );
  });
});

it('asks for no account, no Docker and no custom resource', () => {
  const types = new Set([...resourcesOf(closed).values()].map(({ Type }) => Type.split('::')[1]));
  expect([...types].toSorted()).toEqual([
    'ApiGatewayV2',
    'DynamoDB',
    'IAM',
    'Lambda',
    'Logs',
    'S3',
    'SQS',
    'SecretsManager',
  ]);
});
