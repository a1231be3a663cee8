import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { fallback, routes } from '../../shared/routes.ts';
import { logicalPrefix, resource, resourceCounts, resourcesOf, synthesize, textOf } from './synthesize.ts';

const closed = synthesize();

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
      key: `${method} ${path}`,
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
    const called = [...new Set(routes.map(({ handler }) => handler)), fallback];
    closed.resourceCountIs('AWS::ApiGatewayV2::Integration', called.length);
    const permitted = [...resourcesOf(closed, 'AWS::Lambda::Permission').values()].flatMap(
      ({ Properties: { Principal: principal, FunctionName: name } }) =>
        principal === 'apigateway.amazonaws.com' ? [textOf(name)] : [],
    );
    expect(permitted).toHaveLength(called.length);
    expect(new Set(permitted).size).toBe(permitted.length);
    closed.allResourcesProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
  });

  it('may call the fallback, whose route has a shorter ARN than the others', () => {
    const [, permission] = resource(closed, 'AWS::Lambda::Permission', logicalPrefix(fallback));
    expect(textOf(permission.Properties['SourceArn'])).toMatch(/<Api[^>]*>\/\*\/\*$/);
  });

  it('has neither routes nor functions below /api where that is off', () => {
    const template = synthesize({ apiEnabled: false });
    const keys = [...resourcesOf(template, 'AWS::ApiGatewayV2::Route').values()].map(({ Properties }) =>
      String(Properties['RouteKey']),
    );
    const wanted = routes.filter(({ path }) => !path.startsWith('/api/'));
    expect(keys.toSorted()).toEqual(
      [...wanted.map(({ method, path }) => `${method} ${path}`), '$default'].toSorted(),
    );
    expect(() => resource(template, 'AWS::Lambda::Function', logicalPrefix('publish-package'))).toThrow(
      '0 resources',
    );
  });

  it('leaves room in each stack, and keeps their names: another one would make all that is in it anew', () => {
    const counts = resourceCounts();
    expect(Object.keys(counts)).toEqual([
      'Chartroom',
      'ChartroomCanary67C613F1',
      'ChartroomDataB500A57E',
      'ChartroomHarborD6DDD492',
      'ChartroomOneChart9052A74A',
      'ChartroomOperationsD9407D9B',
    ]);
    // CloudFormation takes 500: what is still to come belongs into nested stacks.
    for (const count of Object.values(counts)) expect(count).toBeLessThanOrEqual(405);
  });

  it('has fewer routes than API Gateway allows without being asked', () => {
    expect(routes.length).toBeLessThan(300);
  });
});

describe('calls from browsers', () => {
  it("are nobody's business unless an origin is set", () => {
    for (const type of ['AWS::ApiGatewayV2::Api', 'AWS::S3::Bucket']) {
      expect(resource(closed, type)[1].Properties).not.toHaveProperty('CorsConfiguration');
    }
  });

  it.each(['https://app.example.com', '*'])('of %s may use every route with what clients send', (origin) => {
    const template = synthesize({ corsAllowOrigin: origin });
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: {
        AllowOrigins: [origin],
        AllowMethods: [...new Set(routes.map(({ method }) => method))],
        AllowHeaders: Match.arrayWith([
          'Authorization',
          'Content-Type',
          'If-None-Match',
          'Range',
          'X-Request-Id',
        ]),
        ExposeHeaders: Match.arrayWith([
          'ETag',
          'Location',
          'Retry-After',
          'WWW-Authenticate',
          'X-Request-Id',
        ]),
        AllowCredentials: Match.absent(),
        MaxAge: 3600,
      },
    });
    // After a redirect to another origin a browser's is `null`.
    template.hasResourceProperties('AWS::S3::Bucket', {
      CorsConfiguration: {
        CorsRules: [Match.objectLike({ AllowedOrigins: ['*'], AllowedMethods: ['GET', 'HEAD', 'POST'] })],
      },
    });
  });
});

it('asks for no account, no Docker, and no custom resource but the account of the admin and the schema', () => {
  const types = new Set([...resourcesOf(closed).values()].map(({ Type }) => Type.split('::')[1]));
  expect([...types].toSorted()).toEqual([
    'AdminAccount',
    'ApiGatewayV2',
    'CloudWatch',
    'DataSchema',
    'DynamoDB',
    'Events',
    'IAM',
    'Lambda',
    'Logs',
    'S3',
    'SNS',
    'SQS',
    'SecretsManager',
  ]);
});
