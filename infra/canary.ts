import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { environmentVariables } from '../shared/contract.ts';
import { BundledFunction } from './bundled-function.ts';
import { canary } from './functions.ts';

export type CanaryProps = {
  readonly bundles: string;
  readonly environment: Record<string, string>;
  /** Where clients find the root repository. */
  readonly address: string;
  /** How often it runs. */
  readonly minutes: number;
};

/** What publishes and pulls a signed chart by the clock, as a client does. */
export class Canary extends BundledFunction {
  constructor(scope: Construct, id: string, { bundles, environment, address, minutes }: CanaryProps) {
    super(scope, id, {
      bundles,
      functionId: canary,
      description: 'By the clock: publish and pull a signed chart',
      environment: { ...environment, [environmentVariables.apiUrl]: address },
      // It waits for others most of the time, and makes a key.
      memoryMegabytes: 512,
      // A dozen requests, of which each may take as long as the gateway lets it; and they mostly take a second together.
      timeout: Duration.minutes(5),
    });
    // The next one is not far away, and a second attempt would hide that the first one failed.
    this.function.configureAsyncInvoke({ retryAttempts: 0 });
    new Rule(this, 'Clock', {
      description: 'Chartroom: publish and pull a signed chart',
      schedule: Schedule.rate(Duration.minutes(minutes)),
      targets: [new LambdaFunction(this.function)],
    });
  }
}
