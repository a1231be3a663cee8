import { access, withoutAccess } from './access.ts';
import { bearer } from './bearer.ts';
import { flags } from './flags.ts';
import { quirks } from './quirks.ts';
import { reads } from './reads.ts';
import { removals } from './removals.ts';
import { routes } from './routes.ts';
import type { Table } from './row.ts';
import { settings } from './settings.ts';
import { uploads } from './uploads.ts';

/** Everything that is held to both, servers that start alike together. */
export const tables: readonly Table[] = [
  {
    setup: { settings: {}, flags: [] },
    rows: [...routes, ...reads, ...uploads, ...removals, ...withoutAccess, ...quirks],
  },
  access,
  bearer,
  ...flags,
  ...settings,
];
