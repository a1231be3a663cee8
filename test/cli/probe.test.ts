import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import { aPackage } from '../packages.ts';
import { anAdminRobot, type Chartroom, startChartroom } from '../whole/chartroom.ts';
import { runProbe, verdictsOf } from './probe.ts';

describe('npm run probe', () => {
  it.each([
    { args: [], said: 'the address of a Chartroom is needed' },
    { args: ['charts.example.com'], said: 'the address of a Chartroom is needed' },
    { args: ['http://u:p@localhost'], said: 'no password belongs in the address' },
    { args: ['http://localhost', 'more'], said: '"more" is no option' },
    { args: ['http://localhost', '--nonsense'], said: '--nonsense' },
    { args: ['http://localhost', '--user', 'ci'], said: 'CHARTROOM_PASSWORD, which is not set' },
    { args: ['http://localhost', '--repository', ''], said: "cannot be part of a repository's path" },
  ])('cannot run with $args', async ({ args, said }) => {
    const { code, out, err } = await runProbe(args, { CHARTROOM_PASSWORD: '' });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(said);
  });
});

// Each looks at forty functions that begin cold, and waits for events.
describe('npm run probe, against an open stack', () => {
  let chartroom: Chartroom;
  beforeAll(async () => {
    chartroom = await startChartroom();
  });
  afterAll(() => chartroom.stop());

  it('finds all as expected, and leaves nothing', async () => {
    const { code, out, err } = await runProbe([chartroom.url]);
    expect(err).toBe('');
    const verdicts = verdictsOf(out);
    expect([...verdicts].filter(([, verdict]) => verdict !== 'ok')).toEqual([
      ['Challenge of a 401', 'not tried'],
      ['Challenge of wrong credentials', 'not tried'],
      ['HTTP/2', 'not tried'],
    ]);
    expect(verdicts.size).toBeGreaterThan(50);
    expect(code).toBe(0);
    expect(await chartroom.readIndex('probe')).toMatchObject({ entries: {} });
    await chartroom.idle();
    expect((await chartroom.keys()).filter((key) => /^(charts|files|inbox)\//.test(key))).toEqual([]);
  });

  it('refuses a repository in which there is something', async () => {
    expect((await chartroom.publish(await aPackage(), 'taken')).status).toBe(201);
    const { code, err } = await runProbe([chartroom.url, '--repository', 'taken']);
    expect(code).toBe(2);
    expect(err).toContain('the repository taken is not empty');
    expect(await chartroom.digestAt('/taken/charts/demo-1.0.0.tgz')).toBeDefined();
  });
});

describe('npm run probe, against a closed stack', () => {
  let chartroom: Chartroom;
  let environment: NodeJS.ProcessEnv;
  beforeAll(async () => {
    chartroom = await startChartroom({ access: 'closed', adminPassword: 'a secret of the test' });
    const [, secret] = (await anAdminRobot(chartroom, 'a secret of the test')).split(':');
    environment = { CHARTROOM_PASSWORD: secret };
  });
  afterAll(() => chartroom.stop());

  it('needs somebody who may', async () => {
    expect(await runProbe([chartroom.url])).toMatchObject({
      code: 2,
      err: expect.stringContaining('give --user NAME'),
    });
  });

  it('finds all as expected, and tells neither who asks nor the password', async () => {
    const { code, out } = await runProbe(
      [chartroom.url, '--user', 'tester', '--repository', 'team/probe'],
      environment,
    );
    expect([...verdictsOf(out)].filter(([, verdict]) => verdict === '**differs**')).toEqual([]);
    expect(verdictsOf(out).get('Challenge of a 401')).toBe('ok');
    expect(code).toBe(0);
    expect(out).not.toContain(environment['CHARTROOM_PASSWORD']);
    expect(out).not.toContain('tester');
  });

  it('says what differs where a gateway does otherwise, and cleans up all the same', async () => {
    const url = await misbehaving(chartroom.url);
    const { code, out } = await runProbe([`${url}/base/`, '--user', 'tester'], environment);
    expect(
      [...verdictsOf(out)].filter(([, verdict]) => verdict === '**differs**').map(([name]) => name),
    ).toEqual([
      'Challenge of a 401',
      'Challenge of wrong credentials',
      'Package, HEAD',
      'The URL in the index',
      'Index, HEAD',
      expect.stringMatching(/^\d+ paths that two routes match$/),
      'The `Link` of a list, which has the base path in it',
      'Package sent as `application/gzip`',
      'A body of 5 MiB, of which base64 makes more than Lambda takes',
      'A body of 11 MiB, more than the gateway takes',
      'Index above 512 KB',
    ]);
    expect(out).toContain('| 401 with x-amzn-remapped-www-authenticate |');
    expect(out).toContain("`/api/labels/index.yaml` 404 in others' words |");
    expect(out).toContain(
      '`/api/charts/index.yaml` 400 by `/{…}/index.yaml`; `/api/charts/charts` 400 by `/api/',
    );
    expect(code).toBe(1);
    const headers = { authorization: `Basic ${btoa(`tester:${environment['CHARTROOM_PASSWORD']}`)}` };
    expect(await (await chartroom.send('GET', '/api/probe/charts', { headers })).json()).toEqual({});
  });
});

/**
 * A gateway in front of another that is below `/base` alone, of which that one knows nothing, renames the challenge, counts
 * nothing of HEAD, takes gzip for text, prefers other routes, and answers 500 to what is too large for it.
 */
async function misbehaving(target: string): Promise<string> {
  const server = createServer((asked, answer) => pass(target, asked, answer));
  onTestFinished(() => close(server));
  const port = await bind(server, '127.0.0.1', 0);
  // By another host name than the bucket has: Helm sends its password on to the host that it knows.
  return `http://localhost:${port}`;
}

function pass(target: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { url = '/' } = asked;
  if (!url.startsWith('/base/') || url === '/base/api/labels/index.yaml') {
    answer.writeHead(404).end('{"message":"Not Found"}');
    return;
  }
  // Another path that the other route refuses in the same words.
  const path = url.slice('/base'.length).replace(/^\/api\/charts\/index\.yaml$/, '/team/uploads/index.yaml');
  const isGzip = asked.headers['content-type'] === 'application/gzip';
  const type = isGzip ? { 'content-type': 'application/json' } : {};
  const onward = request(
    new URL(path, target),
    { method: asked.method, headers: { ...asked.headers, ...type }, path },
    (answered) => {
      const headers = Object.entries(answered.headers).flatMap(([name, value]) => {
        if (name === 'content-length' && asked.method === 'HEAD') return [];
        return [[name === 'www-authenticate' ? `x-amzn-remapped-${name}` : name, value ?? '']] as const;
      });
      const isTooLarge = answered.statusCode === 413 && answered.headers['x-request-id'] === undefined;
      answer.writeHead(isTooLarge ? 500 : (answered.statusCode ?? 500), Object.fromEntries(headers));
      answered.pipe(answer);
    },
  );
  asked.pipe(onward);
}
