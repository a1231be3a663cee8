import { Aws, NestedStack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Dashboard, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { type AlarmRow, alarmRows } from './alarms.ts';
import type { Watched } from './cloud-metrics.ts';
import { dashboardRows } from './dashboard.ts';

export type OperationsProps = {
  readonly watched: Watched;
  /** Who is told when an alarm rings, once they confirmed it. @default nobody */
  readonly alarmEmail?: string;
  /** Where this deployment's operators read docs/runbook.md. @default they have the repository */
  readonly runbookUrl?: string;
};

/** What tells an operator how it goes: alarms, the topic that they speak to, and a dashboard. */
export class Operations extends NestedStack {
  readonly topic: Topic;
  readonly dashboardName: string;

  constructor(scope: Construct, id: string, { watched, alarmEmail = '', runbookUrl = '' }: OperationsProps) {
    super(scope, id, { description: 'Chartroom: alarms and the dashboard' });
    // Not encrypted by KMS: CloudWatch may not use the key that AWS keeps for SNS, one of our own costs a dollar a
    // month, and what is sent are names of alarms, thresholds and values.
    this.topic = new Topic(this, 'Topic', { enforceSSL: true });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    if (alarmEmail !== '') this.topic.addSubscription(new EmailSubscription(alarmEmail));

    const runbook = runbookUrl === '' ? 'docs/runbook.md' : runbookUrl;
    const alarms = alarmRows(watched).map((row) => ({ row, alarm: this.#alarm(row, watched, runbook) }));
    // An account has its dashboards for all regions together.
    this.dashboardName = `${watched.stackName}-${Aws.REGION}`;
    new Dashboard(this, 'Dashboard', {
      dashboardName: this.dashboardName,
      widgets: dashboardRows(watched, alarms),
    });
  }

  #alarm(row: AlarmRow, { stackName }: Watched, runbook: string): Alarm {
    const alarm = new Alarm(this, row.name, {
      alarmName: `${stackName}-${row.name}`,
      alarmDescription: `${row.means} What to do: ${runbook}#${row.section}`,
      metric: row.metric,
      threshold: row.threshold,
      comparisonOperator: row.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: row.within ?? row.periods ?? 1,
      datapointsToAlarm: row.periods ?? 1,
      treatMissingData: row.whenMissing ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    return alarm;
  }
}
