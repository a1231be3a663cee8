/** What a checker finds in the stack and is meant as it is. */
export type Exception = {
  /** The rule, with what it names in brackets where it has several findings. */
  readonly rule: string | RegExp;
  /** Where it may be found: a construct's path below the stack; for cfn-lint, a logical ID. */
  readonly about: RegExp;
  readonly why: string;
};

const EVERYWHERE = /^/;

/** Of cdk-nag. One that nothing needs any more fails test/infra/checkers.test.ts. */
export const nagExceptions: readonly Exception[] = [
  {
    rule: /^AwsSolutions-IAM5\[Resource::<[^>]*Charts?Bucket[^>]*>\/(charts|files|inbox|index|rejected|merged\/(chart|projects))\/\*\]$/,
    about: /\/Role\/Resource$/,
    why: 'Objects are named by whoever publishes: a role names the prefix, and only the actions that it calls there.',
  },
  {
    rule: 'AwsSolutions-APIG4',
    about: EVERYWHERE,
    why: 'Each function asks for an account or a token and for a role in the repository (shared/routes.ts says which), since the API cannot say what Helm must hear at 401, and a function asked before each call would cost as much as the call.',
  },
  {
    rule: 'Serverless-APIGWDefaultThrottling',
    about: /^Api\/DefaultStage\/Resource$/,
    why: 'The limits of the account hold: a lower one that fits every deployment does not exist.',
  },
  {
    rule: 'AwsSolutions-S1',
    about: /^Charts\/Bucket\/Resource$/,
    why: 'A log of each read needs a second bucket and costs at every download. All access is by the functions, or by URLs that they signed for minutes; who changed what is in the audit.',
  },
  {
    rule: 'AwsSolutions-SMG4',
    about: /^Admin\/Secret\/Resource$/,
    why: 'It is the first password alone. The one in use is a hash in the table, which a rotated secret would not change.',
  },
  {
    rule: 'Serverless-LambdaDLQ',
    about: /\/Function\/Resource$/,
    why: 'Whoever calls is answered, the queue of the events has dead letters of its own, CloudFormation waits for the seeder, and what the clock calls is called again an hour later.',
  },
  {
    rule: 'Serverless-LambdaTracing',
    about: /\/Function\/Resource$/,
    why: 'Tracing costs at every request, in money and in the time of a cold start. A request id goes through logs, answers and audit.',
  },
  {
    rule: 'Serverless-LambdaEventSourceMappingDestination',
    about: /^index-repositories\/Function\/SqsEventSource/,
    why: 'Destinations are for streams: a queue has dead letters in their place.',
  },
  {
    rule: 'Serverless-SQSRedrivePolicy',
    about: /^index-repositories\/DeadLetters\/Resource$/,
    why: 'It is where dead letters go.',
  },
  {
    rule: 'Serverless-EventBusDLQ',
    about: /^(reconcile|Canary\/run-canary)\/Clock\/Resource$/,
    why: 'The next turn does what this one missed: a pass goes on where the last one ended, and a canary that does not run rings.',
  },
  {
    rule: 'Serverless-LambdaAsyncFailureDestination',
    about: /^Canary\/run-canary\/Function\/EventInvokeConfig\/Resource$/,
    why: 'A run that failed says so by its metric, which has an alarm; the next one tries again.',
  },
  {
    rule: 'Serverless-SNSRedrivePolicy',
    about: /^Operations\/Topic\/[^/]+\/Resource$/,
    why: 'Nobody would read a queue of mails that could not be delivered; the alarm and its history stay in CloudWatch.',
  },
];

/** Of cfn-lint. */
export const lintExceptions: readonly Exception[] = [
  {
    rule: 'W3005',
    about: EVERYWHERE,
    why: 'CDK has each function wait for its role, which the reference to the role would do too.',
  },
];
