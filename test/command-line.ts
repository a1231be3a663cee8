import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * Reads the options of a program that npm runs for developers. For `--help` it says how the program is used and ends;
 * for what it does not know it ends with 2.
 */
export function readOptions<Known extends Options>(usage: string, options: Known) {
  if (process.argv.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return endUnused(usage, error instanceof Error ? error.message : String(error));
  }
}

/** Ends a program that was asked for what it cannot do, before it did anything. */
export function endUnused(usage: string, why: string): never {
  console.error(`${why}\n\n${usage}`);
  process.exit(2);
}
