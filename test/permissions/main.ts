import { existsSync } from 'node:fs';
import { endUnused } from '../command-line.ts';
import { isException } from './exceptions.ts';
import { refusedActs, unusedGrants } from './judge.ts';
import { readRecorded } from './recorded.ts';

const USAGE = `Judges what a run of the tests noted: is every act allowed, and every grant used?

  export CHARTROOM_ACTS=$PWD/.cache/acts
  npm test
  npm run permissions

Which tests it takes is in docs/testing.md#permissions.`;

const folder = process.env['CHARTROOM_ACTS'] ?? '';
if (!existsSync(folder))
  endUnused(USAGE, 'CHARTROOM_ACTS names no folder with what a run of the tests noted');

const records = readRecorded(folder);
let refused = 0;
for (const record of records) {
  for (const { action, resource, context } of await refusedActs(record)) {
    refused += 1;
    console.log(`REFUSED  ${record.functionId}  ${action}  ${resource}  ${JSON.stringify(context)}`);
  }
}
const unused = (await unusedGrants(records)).filter((grant) => !isException(grant));
for (const { functionId, action, resource, bound } of unused) {
  console.log(`UNUSED  ${functionId}  ${action}  ${resource}  ${bound}`);
}
const functions = new Set(records.map(({ functionId }) => functionId)).size;
const acts = records.reduce((sum, record) => sum + record.acts.length, 0);
console.log(
  `${functions} functions in ${records.length} policies, ${acts} different acts: ` +
    `${refused} refused, ${unused.length} granted and not used`,
);
if (functions === 0 || refused > 0 || unused.length > 0) process.exitCode = 1;
