import { Aws, CfnOutput, type Stack } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { adminAccount, adminPasswordKey, prefixes } from '../shared/contract.ts';
import type { AdminSecret } from './admin-secret.ts';
import type { ChartBucket } from './chart-bucket.ts';
import type { Domain } from './domain.ts';
import type { Indexer } from './indexer.ts';
import type { MetadataTable } from './metadata-table.ts';
import type { Operations } from './operations.ts';
import type { Seeder } from './seeder.ts';
import type { Repairer } from './upkeep.ts';

/** The account that a closed deployment begins with. */
export type Admin = { readonly secret: AdminSecret; readonly seed: Seeder };

type Parts = {
  readonly api: HttpApi;
  /** Absent without a name of its own. */
  readonly domain: Domain | undefined;
  /** Whether packages are published by the API. */
  readonly apiEnabled: boolean;
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
export function addOutputs(stack: Stack, parts: Parts): void {
  const { api, domain, metadata, charts, indexing, repair, operations, admin } = parts;
  const url = domain?.url ?? api.apiEndpoint;
  const output = (id: string, description: string, value: string) =>
    new CfnOutput(stack, id, { description, value });
  output('ApiUrl', 'Address of the root repository', url);
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
  if (domain !== undefined) {
    output('DomainTarget', 'What a DNS record of the domain name leads to', domain.target);
    output('DomainTargetHostedZoneId', 'Zone of that, for an alias record', domain.targetHostedZoneId);
  }
  output('PublishCommand', 'Publishes a package to the root repository', publishCommand(parts, url));
  // Helm refuses a name that it has for another address, which the one of `npm start` may have been.
  const add = `helm repo add ${stack.stackName.toLowerCase()} ${url} --force-update`;
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

const PACKAGE = 'mychart-0.1.0.tgz';

function publishCommand(
  { admin, apiEnabled, charts }: Pick<Parts, 'admin' | 'apiEnabled' | 'charts'>,
  url: string,
): string {
  if (!apiEnabled) {
    return `aws s3 cp ${PACKAGE} s3://${charts.bucket.bucketName}/${prefixes.inbox}-/${PACKAGE}`;
  }
  const post = `--data-binary @${PACKAGE} ${url}/api/charts`;
  if (admin === undefined) return `curl ${post}`;
  // By a pipe: others on the same computer may see what a command is called with.
  const config = passwordCommand(admin.secret.secret.secretArn, `user = "${adminAccount}:\\1"`);
  return `${config} | curl --config - ${post}`;
}

/**
 * Needs nothing but the AWS CLI and sed: the secret is JSON, which the CLI's `--query` does not look into.
 *
 * @param shown what is printed, with `\1` for the password
 */
function passwordCommand(secretArn: string, shown = '\\1'): string {
  const read = `aws secretsmanager get-secret-value --region ${Aws.REGION} --secret-id ${secretArn} --query SecretString --output text`;
  return `${read} | sed -E 's/.*"${adminPasswordKey}": *"([^"]*)".*/${shown}/'`;
}
