import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { aws } from '../../local/aws.ts';
import { openDynamoDb } from '../../local/dynamodb.ts';
import type { Faults } from '../../local/faults.ts';
import { bind, close } from '../../local/listen.ts';
import { Bucket } from '../../local/s3-bucket.ts';
import { ObjectFiles } from '../../local/s3-objects.ts';
import { lightBucket } from '../../shared/store/light-bucket.ts';
import { awsStores, bucketName } from './aws.ts';
import { type Backend, storeContract } from './contract.ts';
import { objectsContract } from './objects-contract.ts';
import type { S3 } from './s3-contract.ts';
import { s3Reads } from './s3-reads.ts';

const credentials = { accessKeyId: 'LOCAL', secretAccessKey: 'a secret of this test' };
const secrets = (accessKeyId: string) =>
  accessKeyId === credentials.accessKeyId ? credentials.secretAccessKey : undefined;
const noFaults: Faults = { decide: () => 'pass', kill: async () => {} };

/** What `npm start` embeds, without the stack around it. */
const embedded: Backend = {
  name: 'embedded',
  speaksHttp: true,
  open: async () => {
    const may = () => true;
    const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-stores-'));
    const files = new ObjectFiles(folder);
    const local = new Bucket({ name: bucketName, files, secrets, may, changed: () => {} });
    const services = {
      secret: randomUUID(),
      secretStrings: new Map(),
      invoke: async () => undefined,
      redrive: async () => 0,
    };
    const dynamoDb = openDynamoDb(undefined);
    const behind = { ...services, bucket: local, dynamoDb, cors: {}, may };
    const server = createServer(aws({ ...behind, secrets, faults: noFaults, tolerateHeader: false }));
    const url = `http://127.0.0.1:${await bind(server, '127.0.0.1', 0)}`;
    const servers = { s3: url, dynamodb: url, region: 'us-east-1', credentials };
    const stores = await awsStores(servers);
    return {
      ...stores,
      close: async () => {
        stores.close();
        await close(server);
        await dynamoDb.close();
        files.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

storeContract(embedded);

/** The same S3 behind what the hot functions have in front of it. */
describe('embedded, lightly', () => {
  const opened: { stores?: Awaited<ReturnType<Backend['open']>>; s3?: S3 } = {};
  beforeAll(async () => {
    const stores = await embedded.open();
    if (stores.s3 === undefined) throw new Error('there is no S3');
    const { client, endpoint } = stores.s3;
    const light = lightBucket(client.config, { bucketName, endpoint }, async () => stores.objects);
    Object.assign(opened, { stores, s3: { ...stores.s3, objects: { ...stores.objects, ...light } } });
  });
  afterAll(async () => {
    await opened.stores?.close();
  });
  const s3 = () => {
    if (opened.s3 === undefined) throw new Error('it is not open');
    return opened.s3;
  };

  objectsContract(() => s3().objects);
  s3Reads(s3, () => it);
});
