import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { functionIds } from '../../infra/functions.ts';
import { parseSettings } from '../../infra/settings.ts';
import { SettingsError } from '../../shared/domain/settings.ts';
import { resource, resourcesOf, rightsOf, synthesize, textOf } from './synthesize.ts';

const parse = (context: Record<string, unknown>) =>
  parseSettings((key) => context[key], Object.keys(context));

const domainName = 'charts.example.com';
const certificateArn = 'arn:aws:acm:eu-central-1:123456789012:certificate/1b2c-3d';
const kmsKeyArn = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const domain = { domainName, certificateArn };

// Few, since each takes a second: what they change does not meet.
const plain = synthesize();
const contextPath = '/x/y';
const hostedZoneId = 'Z0123456789';
const named = synthesize({ ...domain, contextPath, hostedZoneId, disableExecuteApiEndpoint: true });
const limits = { throttleRate: '50', throttleBurst: '100' };
const guarded = synthesize({ kmsKeyArn, logRetentionDays: 365, ...limits });
const tags = { team: 'apps', 'cost centre': '42' };
const [one, other] = [
  synthesize({ ...domain, tags, stackName: 'One' }),
  synthesize({ ...domain, tags, stackName: 'Other' }),
];
const open = synthesize({ access: 'open', accessReason: 'a test', accessLog: false });

const outputs = (template: Template): Record<string, string> =>
  Object.fromEntries(
    Object.entries(template.toJSON()['Outputs'] as Record<string, { Value: unknown }>).map(
      ([name, { Value }]) => [name, textOf(Value)],
    ),
  );

describe('a domain name', () => {
  const mapping = (template: Template) => ({
    DomainName: { Ref: resource(template, 'AWS::ApiGatewayV2::DomainName')[0] },
    ApiId: { Ref: resource(template, 'AWS::ApiGatewayV2::Api')[0] },
    Stage: '$default',
  });

  it('is served over TLS 1.2 in the region', () => {
    one.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: domainName,
      DomainNameConfigurations: [
        { CertificateArn: certificateArn, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' },
      ],
    });
  });

  it('leads to the API, below the context path where there is one', () => {
    one.hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', {
      ...mapping(one),
      ApiMappingKey: Match.absent(),
    });
    named.hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', { ...mapping(named), ApiMappingKey: 'x/y' });
  });

  it.each([
    { template: one, name: 'one', url: `https://${domainName}` },
    { template: named, name: 'chartroom', url: `https://${domainName}/x/y` },
  ])('is what the outputs speak of: $url', ({ template, name, url }) => {
    const { ApiUrl, HelmRepoAdd: add, PublishCommand: publish } = outputs(template);
    expect(ApiUrl).toBe(url);
    expect(add).toContain(`helm repo add ${name} ${url} --force-update `);
    expect(publish?.endsWith(`${url}/api/charts`)).toBe(true);
  });

  it('tells what a DNS record leads to', () => {
    const { DomainTarget: target, DomainTargetHostedZoneId: zone } = outputs(one);
    expect([target, zone]).toEqual([expect.stringContaining('Domain'), expect.stringContaining('Domain')]);
    expect(outputs(plain)).not.toHaveProperty('DomainTarget');
  });

  it('gets a record where a hosted zone is given', () => {
    one.resourceCountIs('AWS::Route53::RecordSet', 0);
    const [name] = resource(named, 'AWS::ApiGatewayV2::DomainName');
    named.hasResourceProperties('AWS::Route53::RecordSet', {
      Name: domainName,
      Type: 'A',
      HostedZoneId: hostedZoneId,
      AliasTarget: {
        DNSName: { 'Fn::GetAtt': [name, 'RegionalDomainName'] },
        HostedZoneId: { 'Fn::GetAtt': [name, 'RegionalHostedZoneId'] },
      },
    });
  });

  it('is the only address once the other is disabled', () => {
    const disabled = (DisableExecuteApiEndpoint: unknown) => ({ DisableExecuteApiEndpoint });
    named.hasResourceProperties('AWS::ApiGatewayV2::Api', disabled(true));
    one.hasResourceProperties('AWS::ApiGatewayV2::Api', disabled(Match.absent()));
  });
});

describe("a key of the account's", () => {
  const template = guarded;
  const usesOf = (id: string) =>
    rightsOf(template, id)
      .filter(({ action }) => action.startsWith('kms:'))
      .map(({ action, on, condition }) => {
        const { StringEquals: equals } = condition as { StringEquals: Record<string, unknown> };
        expect([on, Object.keys(equals)]).toEqual([kmsKeyArn, ['kms:ViaService']]);
        return `${action} by ${textOf(equals['kms:ViaService']).split('.')[0]}`;
      })
      .toSorted();

  it('encrypts the bucket, the table, the queues, the secret and every log', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: kmsKeyArn },
          },
        ],
      },
    });
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: kmsKeyArn },
    });
    template.resourceCountIs('AWS::SQS::Queue', 2);
    template.allResourcesProperties('AWS::SQS::Queue', {
      KmsMasterKeyId: kmsKeyArn,
      SqsManagedSseEnabled: Match.absent(),
    });
    template.hasResourceProperties('AWS::SecretsManager::Secret', { KmsKeyId: kmsKeyArn });
    template.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: kmsKeyArn });
  });

  it('is not made by the stack, nor are its data', () => {
    template.resourceCountIs('AWS::KMS::Key', 0);
    expect([...resourcesOf(template).keys()]).toEqual([...resourcesOf(plain).keys()]);
  });

  it.each(functionIds)('may be used by %s for what it may touch, and no more', (id) => {
    const rights = rightsOf(template, id).map(({ action }) => action);
    const may = (action: string) => rights.some((each) => each.startsWith(action));
    const expected = [
      ...(may('dynamodb:') ? ['kms:Decrypt by dynamodb'] : []),
      ...(may('s3:GetObject') ? ['kms:Decrypt by s3'] : []),
      ...(may('s3:PutObject') ? ['kms:GenerateDataKey by s3'] : []),
      ...(may('secretsmanager:GetSecretValue') ? ['kms:Decrypt by secretsmanager'] : []),
      ...(may('sqs:ReceiveMessage') ? ['kms:Decrypt by sqs'] : []),
    ];
    expect(usesOf(id)).toEqual(expected.toSorted());
    if (may('s3:AbortMultipartUpload')) expect(usesOf(id)).toContain('kms:Decrypt by s3');
  });

  it('is needed by nobody where there is none', () => {
    for (const id of functionIds) {
      expect(rightsOf(plain, id).filter(({ action }) => action.startsWith('kms:'))).toEqual([]);
    }
  });
});

describe('logs', () => {
  it('are all kept as long as the setting says', () => {
    guarded.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
  });

  const format = ({ Properties }: { readonly Properties: Record<string, unknown> }) => {
    const { Format, DestinationArn } = Properties['AccessLogSettings'] as Record<string, unknown>;
    return { line: JSON.parse(String(Format)) as Record<string, string>, to: DestinationArn };
  };

  it('have a line for each request, with neither header, query nor path', () => {
    const { line, to } = format(resource(plain, 'AWS::ApiGatewayV2::Stage')[1]);
    expect(Object.values(line).toSorted()).toEqual([
      '$context.identity.sourceIp',
      '$context.integrationErrorMessage',
      '$context.requestId',
      '$context.responseLatency',
      '$context.responseLength',
      '$context.routeKey',
      '$context.status',
    ]);
    const [group] = resource(plain, 'AWS::Logs::LogGroup', 'ApiAccessLog');
    expect(to).toEqual({ 'Fn::GetAtt': [group, 'Arn'] });
  });

  it('have none where that is off', () => {
    open.hasResourceProperties('AWS::ApiGatewayV2::Stage', { AccessLogSettings: Match.absent() });
    expect([...resourcesOf(open, 'AWS::Logs::LogGroup').keys()].join()).not.toContain('AccessLog');
  });
});

describe('throttling', () => {
  it("is the account's alone unless it is set", () => {
    plain.hasResourceProperties('AWS::ApiGatewayV2::Stage', { DefaultRouteSettings: Match.absent() });
  });

  it('is that of the one stage', () => {
    guarded.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
    });
  });
});

describe('tags', () => {
  // They are parts of others, or take none.
  const untagged = [
    'AWS::ApiGatewayV2::ApiMapping',
    'AWS::ApiGatewayV2::Integration',
    'AWS::ApiGatewayV2::Route',
    'AWS::IAM::Policy',
    'AWS::Lambda::Permission',
    'AWS::S3::BucketPolicy',
    'AWS::SQS::QueuePolicy',
    'Custom::AdminAccount',
    'Custom::DataSchema',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::SNS::TopicPolicy',
  ];

  it('are on everything that takes some', () => {
    for (const [id, { Type, Properties }] of resourcesOf(one)) {
      const isTagged = /"team"/.test(JSON.stringify(Properties['Tags'] ?? ''));
      expect([id, isTagged]).toEqual([id, !untagged.includes(Type)]);
    }
    one.hasResourceProperties('AWS::S3::Bucket', {
      Tags: Match.arrayWith([
        { Key: 'cost centre', Value: '42' },
        { Key: 'team', Value: 'apps' },
      ]),
    });
  });

  it.each([
    {
      why: 'an object',
      tags: { team: 'apps', 'cost:centre': '' },
      read: { team: 'apps', 'cost:centre': '' },
    },
    { why: 'text, as on the command line', tags: 'team=apps,url=a=b', read: { team: 'apps', url: 'a=b' } },
    { why: 'nothing', tags: '', read: {} },
  ])('are read from $why', ({ tags, read }) => {
    expect(parse({ tags }).tags).toEqual(read);
  });
});

describe('several stacks in one account', () => {
  it('share no name, but for a domain that both were given', () => {
    // They need to be unique nowhere, or within what they belong to.
    const descriptive = new Set(['AWS::ApiGatewayV2::Api', 'AWS::ApiGatewayV2::Stage', 'AWS::IAM::Policy']);
    // Of what the stack itself has: CloudFormation names that by the stack.
    const isReference = (value: unknown) => /^<[^>]*>$/.test(textOf(value));
    const namesIn = (template: Template) =>
      [...resourcesOf(template)].flatMap(([, { Type, Properties }]) =>
        Object.entries(Properties)
          .filter(
            ([key, value]) =>
              key.endsWith('Name') && key !== 'MetricName' && !isReference(value) && !descriptive.has(Type),
          )
          .map(([key, value]) => `${Type} ${key} ${textOf(value)}`),
      );
    const names = new Set(namesIn(other));
    expect(namesIn(one).filter((name) => names.has(name))).toEqual([
      `AWS::ApiGatewayV2::DomainName DomainName ${domainName}`,
    ]);
  });

  it('export nothing, so that they cannot export the same', () => {
    for (const template of [one, other]) {
      for (const output of Object.values(template.toJSON()['Outputs'] as object)) {
        expect(output).not.toHaveProperty('Export');
      }
    }
  });
});

describe('the commands that are put out', () => {
  it('publish with the password, which no other process sees', () => {
    const { PublishCommand: publish } = outputs(plain);
    expect(publish).toMatch(
      /^aws secretsmanager get-secret-value .* \| sed -E .* \| curl --config - --data-binary @mychart-0\.1\.0\.tgz \S+\/api\/charts$/,
    );
  });

  it('publish without one where access is open', () => {
    const { PublishCommand: publish } = outputs(open);
    expect(publish).toMatch(/^curl --data-binary @mychart-0\.1\.0\.tgz \S+\/api\/charts$/);
  });

  it('publish by the bucket where there is no API', () => {
    const { PublishCommand: publish } = outputs(synthesize({ apiEnabled: false }));
    expect(publish).toMatch(
      /^aws s3 cp mychart-0\.1\.0\.tgz s3:\/\/<Charts\w+>\/inbox\/-\/mychart-0\.1\.0\.tgz$/,
    );
  });
});

describe('what cannot be used', () => {
  it.each<{ why: string; context: Record<string, unknown>; says: RegExp }>([
    { why: 'a name without a certificate', context: { domainName }, says: /"certificateArn" go together/ },
    {
      why: 'a certificate without a name',
      context: { certificateArn },
      says: /"certificateArn" go together/,
    },
    ...['Charts.example.com', 'https://charts.example.com', '*.example.com', 'charts', 'a_b.example.com'].map(
      (name) => ({ why: `the name ${name}`, context: { ...domain, domainName: name }, says: /host name/ }),
    ),
    {
      why: 'a certificate of IAM',
      context: { ...domain, certificateArn: 'arn:aws:iam::1:x' },
      says: /in ACM/,
    },
    { why: 'a zone without a name', context: { hostedZoneId: 'Z012' }, says: /set "domainName"/ },
    {
      why: 'a zone by its name',
      context: { ...domain, hostedZoneId: 'example.com' },
      says: /"hostedZoneId"/,
    },
    { why: 'no address at all', context: { disableExecuteApiEndpoint: true }, says: /set "domainName"/ },
    { why: 'a base path that API Gateway refuses', context: { ...domain, contextPath: '/~x' }, says: /"~"/ },
    {
      why: 'an alias of a key',
      context: { kmsKeyArn: kmsKeyArn.replace('key/', 'alias/') },
      says: /not of an alias/,
    },
    { why: "a key's id alone", context: { kmsKeyArn: '1234abcd' }, says: /"kmsKeyArn"/ },
    {
      why: 'days that CloudWatch does not know',
      context: { logRetentionDays: 31 },
      says: /1, 3, 5, 7, 14, 30,/,
    },
    { why: 'logs for ever', context: { logRetentionDays: 9999 }, says: /"logRetentionDays"/ },
    { why: 'a rate without a burst', context: { throttleRate: 5 }, says: /"throttleBurst" go together/ },
    { why: 'a burst without a rate', context: { throttleBurst: 5 }, says: /"throttleBurst" go together/ },
    { why: 'a list of tags', context: { tags: ['a=b'] }, says: /an object of texts/ },
    { why: 'a tag without a value', context: { tags: 'team' }, says: /an object of texts/ },
    { why: 'one tag twice', context: { tags: 'a=1,a=2' }, says: /an object of texts/ },
    { why: 'a tag of AWS', context: { tags: { 'AWS:team': 'x' } }, says: /do not begin with "aws:"/ },
    { why: 'a tag without a name', context: { tags: { '': 'x' } }, says: /"tags\."/ },
    { why: 'a tag that is a number', context: { tags: { cost: 42 } }, says: /"tags\.cost" cannot be 42/ },
    { why: 'a tag with a strange sign', context: { tags: { team: 'a;b' } }, says: /"tags\.team"/ },
    { why: 'a long tag', context: { tags: { team: 'x'.repeat(257) } }, says: /at most 256/ },
    { why: 'a long name of a tag', context: { tags: { ['x'.repeat(129)]: 'x' } }, says: /one to 128/ },
    {
      why: 'more tags than AWS takes',
      context: { tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, 'x'])) },
      says: /more than 50 tags/,
    },
  ])('is refused: $why', ({ context, says }) => {
    expect(() => parse(context)).toThrow(SettingsError);
    expect(() => parse(context)).toThrow(says);
  });

  it.each([
    { setting: 'certificateArn', context: domain },
    { setting: 'kmsKeyArn', context: { kmsKeyArn } },
  ])('is refused in another region, where one is known: $setting', ({ setting, context }) => {
    const parseIn = (region: string | undefined) => parseSettings((key) => context[key as never], [], region);
    expect(() => parseIn('us-east-1')).toThrow(SettingsError);
    expect(() => parseIn('us-east-1')).toThrow(
      `"${setting}" is of eu-central-1, and this deployment goes to`,
    );
    for (const region of ['eu-central-1', undefined]) expect(parseIn(region)).toMatchObject(context);
  });
});
