import { existsSync } from 'node:fs';
import path from 'node:path';
import { readCommandLine, UsageError } from './command-line.ts';
import { invokeOn, redriveOn } from './invoke.ts';

const USAGE = `Looks after the charts of a Chartroom on this computer, running or not.

  npm run verify      tell what is wrong with the repositories; changes nothing
  npm run repair      put right what can be put right (docs/runbook.md)
  npm run reconcile   tidy up now, as the runner does once a day
  npm run redrive     send the events that failed to the indexer once more

  -- --data-dir DIR   where charts are kept (default .chartroom)
  -- --repository R   this repository alone, "" for the root one (verify and repair)`;

const OPTIONS = {
  'data-dir': { type: 'string', default: '.chartroom' },
  repository: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const ROOT = '(root)';

type Report = {
  readonly repositories: number;
  readonly healthy: boolean;
  readonly findings: readonly {
    readonly repository: string;
    readonly kind: string;
    readonly mended: boolean;
  }[];
  readonly more: number;
};

type Reconciled = {
  readonly done: boolean;
  readonly healthy: boolean;
  readonly kinds: Readonly<Record<string, { readonly found: number; readonly mended: number }>>;
};

function tell({ repositories, healthy, findings, more }: Report): void {
  for (const { repository, kind, mended, ...rest } of findings) {
    console.log(`${repository || ROOT}: ${kind}${mended ? ', mended' : ''} ${JSON.stringify(rest)}`);
  }
  if (more > 0) console.log(`and ${more} more`);
  const looked = repositories === 1 ? '1 repository' : `${repositories} repositories`;
  console.log(`${looked}: ${healthy ? 'healthy' : 'NOT healthy, see docs/runbook.md'}`);
}

function tellReconciled({ done, healthy, kinds }: Reconciled): void {
  for (const [kind, { found, mended }] of Object.entries(kinds)) {
    console.log(`${kind}: ${found} found, ${mended} mended`);
  }
  const state = done ? 'reconciled' : 'not done yet, the next call goes on';
  console.log(`${state}: ${healthy ? 'healthy' : 'NOT healthy, npm run verify tells the rest'}`);
}

const TASKS = ['verify', 'repair', 'reconcile', 'redrive'] as const;

const isTask = (text: string | undefined): text is (typeof TASKS)[number] =>
  TASKS.some((task) => task === text);

async function main(): Promise<void> {
  const { values, positionals } = readCommandLine(OPTIONS);
  const [task, ...others] = positionals;
  const { 'data-dir': dataDir, repository } = values;
  if (values.help) return console.log(USAGE);
  if (!isTask(task) || others.length > 0) {
    throw new UsageError(`"${others[0] ?? task}" is no option; they follow two dashes: npm run verify -- …`);
  }
  if (!['dynamodb', 's3', 'lock'].some((name) => existsSync(path.join(dataDir, name)))) {
    throw new Error(
      `no charts are kept in ${path.resolve(dataDir)}; say where they are with -- --data-dir DIR`,
    );
  }
  if (repository !== undefined && (task === 'reconcile' || task === 'redrive')) {
    throw new UsageError(`${task} goes through all repositories`);
  }
  if (task === 'redrive') {
    const count = await redriveOn(dataDir);
    return console.log(count === 1 ? '1 event is sent once more' : `${count} events are sent once more`);
  }
  if (task === 'reconcile') {
    const reconciled = (await invokeOn(dataDir, 'reconcile', { now: true })) as Reconciled;
    tellReconciled(reconciled);
    process.exitCode = reconciled.healthy ? 0 : 1;
    return;
  }
  const chosen = repository === undefined ? {} : { repository: repository === ROOT ? '' : repository };
  const report = (await invokeOn(dataDir, 'repair', { ...chosen, dryRun: task === 'verify' })) as Report;
  tell(report);
  process.exitCode = report.healthy ? 0 : 1;
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  // A fault is the reader's, who needs to know no more than what it says.
  const [, fault] = /^Fault: (.*)/.exec(message) ?? [];
  console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : (fault ?? message));
  process.exit(2);
});
