/**
 * One execution environment of one function: loads its bundle and runs one event at a time, as Lambda does.
 * The function's own environment variables are all that this thread has.
 */
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const bundle = await import(pathToFileURL(workerData.file).href);
const handler = bundle[workerData.handler];

function context(requestId, deadline) {
  return {
    awsRequestId: requestId,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    invokedFunctionArn: workerData.arn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: '',
    logStreamName: '',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

parentPort.on('message', async ({ event, requestId, deadline }) => {
  try {
    const answer = await handler(JSON.parse(event), context(requestId, deadline));
    parentPort.postMessage({ outcome: 'answer', payload: JSON.stringify(answer ?? null) });
  } catch (error) {
    parentPort.postMessage({ outcome: 'error', detail: String(error?.stack ?? error) });
  }
});
