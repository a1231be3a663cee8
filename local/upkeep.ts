import { parseArgs } from 'node:util';
import { invokeOn } from './invoke.ts';

const USAGE = `Looks after the charts of a Chartroom on this computer, running or not.

  npm run verify      tell what is wrong with the repositories; changes nothing
  npm run repair      put right what can be put right (docs/runbook.md)
  npm run reconcile   tidy up now, as the runner does once a day

  -- --data-dir DIR   where charts are kept (default .chartroom)
  -- --repository R   this repository alone, "" for the root one (verify and repair)`;

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

function tell({ repositories, healthy, findings, more }: Report): void {
  for (const { repository, kind, mended, ...rest } of findings) {
    console.log(`${repository || '(root)'}: ${kind}${mended ? ', mended' : ''} ${JSON.stringify(rest)}`);
  }
  if (more > 0) console.log(`and ${more} more`);
  console.log(`${repositories} repositories: ${healthy ? 'healthy' : 'NOT healthy, see docs/runbook.md'}`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'data-dir': { type: 'string', default: '.chartroom' },
      repository: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const [task] = positionals;
  const { 'data-dir': dataDir, repository } = values;
  if (values.help || (task !== 'verify' && task !== 'repair' && task !== 'reconcile')) {
    console.log(USAGE);
    return;
  }
  if (task === 'reconcile') {
    await invokeOn(dataDir, 'reconcile', { now: true });
    console.log('reconciled');
    return;
  }
  const chosen = repository === undefined ? {} : { repository };
  const report = (await invokeOn(dataDir, 'repair', { ...chosen, dryRun: task === 'verify' })) as Report;
  tell(report);
  process.exitCode = report.healthy ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
});
