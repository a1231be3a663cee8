/**
 * One execution environment of one function: loads its bundle and runs one event at a time, as Lambda does.
 * The function's own environment variables are all that this thread has.
 */
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const bundle = await import(pathToFileURL(workerData.file).href);

parentPort.on('message', async ({ event, requestId, deadline }) => {
  const context = {
    awsRequestId: requestId,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const answer = await bundle[workerData.handler](JSON.parse(event), context);
    parentPort.postMessage({ outcome: 'answer', payload: JSON.stringify(answer ?? null) });
  } catch (error) {
    parentPort.postMessage({ outcome: 'error', detail: String(error?.stack ?? error) });
  }
});
