import { type EndpointId, endpoints, fallback } from '../shared/routes.ts';

/** The function that the bucket's events reach through the queue; it has no route. */
export const indexer = 'index-repositories';

/** The function that goes over all repositories by the clock. */
export const reconciler = 'reconcile';

/** The function that is invoked by hand when something was lost. */
export const repairer = 'repair';

/** The function that makes the admin's account; there when access is closed. */
export const seeder = 'seed-admin';

/** The function that refuses a deployment over data of a newer schema. */
export const schemaChecker = 'check-schema';
/** The function that does by the clock what a client does; not there where the setting `canaryMinutes` is 0. */
export const canary = 'run-canary';

/** Names both a file in functions/ and the bundle made of it. */
export type FunctionId =
  | EndpointId
  | typeof indexer
  | typeof reconciler
  | typeof repairer
  | typeof seeder
  | typeof schemaChecker
  | typeof canary;

export const endpointIds = Object.keys(endpoints) as readonly (keyof typeof endpoints)[];

/** Every function of a closed deployment. */
export const functionIds: readonly FunctionId[] = [
  ...endpointIds,
  fallback,
  indexer,
  reconciler,
  repairer,
  seeder,
  schemaChecker,
  canary,
];
