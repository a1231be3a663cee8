import { costBlocks, countedOperations, show } from './cost-tables.ts';
import { loadBlocks } from './load-tables.ts';

/**
 * Prints the tables of docs/scaling.md, or puts them there.
 *
 * @param scaling also those that are simulated
 */
export async function printScaling({ scaling, write }: { scaling: boolean; write: boolean }): Promise<void> {
  const operations = await countedOperations();
  await show(costBlocks(operations), write);
  if (scaling) await show(await loadBlocks(operations), write);
}
