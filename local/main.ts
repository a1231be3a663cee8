import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { readCommandLine, UsageError } from './command-line.ts';
import { type LocalOptions, type LocalStack, startLocal } from './stack.ts';
import { troubleIn } from './trouble.ts';

const USAGE = `Runs Chartroom on this computer.

  npm start -- [options]

  --port N          port of the API (default 8080)
  --store-port N    port of its S3 (default: a free one)
  --address A       reachable by other machines and containers: listens on this address, or on all for 0.0.0.0
  --tls             HTTPS, by a certificate for localhost of a CA that is made; prints where the CA is
  --data-dir DIR    where charts are kept (default .chartroom)
  --ephemeral       keep nothing: start empty, leave nothing behind
  --repo-path DIR   publish every package (*.tgz, and its .prov) of a folder at start
  --access A        open (default) or closed: then user "admin", password from CHARTROOM_ADMIN_PASSWORD or made
  --setting K=V     a setting of cdk.json for this run, such as maxVersions=100; may be given several times
  --help            this text`;

// How long a stop may take, with requests under way, before it is an end.
const STOP_PATIENCE_MS = 10_000;

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65536) return Number(text);
  throw new UsageError(`"${text}" is not a port`);
}

function readSetting(text: string): readonly [string, string] {
  const [, key, value] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined)
    throw new UsageError(`"${text}" is not a setting: write KEY=VALUE`);
  return [key, value];
}

const OPTIONS = {
  port: { type: 'string', default: '8080' },
  'store-port': { type: 'string', default: '0' },
  address: { type: 'string' },
  tls: { type: 'boolean', default: false },
  'data-dir': { type: 'string', default: '.chartroom' },
  ephemeral: { type: 'boolean', default: false },
  'repo-path': { type: 'string' },
  access: { type: 'string', default: 'open' },
  setting: { type: 'string', multiple: true },
  help: { type: 'boolean', default: false },
} as const;

function readArguments() {
  const { values, positionals } = readCommandLine(OPTIONS);
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is no option`);
  return values;
}

function readOptions({ access, address, ...values }: ReturnType<typeof readArguments>): LocalOptions {
  if (access !== 'open' && access !== 'closed') {
    throw new UsageError(`--access is open or closed, not "${access}"`);
  }
  if (values.tls && address !== undefined) {
    throw new UsageError(
      '--tls is for this computer alone: downloads go on over plain HTTP. Leave out --address',
    );
  }
  const adminPassword = process.env['CHARTROOM_ADMIN_PASSWORD'];
  const settings = Object.fromEntries((values.setting ?? []).map(readSetting));
  if ('access' in settings) throw new UsageError('access is an option of its own here: --access closed');
  return {
    port: parsePort(values.port),
    storePort: parsePort(values['store-port']),
    access,
    ...(address !== undefined && { address }),
    tls: values.tls,
    ...(!values.ephemeral && { dataDir: values['data-dir'] }),
    settings,
    ...(adminPassword && { adminPassword }),
  };
}

/** Shows what the functions say only where somebody must look. */
function showTrouble(line: string): void {
  const trouble = troubleIn(line);
  if (trouble !== undefined) console.error(trouble);
}

/** As a shell reads it back, whatever is in it. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Four commands that take a newcomer from nothing to a rendered chart. */
function welcome({ url, caFile, adminPassword: password }: LocalStack, hasApi: boolean): string {
  const curlCa = caFile ? `--cacert ${quoted(caFile)} ` : '';
  const curlUser = password ? `-u ${quoted(`admin:${password}`)} ` : '';
  const helmCa = caFile ? ` --ca-file ${quoted(caFile)}` : '';
  const helmUser = password ? ` --username admin --password ${quoted(password)}` : '';
  return `Chartroom is at ${url}${password ? ` (user admin, password ${password})` : ''}
${caFile ? `Its certificate is of the CA in ${caFile}\n` : ''}
  helm create demo && helm package demo
${hasApi ? `  curl ${curlCa}${curlUser}--data-binary @demo-0.1.0.tgz ${url}/api/charts\n` : ''}  helm repo add --force-update${helmCa} chartroom ${url}${helmUser}
  helm template my-release chartroom/demo

Press Ctrl-C to stop.`;
}

/** Publishes every package of a folder, and the provenance file beside it, through the HTTP API. */
async function publishFolder({ url, caFile, adminPassword }: LocalStack, folder: string): Promise<void> {
  const ca = caFile && (await readFile(caFile));
  const basic = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`;
  const headers = {
    'content-type': 'application/octet-stream',
    ...(adminPassword && { authorization: basic }),
  };
  const post = async (route: string, name: string) => {
    const body = await readFile(path.join(folder, name));
    const options = { method: 'POST', headers, ca };
    const request = (ca ? overHttps : overHttp)(`${url}/api/${route}`, options).end(body);
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, text: await text(answer) };
  };
  const count = { published: 0, there: 0, refused: 0 };
  const found = await readdir(folder).catch((error: unknown) => {
    throw new UsageError(
      `--repo-path: ${folder} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  });
  const names = new Set(found);
  for (const name of [...names].filter((each) => each.endsWith('.tgz')).sort()) {
    const answers = [await post('charts', name)];
    if (names.has(`${name}.prov`)) answers.push(await post('prov', `${name}.prov`));
    const bad = answers.find(({ status }) => status !== 409 && status >= 300);
    count[bad ? 'refused' : answers[0]?.status === 409 ? 'there' : 'published'] += 1;
    if (bad !== undefined) console.error(`  ${name}: ${bad.status} ${bad.text}`);
  }
  const { published, there, refused } = count;
  console.log(`${folder}: ${published} published, ${there} there already, ${refused} refused`);
}

async function main(): Promise<void> {
  const values = readArguments();
  if (values.help) return console.log(USAGE);
  const options = readOptions(values);
  const repoPath = values['repo-path'];
  let stack: LocalStack | undefined;
  let stopping = false;
  const stop = () => {
    if (stopping) return; // a terminal tells npm, tsx and this program, and tsx tells it once more
    if (stack === undefined) process.exit(0); // still starting
    stopping = true;
    setTimeout(() => process.exit(1), STOP_PATIENCE_MS).unref();
    const end = (code: number) => () => process.exit(code);
    stack.stop().then(end(0), end(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  const log = (line: string) => {
    if (!stopping) showTrouble(line); // what a stop cuts off is no trouble
  };
  stack = await startLocal({ ...options, log });
  if (repoPath !== undefined && !stopping) await publishFolder(stack, repoPath);
  if (!stopping) console.log(welcome(stack, options.settings?.['apiEnabled'] !== 'false'));
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : message);
  process.exit(error instanceof UsageError ? 2 : 1);
});
