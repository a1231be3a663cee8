import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { helmBinary } from '../helm/binary.ts';
import { aHelm, type Helm } from '../helm/helm.ts';
import { aPackage } from '../packages.ts';
import { sha256 } from '../whole/chartroom.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { isDeployed } from './deploy-kind.ts';

const root = path.join(import.meta.dirname, '../..');
const fixtures = path.join(root, 'test/fixtures');

// Generous: the queue gathers events for a second, and the machine may be busy.
const SECONDS = { timeout: 60_000, interval: 200 };

if (!isDeployed) console.info('No deployment is made: CHARTROOM_DEPLOY is not set');

/** What a deployment keeps of its charts: each item of the table, and each version of each object. */
async function dataOf({ url, region, credentials }: Cloud, { tableName, bucketName }: Names) {
  const where = { region, credentials, endpoint: url };
  const dynamo = new DynamoDBClient(where);
  const s3 = new S3Client({ ...where, forcePathStyle: true });
  const { Items: items = [] } = await dynamo.send(new ScanCommand({ TableName: tableName }));
  const { Versions: objects = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucketName }));
  return {
    items: new Map(items.map((item) => [`${item['pk']?.S} ${item['sk']?.S}`, item])),
    objects: objects.map(({ Key, VersionId, ETag }) => `${Key} ${VersionId} ${ETag}`).toSorted(),
  };
}

type Names = { readonly tableName: string; readonly bucketName: string };

/** Everything in the account that costs something or lets somebody do something, but for what `cdk bootstrap` made. */
async function whatIsIn({ aws }: Cloud) {
  const lists = {
    functions: ['lambda', 'list-functions', '--query', 'Functions[].FunctionName'],
    roles: ['iam', 'list-roles', '--query', 'Roles[].RoleName'],
    logs: ['logs', 'describe-log-groups', '--query', 'logGroups[].logGroupName'],
    queues: ['sqs', 'list-queues', '--query', 'QueueUrls || `[]`'],
    apis: ['apigatewayv2', 'get-apis', '--query', 'Items[].Name'],
    secrets: ['secretsmanager', 'list-secrets', '--query', 'SecretList[].Name'],
    rules: ['events', 'list-rules', '--query', 'Rules[].Name'],
    alarms: ['cloudwatch', 'describe-alarms', '--query', 'MetricAlarms[].AlarmName'],
    dashboards: ['cloudwatch', 'list-dashboards', '--query', 'DashboardEntries[].DashboardName'],
    topics: ['sns', 'list-topics', '--query', 'Topics[].TopicArn'],
    mappings: ['lambda', 'list-event-source-mappings', '--query', 'EventSourceMappings[].UUID'],
    tables: ['dynamodb', 'list-tables', '--query', 'TableNames'],
    buckets: ['s3api', 'list-buckets', '--query', 'Buckets[].Name'],
  };
  const found = Object.entries(lists).map(async ([what, command]) => {
    const names = (await aws(...command)) as string[];
    return [what, names.filter((name) => !name.startsWith('cdk-')).toSorted()] as const;
  });
  return Object.fromEntries(await Promise.all(found)) as Record<keyof typeof lists, string[]>;
}

/** What the AWS CLI prints of one thing. */
type Named = {
  readonly QueueUrl: string;
  readonly Attributes: { readonly QueueArn: string };
  readonly DashboardBody: string;
};
type Received = { readonly Messages?: readonly { readonly Body: string }[] };

/** A block of commands in a document, found by what it contains. */
async function commandsIn(document: string, part: string): Promise<string> {
  const blocks = (await readFile(path.join(root, document), 'utf8')).matchAll(/^```sh\n(.*?)^```$/gms);
  const found = [...blocks].flatMap(([, commands = '']) => (commands.includes(part) ? [commands] : []));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}

const basic = (name: string, password: string) => ({ authorization: `Basic ${btoa(`${name}:${password}`)}` });

describe.skipIf(!isDeployed || helmBinary() === undefined)('a deployment', () => {
  let cloud: Cloud;
  let here: Helm;
  let outputs: Readonly<Record<string, string>>;
  let url: string;
  let password: string;
  const output = (name: string): string => outputs[name] ?? '';
  const names = () => ({ tableName: output('TableName'), bucketName: output('BucketName') });
  const data = () => dataOf(cloud, names());
  const send = (method: string, target: string, init: RequestInit = {}) =>
    fetch(`${url}${target}`, { method, redirect: 'manual', headers: basic('admin', password), ...init });
  const publish = async (repository: string, bytes: Uint8Array) =>
    (await send('POST', `/api/${repository}/charts`, { body: new Uint8Array(bytes) })).status;
  const digestAt = async (target: string) => {
    const answer = await fetch(`${url}${target}`, { headers: basic('admin', password) });
    return [answer.status, sha256(new Uint8Array(await answer.arrayBuffer()))];
  };
  // Bash would take the end of the address for a variable.
  const quoted = () => url.replace('$', '\\$');

  beforeAll(async () => {
    cloud = await startCloud();
    here = await aHelm(cloud.environment);
  });
  afterAll(async () => {
    await here.remove();
    await cloud.stop();
  });

  it('is made by the commands of README.md, in an account with nothing in it', async () => {
    expect(await commandsIn('README.md', 'cdk deploy')).toBe('npm ci\nnpx cdk bootstrap\nnpx cdk deploy\n');
    await cloud.cdk('bootstrap');
    outputs = await cloud.deploy();
    url = cloud.addressOf(output('ApiUrl'));
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ healthy: true });
  });

  it('prints commands that tell the password of admin, and add it to Helm', async () => {
    const secret = { username: 'admin', password: 'lettersAndDigits0123456789012345' };
    // MiniStack generates one with quotes and backslashes in it, whatever the template says.
    const put = ['--secret-id', output('AdminSecretArn'), '--secret-string', JSON.stringify(secret)];
    await cloud.aws('secretsmanager', 'put-secret-value', ...put);
    const reset = await commandsIn('docs/runbook.md', '"reset":true');
    // A flag of the CLI's second version, which cannot be installed by pip; the first does so anyway.
    const command = reset.replace('--cli-binary-format raw-in-base64-out ', '');
    // Through a pipe: what a process prints to here cannot be opened by name.
    const told = await here.bash(`SEED=${output('SeedAdminFunctionName')}\n${command.trim()} | cat`);
    expect(told).toMatch(/^\{"admin": ?"reset"\}/);

    password = (await here.bash(output('AdminPasswordCommand'))).trim();
    expect(password).toBe(secret.password);
    // Twice, and not the same: whoever tried README.md on this computer has one of that name.
    const add = output('HelmRepoAdd').replace(output('ApiUrl'), quoted());
    await here.bash(`${add} --pass-credentials`);
    const added = await here.bash(add);
    expect(added).toContain('"chartroom" has been added');
  });

  it('is closed: nobody reads or publishes without an account that may', async () => {
    const body = new Uint8Array(await aPackage());
    const before = await data();
    for (const target of ['/index.yaml', '/api/charts', '/-/accounts', '/charts/demo-1.0.0.tgz']) {
      const answer = await fetch(`${url}${target}`);
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        'Basic realm="Chartroom"',
      ]);
    }
    const wrong = basic('admin', 'wrong');
    expect((await send('POST', '/api/charts', { body, headers: wrong })).status).toBe(401);
    expect((await send('POST', '/api/not/there/charts', { body })).status).toBe(404);
    const after = await data();
    expect(after.objects).toEqual(before.objects);
    const charts = ({ items }: typeof after) => [...items.keys()].filter((key) => key.includes('chart#'));
    expect(charts(after)).toEqual([]);
  });

  it('publishes by the command that it prints', async () => {
    await here.helm('create', 'mychart');
    await here.helm('package', 'mychart');
    const saved = await here.bash(output('PublishCommand').replace(output('ApiUrl'), quoted()));
    expect(JSON.parse(saved)).toEqual({ saved: true });
    await here.helm('repo', 'update', 'chartroom');
    await here.helm('pull', 'chartroom/mychart', '--version', '0.1.0', '-d', here.folder);
  });

  it('serves a robot and Helm by the commands of README.md', async () => {
    await here.helm('create', 'demo');
    await here.helm('package', 'demo', '--version', '0.6.0');
    const [, , ...rest] = (await commandsIn('README.md', "url=http://localhost:8080\npassword='")).split(
      '\n',
    );
    const curl = 'curl() { command curl --fail-with-body --silent --show-error "$@"; }';
    await here.bash([curl, `url=${quoted()}`, `password='${password}'`, ...rest].join('\n'));
    expect(await here.helm('template', 'apps/demo')).toContain('kind: Deployment');
  });

  it('holds its robot to its role', async () => {
    const made = await send('POST', '/-/accounts/apps-ci/secrets', { body: '{"expiresInDays":1}' });
    const headers = basic('apps-ci', ((await made.json()) as { secret: string }).secret);
    const body = new Uint8Array(await aPackage({ version: '0.7.0' }));
    const post = async (target: string) => (await send('POST', target, { headers, body })).status;
    expect(await post('/api/team/apps/charts')).toBe(201);
    expect(await post('/api/team/apps/charts?force')).toBe(403);
    expect((await send('DELETE', '/api/team/apps/charts/demo', { headers })).status).toBe(403);
    expect((await send('GET', '/index.yaml', { headers })).status).toBe(404);
  });

  it('takes provenance, by which Helm verifies', async () => {
    const file = path.join(fixtures, 'charts/mailhog-5.8.0.tgz');
    const form = ['-F', `chart=@${file}`, '-F', `prov=@${file}.prov`];
    const saved = await here.curl('-u', `admin:${password}`, ...form, `${url}/api/team/apps/charts`);
    expect(saved).toEqual({ status: 201, body: '{"saved":true}' });
    await here.helm('repo', 'update', 'apps');
    const verify = ['--verify', '--keyring', path.join(fixtures, 'keys/pubring.gpg'), '-d', here.folder];
    await here.helm('pull', 'apps/mailhog', ...verify);
    expect(await here.tryHelm('pull', 'apps/demo', ...verify)).toMatchObject({ ok: false });
  });

  // The pointer is in the table: nothing here asks for the index, which a reader would bring up to date.
  const sequenceOf = async (repository: string) =>
    Number((await data()).items.get(`repository#${repository} pointer`)?.['sequence']?.N ?? 0);

  /** Waits until every event was taken, none of them in vain. */
  const quiet = () =>
    vi.waitFor(async () => expect(await cloud.messages()).toEqual([0, 0]), {
      timeout: 60_000,
      interval: 500,
    });

  it('keeps the index current by the events of its bucket, with nobody reading', async () => {
    expect((await send('PUT', '/-/repositories/events')).status).toBe(201);
    expect(await publish('events', await aPackage())).toBe(201);
    await vi.waitFor(async () => expect(await sequenceOf('events')).toBe(1), SECONDS);
    expect((await send('DELETE', '/api/events/charts/demo/1.0.0')).status).toBe(200);
    await vi.waitFor(async () => expect(await sequenceOf('events')).toBe(2), SECONDS);
  });

  it('publishes what is put into its bucket by a signed form', async () => {
    const bytes = await aPackage({ version: '2.0.0' });
    const answer = await send('POST', '/api/events/uploads');
    const { id, curl } = (await answer.json()) as { id: string; curl: string };
    await here.bash(`cat > chart.tgz.base64 <<'end'\n${bytes.toString('base64')}\nend`);
    await here.bash(`base64 --decode chart.tgz.base64 > chart.tgz\n${curl}`);
    await vi.waitFor(async () => {
      const upload = await (await send('GET', `/api/events/uploads/${id}`)).json();
      expect(upload).toMatchObject({ state: 'published', name: 'demo', version: '2.0.0' });
    }, SECONDS);
    expect(await digestAt('/events/charts/demo-2.0.0.tgz')).toEqual([200, sha256(bytes)]);
    await vi.waitFor(async () => expect(await sequenceOf('events')).toBe(3), SECONDS);
  });

  it('takes what is copied into its bucket with the AWS CLI', async () => {
    await here.helm('package', 'demo', '--version', '3.0.0');
    await here.bash(`aws s3 cp demo-3.0.0.tgz s3://${output('BucketName')}/inbox/events/-/demo-3.0.0.tgz`);
    await vi.waitFor(async () => {
      expect((await send('GET', '/api/events/charts/demo/3.0.0')).status).toBe(200);
    }, SECONDS);
  });

  it('finds nothing wrong with itself', async () => {
    await vi.waitFor(async () => {
      const told = await cloud.invoke(output('RepairFunctionName'), { dryRun: true });
      expect(told).toMatchObject({ healthy: true });
    }, SECONDS);
    await quiet();
  });

  it('tells who subscribed which alarm rings, and shows all of them', async () => {
    const { aws } = cloud;
    const { QueueUrl: heard } = (await aws('sqs', 'create-queue', '--queue-name', 'heard')) as Named;
    const asked = ['--queue-url', heard, '--attribute-names', 'QueueArn'];
    const { Attributes: told } = (await aws('sqs', 'get-queue-attributes', ...asked)) as Named;
    const policy = JSON.stringify({
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'sns.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: told.QueueArn,
          Condition: { ArnEquals: { 'aws:SourceArn': output('AlarmTopicArn') } },
        },
      ],
    });
    const attributes = ['--queue-url', heard, '--attributes', JSON.stringify({ Policy: policy })];
    await aws('sqs', 'set-queue-attributes', ...attributes);
    const subscriber = ['--protocol', 'sqs', '--notification-endpoint', told.QueueArn];
    await aws('sns', 'subscribe', '--topic-arn', output('AlarmTopicArn'), ...subscriber);

    const metric = [
      '--namespace',
      'Chartroom',
      '--metric-name',
      'IndexSize',
      '--dimensions',
      'service=Chartroom',
    ];
    await aws('cloudwatch', 'put-metric-data', ...metric, '--value', '21000000');
    await vi.waitFor(async () => {
      const receive = ['--queue-url', heard, '--max-number-of-messages', '10', '--visibility-timeout', '0'];
      const { Messages: messages = [] } = ((await aws('sqs', 'receive-message', ...receive)) ??
        {}) as Received;
      const texts = messages.map(({ Body: body }) => JSON.stringify(JSON.parse(body)));
      const rang = ['5', '20', '40'].filter((size) => texts.join().includes(`Chartroom-IndexSize${size}MB`));
      expect(rang).toEqual(['5', '20']);
      expect(texts.join()).toContain('docs/runbook.md#an-index-is-large');
    }, SECONDS);
    await aws('sqs', 'delete-queue', '--queue-url', heard);

    const arns = await aws('cloudwatch', 'describe-alarms', '--query', 'MetricAlarms[].AlarmArn');
    const named = ['--dashboard-name', output('DashboardName')];
    const { DashboardBody: body } = (await aws('cloudwatch', 'get-dashboard', ...named)) as Named;
    const [status] = (JSON.parse(body) as { widgets: { properties: { alarms?: string[] } }[] }).widgets;
    expect(status?.properties.alarms?.toSorted()).toEqual((arns as string[]).toSorted());
  });

  it('is updated under its charts, and loses nothing', async () => {
    const mine = 'a password of mine';
    const admin = { kind: 'user', password: mine, grants: [{ role: 'admin', on: '*' }] };
    expect((await send('PUT', '/-/accounts/admin', { body: JSON.stringify(admin) })).status).toBe(200);
    password = mine;
    const other = await aPackage({ version: '2.0.0', description: 'other' });
    expect(await publish('events', other)).toBe(409);
    const index = await (await send('GET', '/team/apps/index.yaml')).text();
    await quiet();
    const before = { outputs, ...(await data()) };

    // The first is told to all functions; the second changes the bucket itself.
    outputs = await cloud.deploy('-c', 'allowOverwrite=true', '-c', 'corsAllowOrigin=*');
    expect({ outputs, ...(await data()) }).toEqual(before);
    expect(await (await send('GET', '/team/apps/index.yaml')).text()).toBe(index);
    const mailhog = sha256(await readFile(path.join(fixtures, 'charts/mailhog-5.8.0.tgz')));
    expect(await digestAt('/team/apps/charts/mailhog-5.8.0.tgz')).toEqual([200, mailhog]);
    await here.helm('pull', 'apps/demo', '--version', '0.6.0', '-d', here.folder);

    const cors = await cloud.aws('s3api', 'get-bucket-cors', '--bucket', output('BucketName'));
    expect(cors).toMatchObject({ CORSRules: [{ AllowedOrigins: ['*'] }] });
    const sequence = await sequenceOf('events');
    expect(await publish('events', other)).toBe(201);
    await vi.waitFor(async () => expect(await sequenceOf('events')).toBeGreaterThan(sequence), SECONDS);
    expect(await digestAt('/events/charts/demo-2.0.0.tgz')).toEqual([200, sha256(other)]);
  });

  it('leaves its table and its bucket as they are when it is destroyed, and nothing else', async () => {
    await quiet();
    const before = await data();
    const made = await whatIsIn(cloud);
    for (const [what, found] of Object.entries(made)) expect(found, what).not.toEqual([]);
    await cloud.cdk('destroy', '--force');
    expect(await data()).toEqual(before);
    const { tableName, bucketName } = names();
    expect([made.tables, made.buckets]).toEqual([[tableName], [bucketName]]);
    const nothing = Object.fromEntries(Object.keys(made).map((what) => [what, []]));
    const { tables, buckets } = made;
    expect(await whatIsIn(cloud)).toEqual({ ...nothing, tables, buckets });
    expect((await fetch(`${url}/health`)).status).toBe(404);
  });

  it('can be made anew beside that, and is empty', async () => {
    const kept = { ...names(), ...(await data()) };
    // Under another name: MiniStack would take that of the kept table again, where CloudFormation makes one up.
    outputs = await cloud.deploy('-c', 'stackName=Second');
    url = cloud.addressOf(output('ApiUrl'));
    expect(names().tableName).not.toBe(kept.tableName);
    expect(names().bucketName).not.toBe(kept.bucketName);
    const fresh = await data();
    expect(fresh.objects).toEqual([]);
    expect([...fresh.items.keys()].filter((key) => key.startsWith('repositor'))).toEqual([]);
    const { items, objects } = await dataOf(cloud, kept);
    expect({ items, objects }).toEqual({ items: kept.items, objects: kept.objects });
  });
});

describe.skipIf(!isDeployed)('a first deployment that fails', () => {
  it('leaves nothing behind', async () => {
    const cloud = await startCloud();
    onTestFinished(cloud.stop);
    const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-broken-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(inject('assemblies').closed, folder, { recursive: true });
    const template = path.join(folder, 'Chartroom.template.json');
    const whole = await readFile(template, 'utf8');
    // The account of admin cannot be made, which comes to light when table and bucket are there.
    const broken = whole.replace(/("ADMIN_SECRET_ARN": \{\s*"Ref": )"\w+"/, '$1"AWS::StackName"');
    expect(broken).not.toBe(whole);
    await writeFile(template, broken);

    await cloud.cdk('bootstrap', '--app', folder);
    const before = await whatIsIn(cloud);
    await expect(cloud.deploy('--app', folder)).rejects.toThrow('Custom::AdminAccount');
    // A function that still runs makes its log group anew, which no role here allows on AWS.
    expect({ ...(await whatIsIn(cloud)), logs: [] }).toEqual(before);
    expect(before).toMatchObject({ functions: [], tables: [], buckets: [] });
  });
});
