import { systemClock } from '../shared/clock.ts';
import { type Figure, hold, one } from './figures.ts';
import { type Call, type Cost, startFunction } from './function-process.ts';
import { newVersion, type Publishable } from './repository.ts';
import { root } from './seed.ts';
import type { StackProcess } from './stack-process.ts';

// The first runs of a process are those in which it is compiled.
const WARM = 5;

/**
 * What one publish costs the functions, handler and indexer, each in a process of its own: CPU, memory, and what moves
 * between them and the stores. The indexer gets the bucket's event as the queue would hand it on.
 */
export async function costFigures(
  stack: StackProcess,
  count: number,
  runs: number,
): Promise<readonly Figure[]> {
  await stack.holdEvents(true);
  const handler = await startFunction(stack, 'publishpackage');
  const indexer = await startFunction(stack, 'indexrepositories');
  try {
    const costs: { handler: Cost; indexer: Cost }[] = [];
    for (let run = 0; run < WARM + runs; run += 1) {
      const next = await newVersion(run, count, 4);
      const before = await stack.listed();
      const published = await handler.run(postOf(next));
      hold(`${next.file} is published`, Object(published.answer).statusCode === 201);
      const indexed = await indexer.run({ Records: [await messageOf(stack, next)] });
      hold('the indexer reports no failure', Object(indexed.answer).batchItemFailures.length === 0);
      hold('the indexer made it current', (await stack.listed()) === before + 1);
      if (run >= WARM) costs.push({ handler: published, indexer: indexed });
    }
    return figuresOf(costs, (await stack.stores.pointers.get(root))?.sizeBytes ?? 0);
  } finally {
    await handler.stop();
    await indexer.stop();
    await stack.holdEvents(false);
  }
}

function figuresOf(costs: readonly { handler: Cost; indexer: Cost }[], sizeBytes: number): Figure[] {
  const handlers = costs.map(({ handler }) => handler);
  const indexers = costs.map(({ indexer }) => indexer);
  const both = costs.map(({ handler, indexer }) => [...handler.calls, ...indexer.calls]);
  const ms = (name: string, runs: readonly number[]): Figure => ({ name, unit: 'ms', runs });
  const calls = (name: string, service: Call['service']): Figure => ({
    name,
    unit: 'calls',
    runs: both.map((each) => each.filter((call) => call.service === service).length),
  });
  return [
    one('size of the index', 'MB', sizeBytes / 1e6),
    ms(
      'CPU of one publish, handler and indexer',
      costs.map(({ handler, indexer }) => handler.cpuMs + indexer.cpuMs),
    ),
    ms(
      'CPU of the handler',
      handlers.map(({ cpuMs }) => cpuMs),
    ),
    ms(
      'CPU of the indexer',
      indexers.map(({ cpuMs }) => cpuMs),
    ),
    ms(
      'refresh by the indexer, from event to current',
      indexers.map(({ tookMs }) => tookMs),
    ),
    one('most memory of the indexer', 'MB', Math.max(...indexers.map((each) => each.mostMemoryMB))),
    { name: 'read from S3 for one publish', unit: 'MB', runs: both.map((each) => moved(each).receivedMB) },
    { name: 'written to S3 for one publish', unit: 'MB', runs: both.map((each) => moved(each).sentMB) },
    calls('calls of S3 for one publish', 's3'),
    calls('calls of DynamoDB for one publish', 'dynamodb'),
  ];
}

function moved(calls: readonly Call[]) {
  const ofS3 = calls.filter(({ service }) => service === 's3');
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0) / 1e6;
  return {
    receivedMB: sum(ofS3.map(({ receivedBytes }) => receivedBytes)),
    sentMB: sum(ofS3.map(({ sentBytes }) => sentBytes)),
  };
}

/** A publish as the gateway hands it on. */
function postOf({ body }: Publishable): object {
  const [method, path] = ['POST', '/api/charts'];
  const http = { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'bench' };
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: { host: 'localhost', 'content-type': 'application/octet-stream' },
    requestContext: { http, requestId: 'bench', domainName: 'localhost' },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  };
}

/** The message that the queue has of a package, once the stack has told of it. */
async function messageOf({ events }: StackProcess, { name, version, file }: Publishable) {
  for (;;) {
    const record = events.find(({ s3 }) => s3.object.key.startsWith(`charts/-/${name}/${version}/`));
    if (record !== undefined) return { messageId: file, body: JSON.stringify({ Records: [record] }) };
    await systemClock.sleep(5);
  }
}
