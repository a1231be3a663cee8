import type { Grant } from './judge.ts';

/** What is granted though no test can use it: who does, and so why it stays. */
const exceptions: readonly { readonly actions: readonly string[]; readonly why: string }[] = [
  {
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    why: 'Lambda itself writes the log, as the function; there is no CloudWatch here',
  },
  {
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    why: 'the event source mapping reads the queue, as the function: these are all that AWSLambdaSQSQueueExecutionRole has for it',
  },
  {
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    why: 'where kmsKeyArn is set, S3, DynamoDB and Secrets Manager use the key as the function; the stores here have none. test/infra/cloud-settings.test.ts holds each to the uses that go with its other rights',
  },
];

export const isException = ({ action }: Pick<Grant, 'action'>): boolean =>
  exceptions.some(({ actions }) => actions.includes(action));
