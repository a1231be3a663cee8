import { describe, expect, it, vi } from 'vitest';
import { openDynamoDb } from '../../local/dynamodb.ts';

const HEADERS = [
  ['content-type', 'application/x-amz-json-1.0'],
  ['authorization', 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local'],
  ['x-amz-date', '20300101T000000Z'],
] as const;

async function aTable() {
  const dynamoDb = openDynamoDb(undefined);
  const send = async (operation: string, request: object) => {
    const headers = new Map<string, string>([...HEADERS, ['x-amz-target', `DynamoDB_20120810.${operation}`]]);
    const { status, body = '' } = await dynamoDb.call(headers, Buffer.from(JSON.stringify(request)));
    return { status, body: JSON.parse(String(body)) };
  };
  await send('CreateTable', {
    TableName: 'table',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
  await vi.waitFor(async () => {
    const { body } = await send('DescribeTable', { TableName: 'table' });
    expect(body.Table.TableStatus).toBe('ACTIVE');
  });
  const items = async () => (await send('Scan', { TableName: 'table' })).body.Items;
  return { send, items, close: dynamoDb.close };
}

const put = (pk: string, value: string) => ({
  Put: { TableName: 'table', Item: { pk: { S: pk }, value: { S: value } } },
});
const remove = (pk: string) => ({ Delete: { TableName: 'table', Key: { pk: { S: pk } } } });
const putNew = (pk: string, value: string) => ({
  Put: { ...put(pk, value).Put, ConditionExpression: 'attribute_not_exists(pk)' },
});

describe('TransactWriteItems', () => {
  it('does all of its writes, or none', async () => {
    const { send, items, close } = await aTable();
    const first = { TransactItems: [putNew('a', '1'), put('b', '1')] };
    expect(await send('TransactWriteItems', first)).toEqual({ status: 200, body: {} });
    const before = await items();
    expect(before).toHaveLength(2);

    const refused = { TransactItems: [put('c', '2'), put('a', '2'), remove('b'), putNew('a', '3')] };
    const { status, body } = await send('TransactWriteItems', refused);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      __type: expect.stringMatching(/#TransactionCanceledException$/),
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'None' },
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed' },
      ],
    });
    expect(await items()).toEqual(before);
    await close();
  });
});
