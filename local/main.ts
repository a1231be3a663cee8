import { parseArgs } from 'node:util';
import { publishFolder } from './publish-folder.ts';
import { type LocalOptions, type LocalStack, startLocal } from './stack.ts';

const USAGE = `Runs Chartroom on this computer.

  npm start -- [options]

  --port N          port of the API (default 8080)
  --store-port N    port of its S3 (default: a free one)
  --address A       reachable by other machines and containers: listens on this address, or on all for 0.0.0.0
  --data-dir DIR    where charts are kept (default .chartroom)
  --ephemeral       keep nothing: start empty, leave nothing behind
  --repo-path DIR   publish every package (*.tgz, and its .prov) of a folder at start
  --access A        open (default) or closed: then user "admin", password from CHARTROOM_ADMIN_PASSWORD or made
  --help            this text`;

// How long a stop may take, with requests under way, before it is an end.
const STOP_PATIENCE_MS = 10_000;

class UsageError extends Error {}

type Command = {
  readonly help: boolean;
  readonly repoPath: string | undefined;
  readonly options: LocalOptions;
};

function parsePort(text: string): number {
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port < 65536) return port;
  throw new UsageError(`"${text}" is not a port`);
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '8080' },
        'store-port': { type: 'string', default: '0' },
        address: { type: 'string' },
        'data-dir': { type: 'string', default: '.chartroom' },
        ephemeral: { type: 'boolean', default: false },
        'repo-path': { type: 'string' },
        access: { type: 'string', default: 'open' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws UsageError for what cannot be meant */
function parseCommand(args: readonly string[], password: string | undefined): Command {
  const values = readArguments(args);
  const { access, address } = values;
  if (access !== 'open' && access !== 'closed')
    throw new UsageError(`--access is open or closed, not "${access}"`);
  return {
    help: values.help,
    repoPath: values['repo-path'],
    options: {
      port: parsePort(values.port),
      storePort: parsePort(values['store-port']),
      access,
      ...(address !== undefined && { address }),
      ...(!values.ephemeral && { dataDir: values['data-dir'] }),
      ...(password && { adminPassword: password }),
    },
  };
}

/** Shows what the functions say only where somebody must look. */
function showTrouble(line: string): void {
  if (/"level":\s*"(error|fatal)"/i.test(line)) process.stderr.write(`${line}\n`);
}

/** Four commands that take a newcomer from nothing to a rendered chart. */
function welcome({ url, adminPassword: password }: LocalStack): string {
  const curlUser = password ? `-u 'admin:${password}' ` : '';
  const helmUser = password ? ` --username admin --password '${password}'` : '';
  return `Chartroom is at ${url}${password ? ` (user admin, password ${password})` : ''}

  helm create demo && helm package demo
  curl ${curlUser}--data-binary @demo-0.1.0.tgz ${url}/api/charts
  helm repo add --force-update chartroom ${url}${helmUser}
  helm template my-release chartroom/demo

Press Ctrl-C to stop.`;
}

async function publish(stack: LocalStack, folder: string): Promise<void> {
  const basic = Buffer.from(`admin:${stack.adminPassword}`).toString('base64');
  const result = await publishFolder(stack.url, folder, stack.adminPassword && `Basic ${basic}`);
  console.log(
    `${folder}: ${result.published} published, ${result.there} there already, ${result.refused.length} refused`,
  );
  for (const line of result.refused) console.error(`  ${line}`);
}

async function main(): Promise<void> {
  const { help, repoPath, options } = parseCommand(
    process.argv.slice(2),
    process.env['CHARTROOM_ADMIN_PASSWORD'],
  );
  if (help) {
    console.log(USAGE);
    return;
  }
  let stack: LocalStack | undefined;
  let stopping = false;
  const stop = () => {
    if (stopping) return; // a terminal tells npm, tsx and this program, and tsx tells it once more
    if (stack === undefined) process.exit(0); // still starting
    stopping = true;
    setTimeout(() => process.exit(1), STOP_PATIENCE_MS).unref();
    stack.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  const log = (line: string) => {
    if (!stopping) showTrouble(line); // what a stop cuts off is no trouble
  };
  stack = await startLocal({ ...options, log });
  if (repoPath !== undefined && !stopping) await publish(stack, repoPath);
  if (!stopping) console.log(welcome(stack));
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : message);
  process.exit(error instanceof UsageError ? 2 : 1);
});
