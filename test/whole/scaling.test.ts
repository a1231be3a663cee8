import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { atLeast, atRest, byDefault } from '../../bench/cost.ts';
import { blockIn, costBlocks, countedOperations, eachOf } from '../../bench/cost-tables.ts';
import type { Prices } from '../../bench/prices.ts';
import { prices } from '../../bench/prices.ts';
import { metrics } from '../../shared/metrics.ts';

const read = (file: string) => readFile(path.join(import.meta.dirname, '../..', file), 'utf8');
const document = await read('docs/scaling.md');
const readme = await read('README.md');

// Every operation on a Chartroom with what it needs takes twenty seconds.
const isAsked = process.env['CHECKS'] === 'all';

it.skipIf(!isAsked)('docs/scaling.md says what each operation calls and what that costs', async () => {
  const { closed: assembly } = inject('assemblies');
  const operations = await countedOperations(assembly);
  const blocks = costBlocks(operations);
  for (const [name, block] of Object.entries(blocks)) {
    expect(blockIn(document, name), 'npm run bench -- --cost --write puts the tables there').toBe(block);
  }
  expect(blockIn(readme, 'rest')).toBe(blocks['rest']);

  for (const { name, functionId, memoryMegabytes } of operations) {
    expect(await memoryOf(functionId, assembly), name).toBe(memoryMegabytes);
  }

  const each = eachOf(operations, prices);
  const [rest, least] = [atRest(each, prices), atLeast(each, prices)].map((cost) => `$${cost.toFixed(2)}`);
  expect(document).toContain(`At rest, a deployment costs ${rest} a month`);
  expect(document).toContain(`${least} without alarms and canary`);
  const free = Object.fromEntries(Object.keys(prices).map((name) => [name, 0])) as Record<
    keyof Prices,
    number
  >;
  const doubled = costBlocks(operations, { ...free, apiRequests: 2 });
  expect(doubled['cost']).toContain('| index, unchanged (304) | 1024 | ');
  expect(doubled['cost']?.match(/\$2\.00 \|/g)?.length).toBe(
    operations.filter(({ requests }) => requests > 0).length,
  );
});

it('what is taken to cost at rest is what is deployed by default', async () => {
  const deployed = await resources(inject('assemblies').closed);
  const count = (type: string) => deployed.filter(([, resource]) => resource.Type === type).length;
  const { alarms, dashboards, canaryMetrics, canaryMinutes, auditDays } = byDefault;
  expect(count('AWS::CloudWatch::Alarm')).toBe(alarms);
  expect(count('AWS::CloudWatch::Dashboard')).toBe(dashboards);
  expect(count('AWS::SecretsManager::Secret')).toBe(1);
  expect(Object.keys(metrics).filter((name) => name.startsWith('Canary'))).toHaveLength(canaryMetrics);
  const clocks = deployed.map(([, { Properties }]) => Properties?.ScheduleExpression);
  expect(clocks).toContain(`rate(${canaryMinutes} minutes)`);
  const { context } = JSON.parse(await read('cdk.json')) as { context: { chartroom: object } };
  expect(context.chartroom).toMatchObject({ canaryMinutes, auditDays });
});

type Resource = {
  readonly Type: string;
  readonly Properties?: { readonly MemorySize?: number; readonly ScheduleExpression?: string };
};

/** All that is deployed, in whichever stack, by logical ids. */
async function resources(assembly: string): Promise<readonly (readonly [string, Resource])[]> {
  const files = (await readdir(assembly)).filter((file) => file.endsWith('.template.json'));
  const templates = await Promise.all(files.map((file) => readFile(path.join(assembly, file), 'utf8')));
  return templates.flatMap((text) =>
    Object.entries((JSON.parse(text) as { Resources: Record<string, Resource> }).Resources),
  );
}

async function memoryOf(functionId: string, assembly: string): Promise<number | undefined> {
  const found = (await resources(assembly)).find(
    ([id, { Type: type }]) =>
      type === 'AWS::Lambda::Function' && id.startsWith(functionId.replaceAll('-', '')),
  );
  return found?.[1].Properties?.MemorySize;
}
