/** What this program uses of dynalite, which ships without types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  type Options = {
    /** Folder of the LevelDB files. @default in memory */
    readonly path?: string;
    /** How long a new table stays in CREATING. @default 500 */
    readonly createTableMs?: number;
  };

  function dynalite(options?: Options): Server;
  export = dynalite;
}
