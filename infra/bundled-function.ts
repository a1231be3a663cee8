import { join } from 'node:path';
import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionId } from './functions.ts';

export type BundledFunctionProps = {
  readonly functionId: FunctionId;
  /** Folder of the bundles, one folder a function. */
  readonly bundles: string;
  readonly description: string;
  readonly environment: Record<string, string>;
  /** A function's share of a CPU grows with it: 1,769 MB is one whole. */
  readonly memoryMegabytes: number;
  readonly timeout: Duration;
};

/**
 * One bundle as a function, with a log group and a role of its own. The role may write to that log group
 * and nothing else; the stack grants the rest.
 */
export class BundledFunction extends Construct {
  readonly function: LambdaFunction;
  readonly #rights = new PolicyDocument();

  constructor(scope: Construct, id: string, props: BundledFunctionProps) {
    super(scope, id);
    // How long it keeps what, infra/log-groups.ts says.
    const logGroup = new LogGroup(this, 'Logs', { removalPolicy: RemovalPolicy.DESTROY });
    // The role that CDK would make may write to every log group of the account.
    this.allow(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      // Inside the role: a policy beside it would be one more resource for each function, and a stack has 500.
      inlinePolicies: { Rights: this.#rights },
    });
    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(join(props.bundles, props.functionId)),
      environment: props.environment,
      memorySize: props.memoryMegabytes,
      timeout: props.timeout,
      role,
      logGroup,
    });
  }
  /** Lets the function do something more. */
  allow(statement: PolicyStatement): void {
    this.#rights.addStatements(statement);
  }
}
