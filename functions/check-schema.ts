import packageJson from '../package.json' with { type: 'json' };
import { checkSchema } from '../shared/check-schema.ts';
import { dataSchema } from '../shared/contract.ts';
import { answerCloudFormation, type CustomResourceEvent } from '../shared/edge/custom-resource.ts';
import { readEnvironment } from '../shared/edge/environment.ts';
import { dynamoClient } from '../shared/store/dynamo-client.ts';
import type { WrittenBy } from '../shared/store/schema-store.ts';
import { schemaTable } from '../shared/store/schema-table.ts';

/** By hand, and on this computer: asks as a deployment of this very code would. */
type ByHand = { readonly ResponseURL?: never };

const check = (newest: number): Promise<WrittenBy> =>
  checkSchema(schemaTable(dynamoClient(), readEnvironment(process.env).tableName()), {
    newest,
    version: packageJson.version,
  });

/** Called by CloudFormation before it changes any other function or right. */
export const handler = async (event: CustomResourceEvent | ByHand): Promise<WrittenBy | undefined> => {
  if (event.ResponseURL === undefined) return await check(dataSchema);
  await answerCloudFormation(event, 'schema', async () => {
    // The template's number, not this code's own: a deployment that was refused is rolled back by the template before,
    // while the function may still be the one that refused.
    if (event.RequestType !== 'Delete') await check(Number(event.ResourceProperties['schema']));
  });
  return undefined;
};
