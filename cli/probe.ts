import { parseArgs } from 'node:util';
import { parseRepository } from '../shared/domain/repository.ts';
import { credentialsOf, parseAddress, UsageError } from './command-line.ts';
import { clientOf } from './probe/http.ts';
import { probe } from './probe/run.ts';
import { table } from './probe/table.ts';

const USAGE = `Tries on a deployed Chartroom what only AWS can show, and prints a table for an issue.

  npm run probe -- https://charts.example.com [options]

  --user NAME          who asks; the password is read from CHARTROOM_PASSWORD
  --repository PATH    an empty repository to try it in (default probe); made if NAME may
  --show-host          tells the whole address, which is shortened otherwise

It publishes some 40 small packages and deletes them; the repository stays, empty. Exit 0: all as expected, 1: something
differs, or could not be deleted; 2: it could not run.`;

const OPTIONS = {
  user: { type: 'string' },
  repository: { type: 'string', default: 'probe' },
  'show-host': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<number> {
  const { values, positionals } = readOptions();
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const [address, other] = positionals;
  if (other !== undefined) throw new UsageError(`"${other}" is no option`);
  const client = clientOf(parseAddress(address), credentialsOf(values.user, process.env));
  const repository = parseRepository(values.repository.split('/'));
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const findings = await probe({ client, repository, signal: interrupted.signal });
  const date = new Date().toISOString().slice(0, 10);
  console.log(table(findings, { client, date, showsHost: values['show-host'] }));
  for (const each of findings.left) console.error(`not deleted: ${each}`);
  const isAsExpected = findings.rows.every(({ verdict }) => verdict !== 'differs');
  return isAsExpected && findings.left.length === 0 && !interrupted.signal.aborted ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : message);
    process.exitCode = 2;
  },
);
