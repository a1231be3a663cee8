import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import dynalite from 'dynalite';
import { aws } from '../../local/aws.ts';
import type { Faults } from '../../local/faults.ts';
import { bind, close } from '../../local/listen.ts';
import { Bucket } from '../../local/s3-bucket.ts';
import { ObjectFiles } from '../../local/s3-objects.ts';
import { awsStores, bucketName } from './aws.ts';
import { type Backend, storeContract } from './contract.ts';

const credentials = { accessKeyId: 'LOCAL', secretAccessKey: 'a secret of this test' };
const secrets = (accessKeyId: string) =>
  accessKeyId === credentials.accessKeyId ? credentials.secretAccessKey : undefined;
const noFaults: Faults = { decide: () => 'pass', kill: async () => {} };

/** What `npm start` embeds, without the stack around it. */
const embedded: Backend = {
  name: 'embedded',
  speaksHttp: true,
  open: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-stores-'));
    const files = new ObjectFiles(folder);
    const local = new Bucket({ name: bucketName, files, secrets, changed: () => {} });
    const services = { secret: randomUUID(), secretStrings: new Map(), invoke: async () => undefined };
    const objects = createServer(
      aws({ ...services, bucket: local, secrets, faults: noFaults, tolerateHeader: false }),
    );
    const items = dynalite({ createTableMs: 0 });
    const url = async (server: typeof objects) => `http://127.0.0.1:${await bind(server, '127.0.0.1', 0)}`;
    const servers = { s3: await url(objects), dynamodb: await url(items), region: 'us-east-1', credentials };
    const stores = await awsStores(servers);
    return {
      ...stores,
      close: async () => {
        stores.close();
        await Promise.all([close(objects), close(items)]);
        files.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

storeContract(embedded);
