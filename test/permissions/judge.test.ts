import { describe, expect, it } from 'vitest';
import type { Act, Statement } from '../../local/roles.ts';
import { refusedActs, unusedGrants } from './judge.ts';

const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/Table';
const bucket = 'arn:aws:s3:::bucket';

const reading: Statement = {
  Effect: 'Allow',
  Action: ['dynamodb:GetItem', 'dynamodb:Query'],
  Resource: table,
  Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['repository#*', 'labels'] } },
};
const files: Statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucket}/files/*` };
const listing: Statement = {
  Effect: 'Allow',
  Action: 's3:ListBucket',
  Resource: bucket,
  Condition: { StringLike: { 's3:prefix': ['charts', 'files'] } },
};
const scanning: Statement = { Effect: 'Allow', Action: 'dynamodb:Scan', Resource: table };

const onTable = (action: string, ...keys: string[]): Act => ({
  action: `dynamodb:${action}`,
  resource: table,
  context: { ...(keys.length > 0 && { 'dynamodb:LeadingKeys': keys }), 'dynamodb:Attributes': ['pk', 'sk'] },
});
const onObject = (action: string, key: string): Act => ({
  action: `s3:${action}`,
  resource: `${bucket}/${key}`,
  context: {},
});
const toList = (prefix: string): Act => ({
  action: 's3:ListBucket',
  resource: bucket,
  context: { 's3:prefix': [prefix] },
});

const record = (statements: readonly Statement[], ...acts: Act[]) => ({
  functionId: 'getfiles',
  statements,
  acts,
});

describe('the judge of permissions', () => {
  it('finds nothing where each grant is used, and each act granted', async () => {
    const acts = ['GetItem', 'Query'].flatMap((action) => [
      onTable(action, 'repository#'),
      onTable(action, 'labels'),
    ]);
    const all = record(
      [reading, files, listing, scanning],
      ...acts,
      onObject('GetObject', 'files/-/demo'),
      toList('charts'),
      toList('files'),
      onTable('Scan'),
    );
    expect(await refusedActs(all)).toEqual([]);
    expect(await unusedGrants([all])).toEqual([]);
  });

  it.each([
    { what: 'another action', act: onTable('PutItem', 'labels') },
    { what: 'another partition', act: onTable('GetItem', 'accounts') },
    { what: 'one partition of two', act: onTable('GetItem', 'labels', 'accounts') },
    { what: 'another prefix', act: onObject('GetObject', 'charts/-/demo') },
    { what: 'another version', act: onObject('GetObjectVersion', 'files/-/demo') },
    { what: 'a prefix to list', act: toList('inbox') },
    { what: 'another table', act: { ...onTable('GetItem', 'labels'), resource: `${table}2` } },
  ])('bites for $what', async ({ act }) => {
    expect(await refusedActs(record([reading, files, listing], act))).toEqual([act]);
  });

  it('tells of each action, partition, prefix and resource too many', async () => {
    const acts = [onTable('GetItem', 'repository#'), toList('charts'), onTable('GetItem')];
    const unused = await unusedGrants([record([reading, files, listing, scanning], ...acts)]);
    expect(unused.map(({ action, resource, bound }) => [action, resource, bound])).toEqual([
      ['dynamodb:GetItem', table, 'dynamodb:LeadingKeys labels'],
      ['dynamodb:Query', table, 'dynamodb:LeadingKeys repository#*'],
      ['dynamodb:Query', table, 'dynamodb:LeadingKeys labels'],
      ['s3:GetObject', `${bucket}/files/*`, ''],
      ['s3:ListBucket', bucket, 's3:prefix files'],
      ['dynamodb:Scan', table, ''],
    ]);
  });

  it('holds one function’s acts for no other’s', async () => {
    const used = record([files], onObject('GetObject', 'files/-/demo'));
    const unused = await unusedGrants([used, { ...record([files]), functionId: 'getvalues' }]);
    expect(unused.map(({ functionId }) => functionId)).toEqual(['getvalues']);
  });

  it.each([
    { what: 'an action that AWS has not', act: onObject('HeadObject', 'files/-/demo') },
    { what: 'a resource of another kind', act: { ...onTable('GetItem', 'labels'), resource: bucket } },
  ])('does not take $what', async ({ act }) => {
    await expect(refusedActs(record([files], act))).rejects.toThrow();
  });
});
