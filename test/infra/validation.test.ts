import { expect, it } from 'vitest';
import { violations } from './synthesize.ts';

it
  .skipIf(process.env['CHECKS'] !== 'all')
  .each([
    { access: 'closed' },
    { access: 'open', accessReason: 'a test on this computer', corsAllowOrigin: '*' },
  ])('CDK finds nothing wrong with a deployment of %o', (context) => {
  expect(violations(context)).toEqual([]);
});
