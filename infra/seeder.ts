import { join } from 'node:path';
import { CustomResource, Duration, FileSystem } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { adminAccount, environmentVariables } from '../shared/contract.ts';
import type { AdminSecret } from './admin-secret.ts';
import { BundledFunction } from './bundled-function.ts';
import { seeder } from './functions.ts';
import { usingKey } from './key.ts';
import type { MetadataTable } from './metadata-table.ts';

export type SeederProps = {
  readonly bundles: string;
  readonly environment: Record<string, string>;
  readonly secret: AdminSecret;
  readonly metadata: MetadataTable;
};

/**
 * What makes the admin's account, and the only function that may read its first password. It is a resource of the
 * deployment by itself: CDK's Trigger brings a second function, with a policy of AWS's and a log group that stays.
 */
export class Seeder extends BundledFunction {
  constructor(scope: Construct, id: string, { bundles, environment, secret, metadata }: SeederProps) {
    const { secretArn } = secret.secret;
    super(scope, id, {
      bundles,
      functionId: seeder,
      description: `At a deployment, or invoked by hand: make the account "${adminAccount}"`,
      environment: { ...environment, [environmentVariables.adminSecret]: secretArn },
      // One hash, of 128 MiB, at a good part of a CPU.
      memoryMegabytes: 512,
      timeout: Duration.minutes(1),
    });
    this.allow(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secretArn] }));
    const { encryptionKey } = secret.secret;
    if (encryptionKey !== undefined) {
      this.allow(usingKey(['Decrypt'], encryptionKey, 'secretsmanager'));
    }
    new CustomResource(this, 'Account', {
      resourceType: 'Custom::AdminAccount',
      serviceToken: this.function.functionArn,
      // Longer than the function and its second attempt. CloudFormation would wait an hour for one that is gone.
      serviceTimeout: Duration.minutes(5),
      // It is asked again when one of them is another.
      properties: {
        secret: secretArn,
        table: metadata.table.tableName,
        code: FileSystem.fingerprint(join(bundles, seeder)),
      },
    });
  }
}
