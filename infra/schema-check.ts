import { join } from 'node:path';
import { CfnResource, CfnStack, CustomResource, Duration, FileSystem, Stack } from 'aws-cdk-lib';
import { CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { CfnPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping, CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { dataSchema } from '../shared/contract.ts';
import { BundledFunction } from './bundled-function.ts';
import { schemaChecker } from './functions.ts';
import type { MetadataTable } from './metadata-table.ts';

export type SchemaCheckProps = {
  readonly bundles: string;
  readonly environment: Record<string, string>;
  readonly metadata: MetadataTable;
};

/** What refuses a deployment over data of a newer schema than its code reads (docs/decisions/schema-version.md). */
export class SchemaCheck extends BundledFunction {
  readonly #checked: CustomResource;

  constructor(scope: Construct, id: string, { bundles, environment, metadata }: SchemaCheckProps) {
    super(scope, id, {
      bundles,
      functionId: schemaChecker,
      description: 'At a deployment: refuse it where the data is of a newer schema',
      environment,
      memoryMegabytes: 512,
      timeout: Duration.minutes(1),
    });
    this.#checked = new CustomResource(this, 'Schema', {
      resourceType: 'Custom::DataSchema',
      serviceToken: this.function.functionArn,
      // Longer than the function and its second attempt.
      serviceTimeout: Duration.minutes(5),
      // It is asked again when one of them is another; the code is, wherever the reading of items changed.
      properties: {
        schema: dataSchema,
        table: metadata.table.tableName,
        code: FileSystem.fingerprint(join(bundles, schemaChecker)),
      },
    });
  }

  /**
   * Has the functions of a stack, their rights, what calls them and its other nested stacks made and changed after the
   * check. Table, bucket and what these need cannot wait: they are what it looks at.
   */
  before(stack: Construct): void {
    const own = Stack.of(this);
    const checked = this.#checked.node.findAll().find(CfnResource.isCfnResource);
    if (checked === undefined) throw new Error('the check has no resource');
    for (const each of stack.node.findAll()) {
      const isIts = each === own.nestedStackResource || each.node.scopes.includes(own);
      if (!isIts && waiting.some((kind) => each instanceof kind) && CfnResource.isCfnResource(each)) {
        each.addResourceDependency(checked);
      }
    }
  }
}

const waiting = [CfnFunction, CfnRole, CfnPolicy, CfnEventSourceMapping, CfnStage, CfnStack];
