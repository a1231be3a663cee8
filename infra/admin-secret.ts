import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { adminAccount, adminPasswordKey, environmentVariables } from '../shared/contract.ts';
import type { BundledFunction } from './bundled-function.ts';

/** The password of the account that a closed deployment begins with, made by Secrets Manager and seen by nobody before. */
export class AdminSecret extends Construct {
  readonly secret: Secret;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      description: `Password of Chartroom's account "${adminAccount}"`,
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

  /** Lets a function check passwords. */
  grantTo(target: BundledFunction): void {
    target.function.addEnvironment(environmentVariables.adminSecret, this.secret.secretArn);
    target.allow(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [this.secret.secretArn],
      }),
    );
  }
}
