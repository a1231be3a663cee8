import path from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '../shared/domain/fault.ts';
import { parseRepository, type Repository } from '../shared/domain/repository.ts';
import { credentialsOf, parseAddress, UsageError } from './command-line.ts';
import { type Exported, exportRepository, mustBeOurs } from './export-repository.ts';
import { Refusal, type Remote, remote } from './remote.ts';

const USAGE = `Writes the charts of a Chartroom as plain files that any web server can serve.

  npm run export -- [options] ADDRESS FOLDER

  --user NAME         who asks, with the password from CHARTROOM_PASSWORD; nobody unless given
  --repository PATH   this repository alone, "" for the root one; may be given several times.
                      Unless given, all of them, for which NAME must be an admin of everything
  --help              this text

Run it again to go on, or to fetch what was published since: what is there is kept. An index in FOLDER that no
export wrote is not replaced. Exit 0: all of it is there; 1: something is not; 2: it could not run.`;

const OPTIONS = {
  user: { type: 'string' },
  repository: { type: 'string', multiple: true },
  help: { type: 'boolean', default: false },
} as const;

function readArguments() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parsePath(text: string): Repository {
  try {
    return parseRepository(text === '' ? [] : text.split('/'));
  } catch (error) {
    throw error instanceof Fault ? new UsageError(error.message) : error;
  }
}

type Page = {
  readonly repositories: readonly { readonly path: string; readonly deleted?: string }[];
  readonly next?: string;
};

/** The root repository, which is always there, and those that somebody made. */
async function allRepositories(from: Remote): Promise<readonly Repository[]> {
  const found = [parsePath('')];
  let after: string | undefined;
  do {
    const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
    const page = (await (await from.get(`/-/repositories${query}`)).json()) as Page;
    const there = page.repositories.filter(({ deleted }) => deleted === undefined);
    found.push(...there.map((each) => parsePath(each.path)));
    after = page.next;
  } while (after !== undefined);
  return found;
}

async function repositoriesOf(
  from: Remote,
  chosen: readonly string[] | undefined,
): Promise<readonly Repository[]> {
  if (chosen !== undefined) return chosen.map(parsePath);
  try {
    return await allRepositories(from);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 403) throw error;
    throw new UsageError(
      'only an admin of everything may list the repositories: name them with --repository',
    );
  }
}

const several = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** Whether there is something of it: what ends then has left it incomplete. */
let hasBegun = false;

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return console.log(USAGE);
  const [address, folder, ...others] = positionals;
  if (folder === undefined || others.length > 0)
    throw new UsageError('one address and one folder are needed');
  const from = remote(parseAddress(address), credentialsOf(values.user, process.env));
  const repositories = await repositoriesOf(from, values.repository);
  const folderOf = (repository: Repository) => path.join(folder, ...repository.split('/'));
  for (const repository of repositories) await mustBeOurs(folderOf(repository));
  const emptyToo = values.repository === undefined;
  for (const repository of repositories) {
    tell(repository, await exportRepository(from, repository, folderOf(repository), { emptyToo }));
    hasBegun = true;
  }
}

/** Says what became of a repository. */
function tell(repository: Repository, told: Exported | undefined): void {
  const name = repository || '(root)';
  if (told === undefined) {
    console.error(`${name}: nothing is published there, and nothing was written`);
    process.exitCode = 1;
    return;
  }
  const { versions, fetched, sizeBytes, replaced, failures, strangers } = told;
  const now = `${several(fetched, 'file', 'files')} of ${sizeBytes} bytes fetched`;
  console.log(`${name}: ${several(versions, 'version', 'versions')}, ${now}`);
  for (const file of replaced) console.log(`  replaced, as it had other bytes: charts/${file}`);
  for (const file of strangers) console.log(`  left alone, as it is of no version: charts/${file}`);
  for (const failure of failures) console.error(`  NOT fetched: ${failure}`);
  if (failures.length === 0) return;
  console.error('  its index was not written; run this again');
  process.exitCode = 1;
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : message);
  process.exit(hasBegun ? 1 : 2);
});
