import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numberOf } from '../../shared/domain/project.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { aCurl, type Curl, type CurlAnswer } from './curl.ts';
import { type Answer, packages, rows } from './harbor.ts';
import { callers, type Who, whoMayWhat } from './harbor-access.ts';
import { type Server, startChartroom, user } from './servers.ts';

/** As for the table of ChartMuseum: CI holds Chartroom to it. */
const isAsked = process.env['PARITY'] === 'whole';

const PASSWORD = 'twelve chars';

async function writePackages(curl: Curl): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const [name, shape] of Object.entries(packages)) files.set(`${name}.tgz`, await aPackage(shape));
  const demo = files.get('demo-1.0.0.tgz') ?? Buffer.alloc(0);
  files.set('demo-1.0.0.tgz.prov', aProvenance(demo));
  for (const [name, bytes] of files) await curl.write(name, bytes);
  return files;
}

/** A Chartroom, curl and the files that it sends. */
type Room = {
  readonly call: (project: string, args: readonly string[], account?: string) => Promise<CurlAnswer>;
  /** Calls what must succeed, as whoever may do everything. */
  readonly must: (...args: readonly string[]) => Promise<string>;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly stop: () => Promise<void>;
};

async function aRoom(access: 'open' | 'closed'): Promise<Room> {
  const server: Server = await startChartroom({ settings: { access }, flags: [] });
  const [origin, curl] = [await server.origin(0), await aCurl()];
  const files = await writePackages(curl);
  const admin = access === 'closed' ? `${user.name}:${user.password}` : undefined;
  const labels = { label: '', foreign: '' };
  const call: Room['call'] = (project, args, account = admin) => {
    const named = args.map((arg) =>
      arg.replace('{label}', labels.label).replace('{foreign}', labels.foreign).replace('{p}', project),
    );
    const at = named.map((arg) => (arg.startsWith('/') ? `${origin}${arg}` : arg));
    return curl.run(...(account === undefined || account === '' ? [] : ['-u', account]), ...at);
  };
  const must = async (...args: readonly string[]) => {
    const { status, body } = await call('', args);
    expect(status, `${args.join(' ')}: ${body}`).toBeLessThan(300);
    return body.toString();
  };
  const stop = async () => {
    await curl.remove();
    await server.stop();
  };
  const makeLabel = async (wish: object) => {
    const { headers } = await call('', ['--data', JSON.stringify(wish), '/api/v2.0/labels']);
    return /\d+$/.exec(headers['location'] ?? '')?.[0] ?? '';
  };
  const room = { call, must, files, stop };
  await makeProject(room, 'library');
  labels.label = await makeLabel({ name: 'stable', scope: 'g' });
  labels.foreign = await makeLabel({ name: 'own', scope: 'p', project_id: numberOf('library') });
  return room;
}

/** As Harbor's clients do it. */
async function makeProject({ must }: Room, name: string, isPublic = false): Promise<void> {
  const wish = JSON.stringify({ project_name: name, public: isPublic });
  await must('-H', 'content-type: application/json', '--data', wish, '/api/v2.0/projects');
}

function hold(answered: CurlAnswer, { status, json, text, file, refusal }: Answer, { files }: Room): void {
  const body = answered.body.toString();
  expect(answered.status, body).toBe(status);
  if (json !== undefined) expect(JSON.parse(body)).toEqual(json);
  if (text instanceof RegExp) expect(body).toMatch(text);
  else if (text !== undefined) expect(body).toBe(text);
  if (file !== undefined) expect(answered.body.equals(files.get(file) ?? Buffer.alloc(0))).toBe(true);
  if (refusal === undefined) return;
  const message = expect.stringMatching(refusal.message);
  expect(JSON.parse(body)).toEqual({ error: message, errors: [{ code: refusal.code, message }] });
}

function describeRows(access: 'open' | 'closed'): void {
  let room: Room;
  beforeAll(async () => {
    room = await aRoom(access);
  });
  afterAll(() => room.stop());

  it.each(rows.map((row, at) => ({ ...row, project: `project${at}` })))('$id', async (row) => {
    const { project, isOurs = false, before, exchanges } = row;
    if (isOurs) await room.must('-X', 'PUT', `/-/repositories/${project}`);
    else await makeProject(room, project);
    for (const args of before) {
      const { status, body } = await room.call(project, args);
      expect(status, `before: ${args.join(' ')}: ${body}`).toBe(201);
    }
    for (const { call, harbor, chartroom } of exchanges) {
      hold(await room.call(project, call), chartroom?.answer ?? harbor, room);
    }
  });
}

function describeCallers(): void {
  let room: Room;
  const accounts = new Map<Who, string>([
    ['anonymous', ''],
    ['admin', `${user.name}:${user.password}`],
  ]);
  beforeAll(async () => {
    room = await aRoom('closed');
    await makeProject(room, 'public', true);
    await makeProject(room, 'private');
    for (const [who, role] of Object.entries(callers) as [Who, string | undefined][]) {
      if (accounts.has(who)) continue;
      const on = role === undefined ? [] : ['public', 'private'];
      const grants = on.map((project) => ({ role, on: project }));
      const wish = who === 'robot' ? { kind: 'robot', grants } : { kind: 'user', password: PASSWORD, grants };
      await room.must('-X', 'PUT', '--data', JSON.stringify(wish), `/-/accounts/${who}`);
      if (who !== 'robot') accounts.set(who, `${who}:${PASSWORD}`);
    }
    const made = await room.must('--data', '{"expiresInDays": 1}', '/-/accounts/robot/secrets');
    accounts.set('robot', `robot:${JSON.parse(made).secret}`);
  });
  afterAll(() => room.stop());

  const cases = Object.entries(whoMayWhat).flatMap(([project, table]) =>
    Object.entries(table).map(([who, may]) => ({ project, who: who as Who, may })),
  );

  it.each(cases)('$who in a $project project', async ({ project, who, may }) => {
    const by = async (...args: readonly string[]) => {
      const { status, headers } = await room.call(project, args, accounts.get(who));
      // Q46: Harbor sends no challenge.
      if (status === 401) expect(headers['www-authenticate']).toBe('Basic realm="Chartroom"');
      return status;
    };
    const charts = '/api/chartrepo/{p}/charts';
    await room.must('--data-binary', '@demo-1.0.0.tgz', `/api/${project}/charts?force`);

    const reads = ['/index.yaml', '/charts/demo-1.0.0.tgz'].map((path) => `/chartrepo/{p}${path}`);
    const read = [];
    for (const path of [...reads, charts, `${charts}/demo`, `${charts}/demo/1.0.0`]) {
      read.push(await by('-L', path));
    }
    const found = {
      read,
      replace: await by('--data-binary', '@other-bytes.tgz', charts),
      restored: await room.must('--data-binary', '@demo-1.0.0.tgz', `/api/${project}/charts?force`),
      uploadProvenance: await by('-F', 'prov=@demo-1.0.0.tgz.prov', '/api/chartrepo/{p}/prov'),
      removed: (await room.call(project, ['-X', 'DELETE', `${charts}/full`])).status < 500,
      uploadChart: await by('-F', 'chart=@full-1.0.0.tgz', charts),
      label: [
        await by('--data', '{"id": {label}}', `${charts}/demo/1.0.0/labels`),
        await by('-X', 'DELETE', `${charts}/demo/1.0.0/labels/{label}`),
      ],
      delete: [await by('-X', 'DELETE', `${charts}/demo/1.0.0`)],
    };
    await room.must('--data-binary', '@demo-1.0.0.tgz', `/api/${project}/charts?force`);
    found.delete.push(await by('-X', 'DELETE', `${charts}/demo`));
    expect(found).toEqual({
      ...may,
      read: read.map(() => may.read),
      delete: [may.delete, may.delete],
      label: [may.label, may.label],
      restored: '{"saved":true}',
      removed: true,
    });
  });
}

if (isAsked) {
  describe.each(['open', 'closed'] as const)("Harbor's table, with access %s", describeRows);
  describe('who may do what', describeCallers);
} else {
  console.info('Chartroom is not held to Harbor\'s table of parity: PARITY is not set to "whole"');
  describe("Harbor's table", () => it.todo('runs where PARITY is "whole", as in CI'));
}

describe("Harbor's table", () => {
  it('says each thing once, and why where the two differ', () => {
    const ids = rows.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    const whys = rows.flatMap(({ exchanges }) => exchanges.map(({ chartroom }) => chartroom?.why));
    expect(whys.filter((why) => why === '')).toEqual([]);
  });
});
