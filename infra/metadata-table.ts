import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { table as names } from '../shared/contract.ts';

export type MetadataTableProps = {
  /** The key for what is at rest. @default DynamoDB's own */
  readonly key: IKey | undefined;
};

/**
 * The table that holds every version, pointer and lease. Whoever deletes the stack or causes a
 * replacement keeps the data; a first deployment that fails takes the empty table with it.
 */
export class MetadataTable extends Construct {
  readonly table: Table;
  /** ARN of the local index over the marks. */
  readonly unindexedIndexArn: string;

  constructor(scope: Construct, id: string, { key }: MetadataTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: names.partitionKey, type: AttributeType.STRING },
      sortKey: { name: names.sortKey, type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      ...(key === undefined
        ? // At rest with a key of DynamoDB's own: no cost, and no key whose loss would lose the charts.
          { encryption: TableEncryption.DEFAULT }
        : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }),
      timeToLiveAttribute: names.forgetAttribute,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Deletion protection would also stop the clean-up after a first deployment that failed.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // Local, since only a local index can be read strongly consistent; it cannot be added later.
    this.table.addLocalSecondaryIndex({
      indexName: names.unindexedIndex,
      sortKey: { name: names.unindexedAttribute, type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
    this.unindexedIndexArn = `${this.table.tableArn}/index/${names.unindexedIndex}`;
  }
}
