import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What cannot be meant. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

// npm's own setting too: a reader may have it in .npmrc.
const NPM_KNOWS = 'access';

/**
 * Reads the command line of a program that npm runs.
 *
 * @throws UsageError for what it does not know, and for an option that npm took for its own
 */
export function readCommandLine<Known extends Options>(options: Known) {
  const kept = (name: string) =>
    name !== NPM_KNOWS && `npm_config_${name.replaceAll('-', '_')}` in process.env;
  const swallowed = Object.keys(options).find(kept);
  if (swallowed !== undefined) {
    const command = `npm run ${process.env['npm_lifecycle_event']} -- --${swallowed} …`;
    throw new UsageError(`npm has kept --${swallowed} for itself; options follow two dashes: ${command}`);
  }
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
