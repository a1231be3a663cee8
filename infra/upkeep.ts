import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { BundledFunction } from './bundled-function.ts';
import { reconciler, repairer } from './functions.ts';

export type UpkeepProps = { readonly bundles: string; readonly environment: Record<string, string> };

const upkeep = {
  // As much as the indexer: they build whole indexes too.
  memoryMegabytes: 1769,
  // The longest a function may run.
  timeout: Duration.minutes(15),
};

/** What compares table, bucket and indexes by the clock, and removes what nobody names any more. */
export class Reconciler extends BundledFunction {
  constructor(scope: Construct, id: string, props: UpkeepProps) {
    super(scope, id, {
      ...props,
      ...upkeep,
      functionId: reconciler,
      description: 'By the clock: compare table, bucket and indexes, tidy up, repair what differs',
    });
    // A pass begins once a day; the calls between go on with one that is not done, or end at once.
    new Rule(this, 'Clock', {
      description: 'Chartroom: reconcile the repositories',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [new LambdaFunction(this.function)],
    });
  }
}

/** What tells by hand what is wrong, and brings back what was lost. */
export class Repairer extends BundledFunction {
  constructor(scope: Construct, id: string, props: UpkeepProps) {
    super(scope, id, {
      ...props,
      ...upkeep,
      functionId: repairer,
      description: 'Invoked by hand: tell what is wrong with the repositories, or put it right',
    });
  }
}
