import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { adminAccount } from '../shared/contract.ts';
import { answerCloudFormation, type CustomResourceEvent } from '../shared/edge/custom-resource.ts';
import { accounts, readEnvironment } from '../shared/edge/environment.ts';
import { hashPassword } from '../shared/password.ts';
import { type Seeded, seedAdmin } from '../shared/seed-admin.ts';
import { adminSecret } from '../shared/store/admin-secret.ts';

/** `reset`: the account takes the secret's password, whatever it has. */
type ByHand = { readonly reset?: boolean };

async function seed(reset: boolean): Promise<Seeded> {
  const environment = readEnvironment(process.env);
  return await seedAdmin(
    {
      accounts: accounts(environment),
      secret: adminSecret(environment.adminSecretArn()),
      clock: systemClock,
      newId: randomUUID,
      hashPassword,
    },
    { reset },
  );
}

/**
 * Nobody has used the password of a secret that is new, and whoever deploys is about to be told it: also where the
 * table has an account from a time before, when the deployment was closed already or still open to everybody.
 */
function isOfNewSecret(event: CustomResourceEvent): boolean {
  if (event.RequestType !== 'Update') return true;
  return event.ResourceProperties['secret'] !== event.OldResourceProperties['secret'];
}

/** Called by CloudFormation at a deployment, and by hand (docs/runbook.md). */
export const handler = async (
  event: CustomResourceEvent | ByHand,
): Promise<{ admin: Seeded } | undefined> => {
  if (!('ResponseURL' in event)) return { admin: await seed(event.reset === true) };
  await answerCloudFormation(event, adminAccount, async () => {
    // Who deletes the stack keeps the table, and the account in it.
    if (event.RequestType !== 'Delete') await seed(isOfNewSecret(event));
  });
  return undefined;
};
