import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { adminAccount, adminPasswordKey } from '../shared/contract.ts';

export type AdminSecretProps = {
  /** The key for what is at rest. @default Secrets Manager's own */
  readonly key: IKey | undefined;
};

/** The password that the admin's account begins with, made by Secrets Manager and seen by nobody before. */
export class AdminSecret extends Construct {
  readonly secret: Secret;

  constructor(scope: Construct, id: string, { key }: AdminSecretProps) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      ...(key !== undefined && { encryptionKey: key }),
      description: `First password of Chartroom's account "${adminAccount}"`,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: adminAccount }),
        generateStringKey: adminPasswordKey,
        // Letters and digits alone survive shells and URLs unquoted; 32 of them are 190 bits.
        excludePunctuation: true,
        passwordLength: 32,
      },
      // A password protects nothing once the stack is gone, and a new stack makes its own.
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}
