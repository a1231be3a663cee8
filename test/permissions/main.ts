import { isException } from './exceptions.ts';
import { refusedActs, unusedGrants } from './judge.ts';
import { readRecorded } from './recorded.ts';

/*
 * Judges what a run of the tests noted, in the folder that CHARTROOM_ACTS names: is every act allowed, and every grant
 * used?
 */

const folder = process.env['CHARTROOM_ACTS'];
if (folder === undefined)
  throw new Error('CHARTROOM_ACTS names no folder with what a run of the tests noted');

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
