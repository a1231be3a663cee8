import { Aws, CfnOutput } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Construct } from 'constructs';
import { adminAccount, adminPasswordKey } from '../shared/contract.ts';
import type { AdminSecret } from './admin-secret.ts';
import type { ChartBucket } from './chart-bucket.ts';
import type { Indexer } from './indexer.ts';
import type { MetadataTable } from './metadata-table.ts';
import type { Operations } from './operations.ts';
import type { Seeder } from './seeder.ts';
import type { Repairer } from './upkeep.ts';

/** The account that a closed deployment begins with. */
export type Admin = { readonly secret: AdminSecret; readonly seed: Seeder };

type Parts = {
  readonly api: HttpApi;
  readonly metadata: MetadataTable;
  readonly charts: ChartBucket;
  readonly indexing: Indexer;
  readonly repair: Repairer;
  /** Absent without alarms. */
  readonly operations: Operations | undefined;
  /** Absent when access is open. */
  readonly admin: Admin | undefined;
};

/** What somebody who has just deployed types next. */
export function addOutputs(
  stack: Construct,
  { api, metadata, charts, indexing, repair, operations, admin }: Parts,
): void {
  const output = (id: string, description: string, value: string) =>
    new CfnOutput(stack, id, { description, value });
  output('ApiUrl', 'Address of the root repository', api.apiEndpoint);
  output('TableName', 'Table of versions', metadata.table.tableName);
  output('BucketName', 'Bucket of packages and indexes', charts.bucket.bucketName);
  output(
    'RepairFunctionName',
    'Tells what is wrong, and puts it right: docs/runbook.md',
    repair.function.functionName,
  );
  const { queueArn: deadLetters } = indexing.deadLetters;
  output('DeadLettersArn', 'Queue of the events that failed: docs/runbook.md#events-failed', deadLetters);
  output(
    'RedriveCommand',
    'Sends the events that failed to the indexer once more',
    `aws sqs start-message-move-task --region ${Aws.REGION} --source-arn ${deadLetters}`,
  );
  if (operations !== undefined) {
    output('AlarmTopicArn', 'Topic that is told when an alarm rings', operations.topic.topicArn);
    output('DashboardName', 'Dashboard in CloudWatch', operations.dashboardName);
  }
  const add = `helm repo add chartroom ${api.apiEndpoint}`;
  if (admin === undefined) {
    output('HelmRepoAdd', 'Adds the root repository to Helm', add);
    return;
  }
  const { secretArn } = admin.secret.secret;
  const password = passwordCommand(secretArn);
  output('AdminSecretArn', `Secret with the first password of "${adminAccount}"`, secretArn);
  output('AdminPasswordCommand', `Prints the first password of "${adminAccount}"`, password);
  output(
    'SeedAdminFunctionName',
    `Gives "${adminAccount}" its first password again: docs/runbook.md`,
    admin.seed.function.functionName,
  );
  output(
    'HelmRepoAdd',
    'Adds the root repository to Helm',
    `${password} | ${add} --username ${adminAccount} --password-stdin`,
  );
}

/** Needs nothing but the AWS CLI and sed: the secret is JSON, which the CLI's `--query` does not look into. */
function passwordCommand(secretArn: string): string {
  const read = `aws secretsmanager get-secret-value --region ${Aws.REGION} --secret-id ${secretArn} --query SecretString --output text`;
  return `${read} | sed -E 's/.*"${adminPasswordKey}": *"([^"]*)".*/\\1/'`;
}
