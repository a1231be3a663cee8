import { canaryName } from '../contract.ts';
import { parseAccountName } from './account.ts';
import { parseRepository } from './repository.ts';

/** What does by the clock what a client does. */
export const canaryAccount = parseAccountName(canaryName);

/** What it publishes to. */
export const canaryRepository = parseRepository([canaryName]);
