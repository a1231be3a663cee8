import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import { startMinistack } from '../store/ministack.ts';
import { isEnforced } from './deploy-kind.ts';

const region = 'us-east-1';

type Outputs = Readonly<Record<string, string>>;

/** An AWS on this computer with one account, as somebody at a terminal has it. */
export type Cloud = {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Runs `npx cdk`. @throws Error with what it printed if it fails */
  cdk(...args: readonly string[]): Promise<string>;
  /** Runs `npx cdk deploy`. @returns the stack's outputs */
  deploy(...args: readonly string[]): Promise<Outputs>;
  /** Runs the AWS CLI. @returns the JSON that it prints, undefined if that is nothing */
  aws(...args: readonly string[]): Promise<unknown>;
  /** Runs a function by the AWS CLI. @returns what it returned */
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  /**
   * Where an API answers by a path, since names below `localhost` are known to curl and not to all else. By another host
   * name than the bucket's, as on AWS: Helm sends its password on to the host that it knows.
   */
  addressOf(apiUrl: string): string;
  /** How many messages there are in each queue, those that are worked on included; of the stack deployed first. */
  messages(): Promise<number[]>;
  /** Ends it, with all that was deployed. */
  stop(): Promise<void>;
};

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error }));
    });
  });
}

/** The settings by which MiniStack holds everybody to their rights: over TLS, since the bucket refuses all else. */
function enforcing(): Readonly<Record<string, string>> {
  const { certFile, keyFile } = inject('certificate');
  return { AUTH: 'true', USE_SSL: '1', MINISTACK_SSL_CERT: certFile, MINISTACK_SSL_KEY: keyFile };
}

/** Starts a MiniStack with nothing in it. The caller stops it. */
export async function startCloud(): Promise<Cloud> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-cloud-'));
  // What it unpacks functions into: it does not take all of that away.
  const unpacked = path.join(folder, 'ministack');
  await mkdir(unpacked);
  const command = ['python3', path.join(import.meta.dirname, 'patched-ministack.py')] as const;
  // Those of the account itself, which may do everything; MiniStack reads them, not those of whoever runs the tests.
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const { url, stop } = await startMinistack(command, {
    TMPDIR: unpacked,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...(isEnforced && enforcing()),
  });
  const environment = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: region,
    // What the AWS CLI's first version reads.
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    // Nothing of whoever runs the tests.
    AWS_CONFIG_FILE: path.join(folder, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(folder, 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    // Nothing is asked of the internet, or told to it.
    CDK_NOTICES: 'false',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
  const env = { ...process.env, ...environment };
  const cdk = (...args: readonly string[]) =>
    run('npx', ['cdk', '--output', path.join(folder, 'cdk.out'), ...args], env);
  // For SQS in this region the CLI takes an old address of AWS's, unless it is told by the flag.
  const aws = async (...args: readonly string[]) => {
    const printed = await run('aws', ['--endpoint-url', url, '--output', 'json', ...args], env);
    return printed.trim() === '' ? undefined : JSON.parse(printed);
  };
  let queues: string[] | undefined;
  return {
    url,
    environment,
    region,
    credentials,
    cdk,
    async deploy(...args) {
      const file = path.join(folder, 'outputs.json');
      await cdk('deploy', '--require-approval', 'never', '--outputs-file', file, ...args);
      const stacks = JSON.parse(await readFile(file, 'utf8')) as Record<string, Outputs>;
      const [outputs] = Object.values(stacks);
      if (outputs === undefined) throw new Error('the stack has no outputs');
      return outputs;
    },
    aws,
    async invoke(functionName, payload) {
      const file = path.join(folder, `returned-${randomUUID()}.json`);
      const given = ['--function-name', functionName, '--payload', JSON.stringify(payload)];
      const told = (await aws('lambda', 'invoke', ...given, file)) as { FunctionError?: string };
      const returned = await readFile(file, 'utf8');
      if (told.FunctionError !== undefined) throw new Error(`${functionName}: ${returned}`);
      return JSON.parse(returned);
    },
    addressOf(apiUrl) {
      const { protocol, port } = new URL(url);
      const [id] = new URL(apiUrl).hostname.split('.');
      return `${protocol}//localhost:${port}/_aws/execute-api/${id}/$default`;
    },
    async messages() {
      queues ??= (await aws('sqs', 'list-queues', '--query', 'QueueUrls')) as string[];
      const numbers = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
      const counts = queues.map(async (queue) => {
        const asked = ['--queue-url', queue, '--attribute-names', ...numbers, '--query', 'Attributes'];
        const told = (await aws('sqs', 'get-queue-attributes', ...asked)) as Record<string, string>;
        return numbers.reduce((sum, name) => sum + Number(told[name]), 0);
      });
      return await Promise.all(counts);
    },
    async stop() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
