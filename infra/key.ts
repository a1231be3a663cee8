import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { CloudSettings } from './cloud-settings.ts';

/**
 * The key that a deployment is told to use. It is not the deployment's: a key that went with the stack would take all
 * charts with it, and who may use it is for those to say who answer for it.
 *
 * @returns undefined for AWS's own encryption
 */
export const keyOf = (scope: Construct, { kmsKeyArn }: Pick<CloudSettings, 'kmsKeyArn'>): IKey | undefined =>
  kmsKeyArn === '' ? undefined : Key.fromKeyArn(scope, 'Key', kmsKeyArn);

/** Lets a function use a key, by one service alone. */
export const usingKey = (
  actions: readonly ('Decrypt' | 'GenerateDataKey')[],
  key: IKey,
  service: 'dynamodb' | 's3' | 'secretsmanager' | 'sqs',
): PolicyStatement =>
  new PolicyStatement({
    actions: actions.map((action) => `kms:${action}`),
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `${service}.${Aws.REGION}.amazonaws.com` } },
  });
