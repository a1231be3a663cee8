import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import { answerCloudFormation, type CustomResourceEvent } from '../../shared/edge/custom-resource.ts';

const refused = Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' });

/** @returns what CloudFormation was told, how often the work was tried, and the pauses between */
async function answerOf(errors: readonly Error[]) {
  const answers: unknown[] = [];
  const server = createServer(async (request, response) => {
    answers.push(await json(request));
    response.end();
  });
  const ResponseURL = `http://127.0.0.1:${await bind(server, '127.0.0.1', 0)}/answer`;
  onTestFinished(() => close(server));
  const event: CustomResourceEvent = {
    RequestType: 'Create',
    ServiceToken: 'function',
    ResponseURL,
    StackId: 'stack',
    RequestId: 'one',
    LogicalResourceId: 'Schema',
    ResourceType: 'Custom::DataSchema',
    ResourceProperties: { ServiceToken: 'function' },
  };
  const left = [...errors];
  const pauses: number[] = [];
  const work = async () => {
    const error = left.shift();
    if (error !== undefined) throw error;
  };
  await answerCloudFormation(event, 'schema', work, async (ms) => pauses.push(ms));
  return { answer: answers[0], pauses };
}

it('waits for the rights of a role that was made a moment ago', async () => {
  const { answer, pauses } = await answerOf([refused, refused]);
  expect(answer).toMatchObject({ Status: 'SUCCESS' });
  expect(pauses).toHaveLength(2);
});

it('tells of rights that do not come, before its own time is over', async () => {
  const { answer, pauses } = await answerOf(Array<Error>(20).fill(refused));
  expect(answer).toMatchObject({ Status: 'FAILED', Reason: 'AccessDeniedException: not authorized' });
  expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(45_000);
});

it('tells of every other failure at once', async () => {
  const { answer, pauses } = await answerOf([refused, new Error('of a newer schema')]);
  expect(answer).toMatchObject({ Status: 'FAILED', Reason: 'Error: of a newer schema' });
  expect(pauses).toHaveLength(1);
});
