import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { Act, Statement } from '../../local/roles.ts';
import { account } from '../../local/template.ts';

/**
 * Whether IAM would let a function with this policy do it, by somebody else's reading of IAM than that of the stack on
 * this computer (local/roles.ts).
 *
 * @throws where the policy, the action or the resource is none that AWS knows
 */
export async function isAllowed(statements: readonly Statement[], act: Act): Promise<boolean> {
  const policy = { Version: '2012-10-17', Statement: statements };
  const simulated = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${account}:role/function`,
        action: act.action,
        resource: { resource: act.resource, accountId: account },
        contextVariables: Object.fromEntries(
          Object.entries(act.context).map(([key, values]) => [key, [...values]]),
        ),
      },
      identityPolicies: [{ name: 'role', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (simulated.resultType === 'error') {
    throw new Error(`${JSON.stringify(act)}: ${JSON.stringify(simulated.errors)}`);
  }
  return simulated.overallResult === 'Allowed';
}
