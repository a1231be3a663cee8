import { expect, it } from 'vitest';
import { violations } from './synthesize.ts';

it.each([
  { access: 'closed' },
  {
    access: 'open',
    accessReason: 'a test on this computer',
    corsAllowOrigin: '*',
    kmsKeyArn: 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    domainName: 'charts.example.com',
    certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/1b2c-3d',
    hostedZoneId: 'Z0123456789',
    disableExecuteApiEndpoint: true,
    throttleRate: 50,
    throttleBurst: 100,
    tags: { team: 'apps' },
  },
])('CDK finds nothing wrong with a deployment of %o', (context) => {
  expect(violations(context)).toEqual([]);
});
