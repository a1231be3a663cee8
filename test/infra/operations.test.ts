import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { Operations } from '../../infra/operations.ts';
import { metricNamespace, metrics } from '../../shared/metrics.ts';
import { headings } from '../headings.ts';
import { environmentOf, resource, resourcesOf, synthesize, textOf } from './synthesize.ts';

const closed = synthesize();
const read = (file: string) => readFile(path.join(import.meta.dirname, '../../docs', file), 'utf8');

type Metric = { readonly namespace: string; readonly name: string; readonly dimensions: Dimensions };
type Dimensions = Readonly<Record<string, string>>;

type Alarm = Metric & {
  readonly alarmName: string;
  readonly description: string;
  readonly actions: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
};

function alarmsOf(template: Template): readonly Alarm[] {
  return [...resourcesOf(template, 'AWS::CloudWatch::Alarm').values()].map(({ Properties: properties }) => {
    const dimensions = (properties['Dimensions'] ?? []) as readonly { Name: string; Value: unknown }[];
    return {
      namespace: String(properties['Namespace']),
      name: String(properties['MetricName']),
      dimensions: Object.fromEntries(dimensions.map(({ Name, Value }) => [Name, textOf(Value)])),
      alarmName: textOf(properties['AlarmName']),
      description: textOf(properties['AlarmDescription']),
      actions: (properties['AlarmActions'] as readonly unknown[]).map(textOf),
      properties,
    };
  });
}

type Widget = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: { readonly metrics?: readonly unknown[][]; readonly alarms?: readonly string[] };
};

function dashboardOf(template: Template): { readonly name: string; readonly widgets: readonly Widget[] } {
  const [, { Properties: properties }] = resource(template, 'AWS::CloudWatch::Dashboard');
  const { widgets }: { widgets: readonly Widget[] } = JSON.parse(textOf(properties['DashboardBody']));
  return { name: textOf(properties['DashboardName']), widgets };
}

/** What a widget's row of a metric says: namespace, name, the dimensions by turns, and how it is drawn. */
function metricsOf(widgets: readonly Widget[]): readonly Metric[] {
  const rows = widgets.flatMap(({ properties }) => properties.metrics ?? []);
  return rows.map((row) => {
    const [namespace = '', name = '', ...rest] = row.filter((cell) => typeof cell === 'string');
    const pairs = rest.flatMap((key, at) => (at % 2 === 0 ? [[key, rest[at + 1] ?? '']] : []));
    return { namespace, name, dimensions: Object.fromEntries(pairs) as Dimensions };
  });
}

/** Alarms and dashboard by themselves, with a canary that runs as often as this. */
function withCanary(canaryMinutes: number): Template {
  const stack = new Stack(new App(), 'Test');
  const aFunction = (id: string) => ({
    function: new LambdaFunction(stack, id, {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('exports.handler = async () => {};'),
    }),
  });
  const [queue, deadLetters] = [new Queue(stack, 'Queue'), new Queue(stack, 'DeadLetters')];
  const partitionKey = { name: 'pk', type: AttributeType.STRING };
  return Template.fromStack(
    new Operations(stack, 'Operations', {
      watched: {
        stackName: 'Test',
        api: new HttpApi(stack, 'Api'),
        table: new Table(stack, 'Table', { partitionKey }),
        indexing: { ...aFunction('Indexer'), queue, deadLetters },
        reconciling: aFunction('Reconciler'),
        repair: aFunction('Repairer'),
        canaryMinutes,
      },
    }),
  );
}

/** By which dimension a service tells its resources apart, and what makes them. */
const services: Readonly<Record<string, readonly [dimension: string, type: string]>> = {
  'AWS/ApiGateway': ['ApiId', 'AWS::ApiGatewayV2::Api'],
  'AWS/DynamoDB': ['TableName', 'AWS::DynamoDB::Table'],
  'AWS/Lambda': ['FunctionName', 'AWS::Lambda::Function'],
  'AWS/SQS': ['QueueName', 'AWS::SQS::Queue'],
};

function expectToExist({ namespace, name, dimensions }: Metric): void {
  if (namespace === metricNamespace) {
    expect(Object.keys(metrics)).toContain(name);
    const { POWERTOOLS_SERVICE_NAME: service } = environmentOf(closed, 'index-repositories');
    expect(dimensions, name).toEqual({ service });
    return;
  }
  const [dimension, type] = services[namespace] ?? [];
  // Those of all functions together have none.
  if (namespace === 'AWS/Lambda' && /^(Throttles|ConcurrentExecutions)$/.test(name)) {
    expect(dimensions).toEqual({});
    return;
  }
  const ids = [...resourcesOf(closed, type).keys()].map((id) => `<${id}>`);
  expect(Object.keys(dimensions), name).toEqual([dimension]);
  expect(ids).toContain(dimensions[dimension ?? '']);
}

describe('an alarm', () => {
  const alarms = alarmsOf(closed);

  it('is there for all that an operator must hear of', () => {
    expect(alarms.map(({ alarmName }) => alarmName.replace('Chartroom-', '')).toSorted()).toEqual(
      [
        'BadCredentials',
        'CanaryFailed',
        'CollectionSize',
        'DamageFound',
        'DeadLetters',
        'EventsWait',
        'FunctionsThrottled',
        'IndexShrank',
        'IndexSize20MB',
        'IndexSize40MB',
        'IndexSize5MB',
        'IndexerErrors',
        'OldestMark',
        'PointerLost',
        'ReadsThrottled',
        'ReconcilerErrors',
        'RefreshFailed',
        'RepairerErrors',
        'ServerErrors',
        'WritesThrottled',
      ].toSorted(),
    );
  });

  it.each(alarms)('$alarmName watches what is written, and tells the topic', (alarm) => {
    expectToExist(alarm);
    const [topic] = resource(closed, 'AWS::SNS::Topic');
    expect(alarm.actions).toEqual([`<${topic}>`]);
  });

  it.each([...alarms, ...alarmsOf(withCanary(15))])(
    '$alarmName leads to a section of the runbook, and is explained',
    async ({ alarmName, description }) => {
      const [, anchor] = /^[A-Z][^#]*\. What to do: docs\/runbook\.md#([a-z0-9-]+)$/.exec(description) ?? [];
      const [, name = ''] = alarmName.split('-');
      const sections = (await read('runbook.md')).split(/^(?=## )/m);
      const section = sections.find((text) => headings(text)[0] === anchor);
      expect(section).toContain(`\`${name}\``);
      expect(await read('operations.md')).toContain(`| \`${name}\` |`);
    },
  );

  it.each(alarms)('$alarmName holds a threshold against no more than CloudWatch takes', ({ properties }) => {
    const { Period: period, EvaluationPeriods: periods } = properties as Record<string, number>;
    const seconds = Number(period) * Number(periods);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(Number(period) < 3600 ? 86_400 : 604_800);
  });

  it('costs what README.md says', async () => {
    const sum = (alarms.length * 0.1).toFixed(2);
    expect(await read('../README.md')).toMatch(new RegExp(`\\| ${alarms.length} alarms \\| \\$${sum} \\|`));
  });

  it('is quiet while nothing is counted', () => {
    for (const { name, properties } of alarms) {
      // A canary that does not run is one that failed.
      const quiet = name === 'CanarySucceeded' ? ['breaching'] : ['notBreaching', 'ignore'];
      expect(quiet).toContain(properties['TreatMissingData']);
    }
  });

  it('on what DynamoDB counts asks to be over once that says nothing', () => {
    const throttled = alarms.filter(({ namespace }) => namespace === 'AWS/DynamoDB');
    expect(throttled.map(({ name }) => name).toSorted()).toEqual([
      'ReadThrottleEvents',
      'WriteThrottleEvents',
    ]);
    for (const { properties } of throttled) {
      expect(properties).toMatchObject({ TreatMissingData: 'notBreaching', Period: 300, Statistic: 'Sum' });
    }
  });

  it('rings for more wrong passwords than one account is let guess from one address', () => {
    const bad = alarms.find(({ name }) => name === 'BadCredentials');
    // Twenty at the end of one five minutes, and twenty as the next begin.
    expect(bad?.properties['Threshold']).toBeGreaterThan(2 * 20);
    expect(bad?.properties['Period']).toBe(300);
  });

  it('on what a repository grows to looks back over the last two daily passes', () => {
    const growing = alarms.filter(({ name }) => /^(IndexSize|CollectionSize)$/.test(name));
    expect(growing).toHaveLength(4);
    for (const { properties } of growing) {
      expect(properties).toMatchObject({ Period: 86_400, EvaluationPeriods: 2, DatapointsToAlarm: 1 });
    }
  });

  it('links the runbook where the settings say that it is', () => {
    const linked = alarmsOf(synthesize({ runbookUrl: 'https://wiki.example.com/a?b=c' }));
    expect(linked).toHaveLength(alarms.length);
    for (const { description } of linked) {
      expect(description).toMatch(/\. What to do: https:\/\/wiki\.example\.com\/a\?b=c#[a-z0-9-]+$/);
    }
  });

  it('rings for the indexes by their size', () => {
    const sizes = alarms.filter(({ name }) => name === 'IndexSize');
    expect(sizes.map(({ properties }) => properties['Threshold'])).toEqual([5e6, 20e6, 40e6]);
    expect(sizes.map(({ properties }) => properties['Statistic'])).toEqual(['Maximum', 'Maximum', 'Maximum']);
  });

  it('rings where a canary fails, or does not come', () => {
    const canary = alarmsOf(withCanary(15)).find(({ alarmName }) => alarmName === 'Test-CanaryFailed');
    expect(canary?.properties).toMatchObject({
      Namespace: metricNamespace,
      MetricName: 'CanarySucceeded',
      Dimensions: [{ Name: 'service', Value: 'Test' }],
      Statistic: 'Maximum',
      Period: 30 * 60,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
    expect(alarmsOf(withCanary(0)).map(({ alarmName }) => alarmName)).not.toContain('Test-CanaryFailed');
  });
});

describe('the topic', () => {
  const [topic] = resource(closed, 'AWS::SNS::Topic');

  it("takes what CloudWatch says of this account's alarms, over TLS alone", () => {
    closed.hasResourceProperties('AWS::SNS::TopicPolicy', {
      Topics: [{ Ref: topic }],
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Deny',
            Principal: '*',
            Action: 'sns:Publish',
            Resource: { Ref: topic },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
          {
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: 'sns:Publish',
            Resource: { Ref: topic },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
    });
  });

  it('tells the address of the settings, and nobody without one', () => {
    closed.resourceCountIs('AWS::SNS::Subscription', 0);
    const template = synthesize({ alarmEmail: 'ops@example.com' });
    template.resourceCountIs('AWS::SNS::Subscription', 1);
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
      TopicArn: { Ref: topic },
    });
  });
});

describe('the dashboard', () => {
  const { name, widgets } = dashboardOf(closed);

  it('begins with the state of every alarm', () => {
    const ids = [...resourcesOf(closed, 'AWS::CloudWatch::Alarm').keys()].map((id) => `<${id}>`);
    expect(widgets[0]?.properties.alarms).toEqual(ids);
  });

  it('shows only what is written', () => {
    const shown = metricsOf(widgets);
    expect(shown.length).toBeGreaterThan(30);
    for (const metric of shown) expectToExist(metric);
  });

  it('shows every metric of our own, those of a canary where there is one', () => {
    const own = (template: Template) =>
      new Set(
        metricsOf(dashboardOf(template).widgets).flatMap((metric) =>
          metric.namespace === metricNamespace ? metric.name : [],
        ),
      );
    const all = Object.keys(metrics).toSorted();
    expect([...own(closed)].toSorted()).toEqual(all);
    expect([...own(withCanary(0))].toSorted()).toEqual(all.filter((metric) => !metric.startsWith('Canary')));
  });

  it('draws the thresholds of what grows', () => {
    type Annotated = {
      readonly annotations?: { readonly horizontal: readonly { readonly value: number }[] };
    };
    const drawn = widgets.flatMap(
      ({ properties }) => (properties as Annotated).annotations?.horizontal ?? [],
    );
    expect(drawn.map(({ value }) => value)).toEqual([600, 5e6, 20e6, 40e6]);
  });

  it('has no widget over another, and none beyond the edge', () => {
    const cells = dashboardOf(withCanary(15)).widgets.flatMap(({ x, y, width, height }) => {
      expect(x + width).toBeLessThanOrEqual(24);
      return Array.from(
        { length: width * height },
        (_, at) => `${x + (at % width)},${y + Math.floor(at / width)}`,
      );
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('has a name of its own in the account, which holds those of all regions', () => {
    expect(name).toBe('Chartroom-<AWS::Region>');
    expect(name).toMatch(/^[A-Za-z0-9_<>:-]+$/);
  });
});

describe('several stacks in one account', () => {
  it('share no name of an alarm or a dashboard', () => {
    const other = synthesize({ stackName: 'Chartroom-Second' });
    const names = [closed, other].flatMap((template) => [
      dashboardOf(template).name,
      ...alarmsOf(template).map(({ alarmName }) => alarmName),
    ]);
    expect(new Set(names).size).toBe(names.length);
    for (const { alarmName } of alarmsOf(other)) expect(alarmName).toMatch(/^Chartroom-Second-[A-Za-z0-9]+$/);
    for (const { namespace, dimensions } of alarmsOf(other)) {
      if (namespace === metricNamespace) expect(dimensions).toEqual({ service: 'Chartroom-Second' });
    }
  });
});

describe('without alarms', () => {
  const template = synthesize({ alarms: false });

  it('there is neither alarm nor topic nor dashboard, and no output of theirs', () => {
    const types = new Set([...resourcesOf(template).values()].map(({ Type }) => Type.split('::')[1]));
    expect(types).not.toContain('CloudWatch');
    expect(types).not.toContain('SNS');
    const { Outputs: outputs } = template.toJSON() as { Outputs: object };
    expect(Object.keys(outputs)).not.toContain('AlarmTopicArn');
    expect(Object.keys(outputs)).toContain('RedriveCommand');
  });
});
