/**
 * What this program uses of dynalite, which ships without types: the folder of the LevelDB files, without which
 * tables live in memory, and how long a new table stays in CREATING.
 */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  function dynalite(options?: { readonly path?: string; readonly createTableMs?: number }): Server;
  export = dynalite;
}
