import { Aspects } from 'aws-cdk-lib';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct, IConstruct } from 'constructs';
import type { CloudSettings } from './cloud-settings.ts';

/** Has every log group below a construct forget alike, and encrypt alike: one that is added later cannot be left out. */
export function configureLogGroups(
  scope: Construct,
  { logRetentionDays, kmsKeyArn }: Pick<CloudSettings, 'logRetentionDays' | 'kmsKeyArn'>,
): void {
  const visit = (node: IConstruct) => {
    if (!(node instanceof CfnLogGroup)) return;
    node.retentionInDays = logRetentionDays;
    if (kmsKeyArn !== '') node.kmsKeyId = kmsKeyArn;
  };
  Aspects.of(scope).add({ visit });
}
