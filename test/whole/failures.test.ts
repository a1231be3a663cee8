import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnyChartroom, startAnyChartroom } from './chartroom.ts';

const password = 'correct horse';

const basic = (account: string, given: string) => ({
  authorization: `Basic ${Buffer.from(`${account}:${given}`).toString('base64')}`,
});

describe('guessing a password', () => {
  let chartroom: AnyChartroom;
  beforeAll(async () => {
    chartroom = await startAnyChartroom({ access: 'closed', adminPassword: password });
  });
  afterAll(() => chartroom.stop());

  const ask = (account: string, given: string, path = '/-/whoami') =>
    chartroom.send('GET', path, { headers: basic(account, given) });

  it('ends with the twentieth', async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 21; guess += 1) statuses.push((await ask('admin', `guess ${guess}`)).status);
    expect(statuses).toEqual([...Array(20).fill(401), 429]);
    const refused = await ask('admin', 'guess 22');
    const { error, errors } = (await refused.json()) as { error: string; errors: unknown };
    expect(errors).toEqual([{ code: 'TOO_MANY_REQUESTS', message: error }]);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(301);
    expect(error).toContain(`wait ${seconds} s`);
    expect(refused.headers.get('www-authenticate')).toBeNull();
  });

  it('is ended in every function, for the right password too, and for no other account', async () => {
    expect((await ask('admin', password, '/-/accounts')).status).toBe(429);
    expect((await ask('ada', 'wrong', '/-/accounts')).status).toBe(401);
  });

  it('is ended for that address alone', async () => {
    const event = (sourceIp: string) => ({
      rawPath: '/-/whoami',
      rawQueryString: '',
      headers: basic('admin', password),
      requestContext: { http: { method: 'GET', sourceIp }, requestId: 'one' },
      isBase64Encoded: false,
    });
    expect((await ask('admin', password)).status).toBe(429);
    expect(await chartroom.invoke('get-whoami', event('192.0.2.1'))).toMatchObject({ statusCode: 200 });
  });

  it('leaves a count for each pair, which says when it is to be forgotten, and no name', async () => {
    const { region, credentials, endpoints } = chartroom.clientConfig;
    const client = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
    const { Items = [] } = await client.send(new ScanCommand({ TableName: chartroom.tableName }));
    const isCount = ({ sk }: (typeof Items)[number]) => sk?.S?.startsWith('failures#') === true;
    const counts = Items.filter(isCount);
    expect(counts).toEqual(
      Array(2).fill({
        pk: { S: expect.stringMatching(/^failures#[0-9a-f]{2}$/) },
        sk: { S: expect.stringMatching(/^failures#[0-9a-f]{64}$/) },
        count: { N: expect.stringMatching(/^(20|1)$/) },
        forgetAt: { N: expect.stringMatching(/^\d{10}$/) },
      }),
    );
    // The rest is the admin's account, what the audit says of it, and the schema.
    const others = Items.filter((item) => !isCount(item)).map(({ pk }) => pk?.S?.split('#')[0]);
    expect(new Set(others)).toEqual(new Set(['accounts', 'audit', 'deployment']));
  });
});
