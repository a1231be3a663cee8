import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { atRest } from '../../bench/cost.ts';
import { blockIn, costBlocks, countedOperations } from '../../bench/cost-tables.ts';
import type { Prices } from '../../bench/prices.ts';
import { prices } from '../../bench/prices.ts';

const document = await readFile(path.join(import.meta.dirname, '../../docs/scaling.md'), 'utf8');

// Every operation on a Chartroom with what it needs takes twenty seconds.
const isAsked = process.env['CHECKS'] === 'all';

it.skipIf(!isAsked)('docs/scaling.md says what each operation calls and what that costs', async () => {
  const { closed: assembly } = inject('assemblies');
  const operations = await countedOperations(assembly);
  for (const [name, block] of Object.entries(costBlocks(operations))) {
    expect(blockIn(document, name), 'npm run bench -- --cost --write puts the tables there').toBe(block);
  }

  for (const { name, functionId, memoryMegabytes } of operations) {
    expect(await memoryOf(functionId, assembly), name).toBe(memoryMegabytes);
  }

  expect(document).toContain(`At rest, a deployment costs $${atRest(prices).toFixed(2)} a month`);
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

/** As it is deployed, in whichever stack. */
async function memoryOf(functionId: string, assembly: string): Promise<number | undefined> {
  const files = (await readdir(assembly)).filter((file) => file.endsWith('.template.json'));
  const templates = await Promise.all(files.map((file) => readFile(path.join(assembly, file), 'utf8')));
  type Resource = { readonly Type: string; readonly Properties?: { readonly MemorySize?: number } };
  const found = templates
    .flatMap((text) =>
      Object.entries((JSON.parse(text) as { Resources: Record<string, Resource> }).Resources),
    )
    .find(
      ([id, { Type: type }]) =>
        type === 'AWS::Lambda::Function' && id.startsWith(functionId.replaceAll('-', '')),
    );
  return found?.[1].Properties?.MemorySize;
}
