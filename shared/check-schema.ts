import type { SchemaStore, WrittenBy } from './store/schema-store.ts';

// What is in a table of which nothing is noted: nobody noted anything before there was a second schema.
const FIRST = 1;

/**
 * Whether a Chartroom may work on the table. Notes by which schema the items are written where that is not noted: the
 * table is new, or from a time before.
 *
 * @param newest the newest schema that this Chartroom reads
 * @param version of this Chartroom
 * @throws Error that names the version to deploy, where the items are of a newer schema
 */
export async function checkSchema(
  schemas: SchemaStore,
  { newest, version }: { readonly newest: number; readonly version: string },
): Promise<WrittenBy> {
  const written = await schemas.begin({ schema: FIRST, version });
  if (written.schema <= newest) return written;
  throw new Error(
    `the table is of schema ${written.schema}, and this Chartroom (${version}) reads schemas up to ${newest}: deploy Chartroom ${written.version} or a newer one`,
  );
}
