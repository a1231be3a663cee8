import { parseArgs } from 'node:util';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { dataSchema, environmentVariables } from '../shared/contract.ts';
import { parseRepository, type Repository } from '../shared/domain/repository.ts';
import type { RepairReport } from '../shared/repair.ts';
import { bringBack } from '../shared/store/bring-back.ts';
import { isAudited } from '../shared/store/changed-since.ts';
import { deletedObjects } from '../shared/store/deleted-objects.ts';
import { dynamoClient } from '../shared/store/dynamo-client.ts';
import { dropTable, tableAt } from '../shared/store/point-in-time.ts';
import { s3Client } from '../shared/store/s3-client.ts';
import type { SchemaStore } from '../shared/store/schema-store.ts';
import { schemaTable } from '../shared/store/schema-table.ts';

const USAGE = `Brings back what the table of a deployment has lost (docs/runbook.md), by the credentials that cdk deploy takes.

  npm run restore -- --stack NAME --at INSTANT [options]

  --stack NAME        the deployment
  --at INSTANT        when everything was there, such as 2026-01-31T12:00:00Z; of the last 35 days
  --repository PATH   this repository alone, "" for the root one
  --deleted           also versions that somebody deleted by a request since
  --changed           also accounts, settings, labels and versions that somebody changed since, as they were then
  --dry-run           only tell, and keep the table as it was then for the run that follows
  --keep              keep that table afterwards too
  --help              this text

What is there is never changed. Run it again to go on after it broke off.`;

// Of a table that says nothing.
const FIRST_SCHEMA = 1;

class UsageError extends Error {}

const OPTIONS = {
  stack: { type: 'string' },
  at: { type: 'string' },
  repository: { type: 'string' },
  deleted: { type: 'boolean', default: false },
  changed: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function readArguments() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseInstant(text: string | undefined): Date {
  const instant = new Date(text ?? '');
  if (text === undefined || !/^[\d-]+T[\d:.]+Z$/.test(text) || Number.isNaN(instant.getTime())) {
    throw new UsageError('--at is an instant in UTC, such as 2026-01-31T12:00:00Z');
  }
  if (instant.getTime() > Date.now()) throw new UsageError('--at has not come yet');
  return instant;
}

function parsePath(text: string | undefined): Repository | undefined {
  return text === undefined ? undefined : parseRepository(text.split('/').filter(Boolean));
}

async function outputsOf(stack: string) {
  const { Stacks: [found] = [] } = await new CloudFormationClient().send(
    new DescribeStacksCommand({ StackName: stack }),
  );
  const output = (name: string) => {
    const value = found?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue;
    if (value === undefined) throw new UsageError(`${stack} has no output ${name}: is it a Chartroom?`);
    return value;
  };
  return {
    table: output('TableName'),
    bucket: output('BucketName'),
    repair: output('RepairFunctionName'),
  };
}

/** What is brought back is read as what is there, so it has to be of the same schema. */
async function mustBeReadable(then: SchemaStore, now: SchemaStore): Promise<void> {
  const was = (await then.read())?.schema ?? FIRST_SCHEMA;
  const is = (await now.read())?.schema ?? was;
  if (is > dataSchema) throw new Error(`the table is of schema ${is}: take the Chartroom that is deployed`);
  if (is !== was) throw new Error(`the table is of schema ${is}, and was of ${was} then`);
}

/** Who deleted or changed what is known for as long as the deployment keeps its audit. */
async function mustBeAudited(functionName: string, at: Date): Promise<void> {
  const asked = new GetFunctionConfigurationCommand({ FunctionName: functionName });
  const { Environment: environment } = await new LambdaClient().send(asked);
  const days = Number(environment?.Variables?.[environmentVariables.auditDays]);
  if (isAudited(at, new Date(), days)) return;
  throw new UsageError(
    `the audit is kept for ${days} days, so what was deleted or changed on purpose since is not known: take a later --at, or say --deleted --changed to have all of it back`,
  );
}

type RepairWish = { readonly repository: Repository | undefined; readonly dryRun: boolean };

/** Has the indexes follow, and tells what is still wrong; as a dry run it tells alone. */
async function repair(functionName: string, wish: RepairWish): Promise<RepairReport> {
  // It may take 15 minutes, and to ask twice would do it twice.
  const client = new LambdaClient({ maxAttempts: 1 });
  const { FunctionError: error, Payload: payload = new Uint8Array() } = await client.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(wish) }),
  );
  const told = Buffer.from(payload).toString();
  if (error !== undefined) throw new Error(`the repair failed: ${told}`);
  return JSON.parse(told) as RepairReport;
}

/** What a repair would do is left to it. Where that is more than it tells, it has to do it first. */
async function findingsOf(functionName: string, { repository, dryRun }: RepairWish) {
  const { findings, more } = await repair(functionName, { repository, dryRun: true });
  if (more === 0) return findings;
  console.log(`${more} findings more than the repair tells: ${dryRun ? 'it would be' : 'it is'} done first`);
  if (!dryRun) await repair(functionName, { repository, dryRun });
  return findings;
}

async function main(): Promise<void> {
  const values = readArguments();
  if (values.help) return console.log(USAGE);
  if (values.stack === undefined) throw new UsageError('--stack names the deployment');
  const at = parseInstant(values.at);
  const repository = parsePath(values.repository);
  const { 'dry-run': dryRun, deleted, changed } = values;
  const { table, bucket, repair: repairer } = await outputsOf(values.stack);
  if (!(deleted && changed)) await mustBeAudited(repairer, at);
  const client = dynamoClient();
  console.log(`${table} as it was at ${at.toISOString()}: this takes some minutes`);
  const from = await tableAt(client, table, at);
  console.log(`it is in ${from}`);
  await mustBeReadable(schemaTable(client, from), schemaTable(client, table));

  const counts = new Map<string, number>();
  const objects = deletedObjects(s3Client(), bucket);
  const tell = (what: string, outcome: string) => {
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (outcome !== 'there') console.log(`${outcome}: ${what}`);
  };
  const findings = await findingsOf(repairer, { repository, dryRun });
  const now = new Date();
  const wish = { repository, findings, deleted, changed, dryRun };
  await bringBack({ client, from, to: table, objects, at, now, ...wish, tell });
  const sums = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  console.log(`${dryRun ? 'It would be' : 'Done'}: ${sums || 'nothing'}`);
  if (dryRun) return console.log(kept(from));
  const repaired = await repair(repairer, { repository, dryRun });
  console.log(`The repair: ${JSON.stringify(repaired)}`);
  process.exitCode = repaired.healthy ? 0 : 1;
  if (values.keep) console.log(kept(from));
  else await dropTable(client, from);
}

/** Each instant has a table of its own, and each is paid for. */
const kept = (table: string) =>
  `${table} is kept, and paid for: run again with the same --at and without --dry-run and --keep, or ` +
  `aws dynamodb delete-table --table-name ${table}`;

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : message);
  process.exit(error instanceof UsageError ? 2 : 1);
});
