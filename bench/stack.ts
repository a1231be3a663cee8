import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { type LocalStack, startLocal } from '../local/stack.ts';
import { systemClock } from '../shared/clock.ts';
import { refreshIndex } from '../shared/refresh.ts';
import { bucket } from '../shared/store/bucket.ts';
import { pointersTable } from '../shared/store/pointers-table.ts';
import { versionsTable } from '../shared/store/versions-table.ts';
import { aPackage } from '../test/packages.ts';
import { type Figure, hold, timed } from './figures.ts';
import { root, seed, settingsOf } from './seed.ts';

/** The stores of a local stack, through the same code that the functions use. */
function storesOf({ clientConfig, tableName, bucketName }: LocalStack) {
  const { region, credentials, endpoints } = clientConfig;
  const dynamo = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  return {
    versions: versionsTable(dynamo, tableName),
    pointers: pointersTable(dynamo, tableName),
    objects: bucket(s3, bucketName),
    // What is seeded was changed by nobody.
    audit: { put: async () => {} },
    settings: { format: 'json', chartUrl: '', contextPath: '' } as const,
    settingsOf,
    clock: systemClock,
    newId: randomUUID,
    report: () => {},
  };
}

/** Publishing and reading over HTTP, on the local stack with so many versions there already. */
export async function stackFigures(count: number, runs: number): Promise<readonly Figure[]> {
  const stack = await startLocal();
  try {
    const stores = storesOf(stack);
    await seed(stores.versions, count);
    await refreshIndex(stores, root, { rebuildAtMost: Number.POSITIVE_INFINITY });
    return await measure(stack, stores, runs);
  } finally {
    await stack.stop();
  }
}

async function measure(
  stack: LocalStack,
  { pointers }: ReturnType<typeof storesOf>,
  runs: number,
): Promise<readonly Figure[]> {
  let published = 0;
  const publish = async (name: string) => {
    const version = `1.0.${published++}`;
    const body = new Uint8Array(await aPackage({ name, version }));
    const answer = await fetch(`${stack.url}/api/charts`, { method: 'POST', body });
    hold('a publish is answered 201', answer.status === 201);
    return `${name}-${version}.tgz`;
  };
  // As Helm does, which asks for no compression; fetch would.
  const plain = { headers: { 'accept-encoding': 'identity' } };
  const readIndex = async () => await (await fetch(`${stack.url}/index.yaml`, plain)).text();

  await publish('warm');
  await readIndex();
  const publishing = await timed(runs, async () => void (await publish('published')));
  const visible = await timed(runs, async () => {
    const file = await publish('visible');
    hold('the next index lists what was published', (await readIndex()).includes(file));
  });
  const unread = await timed(runs, async () => {
    const before = (await pointers.get(root))?.versions ?? 0;
    await publish('unread');
    while (((await pointers.get(root))?.versions ?? 0) <= before) await systemClock.sleep(5);
  });
  const reading = await timed(runs, async () => void (await readIndex()));
  const first = await fetch(`${stack.url}/index.yaml`, { redirect: 'manual', ...plain });
  await first.arrayBuffer();
  const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
  const unchanged = await timed(runs, async () => {
    const { status } = await fetch(`${stack.url}/index.yaml`, { headers });
    hold('an unchanged index is answered 304', status === 304);
  });
  return [
    { name: 'publish: POST to 201', unit: 'ms', runs: publishing },
    { name: 'publish to visible: POST to an index that lists it', unit: 'ms', runs: visible },
    { name: 'publish to current with nobody reading', unit: 'ms', runs: unread },
    { name: 'read an unchanged index', unit: 'ms', runs: reading },
    { name: 'ask for an unchanged index (304)', unit: 'ms', runs: unchanged },
  ];
}
