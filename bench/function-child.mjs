/**
 * One execution environment of one function in a process of its own: loads its bundle, runs one event at a time,
 * and tells what that took. Plain JavaScript, so that no loader counts as memory of the function.
 */
import { subscribe } from 'node:diagnostics_channel';
import { pathToFileURL } from 'node:url';

let calls = [];

const sizeOf = (message, headers) => {
  for (const name of headers) {
    const value = message.getHeader?.(name) ?? message.headers?.[name];
    if (value !== undefined) return Number(value);
  }
  return 0;
};

subscribe('http.client.response.finish', ({ request, response }) => {
  const target = request.getHeader('x-amz-target');
  calls.push({
    service: target === undefined ? 's3' : 'dynamodb',
    operation: target?.split('.')[1] ?? request.method,
    sentBytes: sizeOf(request, ['x-amz-decoded-content-length', 'content-length']),
    receivedBytes: request.method === 'HEAD' ? 0 : sizeOf(response, ['content-length']),
  });
});

const bundle = await import(pathToFileURL(process.argv[2]).href);

process.on('message', async (event) => {
  calls = [];
  const deadline = Date.now() + 120_000;
  const context = {
    awsRequestId: 'bench',
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  const before = process.cpuUsage();
  const began = performance.now();
  const answer = await bundle.handler(event, context);
  const tookMs = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  const mostMemoryMB = process.resourceUsage().maxRSS / 1000;
  process.send({ answer: answer ?? null, tookMs, cpuMs: (user + system) / 1000, mostMemoryMB, calls });
});
process.on('disconnect', () => process.exit());
process.send('ready');
