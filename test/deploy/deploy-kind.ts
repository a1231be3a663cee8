const kind = process.env['CHARTROOM_DEPLOY'];

/** Whether deployments are made where all that a role does not grant is refused. */
export const isEnforced = kind === 'ministack-auth';

/** Whether tests that can be run against a deployment are. */
export const isDeployed = isEnforced || kind === 'ministack';
