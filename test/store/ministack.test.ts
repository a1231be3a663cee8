import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { describe, it } from 'vitest';
import { awsStores, bucketName } from './aws.ts';
import { type Backend, storeContract } from './contract.ts';
import { startMinistack } from './ministack.ts';
import type { Shortcoming } from './s3-contract.ts';

/** URL of a MiniStack that runs with AUTH=true, or `start` to start `ministack` from PATH. */
const where = process.env['CHARTROOM_MINISTACK'] ?? '';

/** Seen with 1.5.33; it takes part in the rest of the suite. */
const shortcomings: readonly Shortcoming[] = [
  'refuses a signature of another secret',
  'refuses two credentials at once',
  'refuses a part that is too small',
  'refuses an empty list of parts, and one out of order',
  'tells the checksum of a copied part',
  'wants the checksum of each part',
  'refuses bytes that were not signed',
];

const ministack: Backend = {
  name: 'MiniStack',
  speaksHttp: true,
  shortcomings,
  open: async () => {
    const { url, stop } =
      where === 'start'
        ? await startMinistack(['ministack'], { AUTH: 'true' })
        : { url: where, stop: async () => {} };
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const stores = await awsStores({ dynamodb: url, s3: url, region: 'us-east-1', credentials });
    await stores.client.send(new CreateBucketCommand({ Bucket: bucketName }));
    await stores.client.send(
      new PutBucketVersioningCommand({
        Bucket: bucketName,
        VersioningConfiguration: { Status: 'Enabled' },
      }),
    );
    return {
      ...stores,
      close: async () => {
        stores.close();
        await stop();
      },
    };
  },
};

if (where === '') {
  console.info('MiniStack is left out: CHARTROOM_MINISTACK is not set');
  describe('MiniStack', () => it.todo('runs where CHARTROOM_MINISTACK is a URL, or `start`'));
} else {
  for (const shortcoming of shortcomings) console.info(`MiniStack is not asked whether it ${shortcoming}`);
  storeContract(ministack);
}
