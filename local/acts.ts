import type { Body } from './body.ts';
import type { Act } from './roles.ts';
import { readXml } from './s3-xml.ts';
import { account, region } from './template.ts';

const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`;
const tableArn = (table: string) => `arn:aws:dynamodb:${region}:${account}:table/${table}`;

type S3Call = {
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Body;
};

const onObject = (action: string, bucket: string, key: string): Act => ({
  action: `s3:${action}`,
  resource: `${bucketArn(bucket)}/${key}`,
  context: {},
});

export const toPut = (bucket: string, key: string): Act => onObject('PutObject', bucket, key);

/** To see by S3's 404 that an object is not there, one must be allowed to list it. */
export const toList = (bucket: string, prefix: string, action = 'ListBucket'): Act => ({
  action: `s3:${action}`,
  resource: bucketArn(bucket),
  context: { 's3:prefix': [prefix] },
});

/**
 * What a call to S3 asks to be allowed to do.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
export function actsOnS3({ operation, bucket, key, query, headers, body }: S3Call): readonly Act[] {
  const source = () => {
    const [, from = '', version] = /^\/?[^/]+\/([^?]+)(\?versionId=.+)?$/.exec(
      headers.get('x-amz-copy-source') ?? '',
    ) ?? ['', ''];
    const action = version === undefined ? 'GetObject' : 'GetObjectVersion';
    return onObject(action, bucket, decodeURIComponent(from));
  };
  const put = toPut(bucket, key);
  const ofVersion = query.has('versionId') ? 'Version' : '';
  switch (operation) {
    case 'GetObject':
    case 'HeadObject':
      return [onObject(`GetObject${ofVersion}`, bucket, key)];
    case 'DeleteObject':
      return [onObject(`DeleteObject${ofVersion}`, bucket, key)];
    case 'DeleteObjects':
      return readXml(body.bytes.toString(), 'Object').map((field) =>
        onObject(`DeleteObject${field('VersionId') ? 'Version' : ''}`, bucket, field('Key') ?? ''),
      );
    case 'ListObjectsV2':
      return [toList(bucket, query.get('prefix') ?? '')];
    case 'ListObjectVersions':
      return [toList(bucket, query.get('prefix') ?? '', 'ListBucketVersions')];
    case 'CopyObject':
    case 'UploadPartCopy':
      return [put, source()];
    case 'AbortMultipartUpload':
      return [onObject('AbortMultipartUpload', bucket, key)];
    // Who signed the form is in the form: the bucket asks.
    case 'PostObject':
      return [];
    default:
      return [put];
  }
}

export const toGetSecret = ({ SecretId = '' }: { readonly SecretId?: string }): Act => ({
  action: 'secretsmanager:GetSecretValue',
  resource: SecretId,
  context: {},
});

type Item = Readonly<Record<string, { readonly S?: string }>>;
type DynamoDbRequest = {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly KeyConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly TransactItems?: readonly Readonly<Record<string, DynamoDbRequest>>[];
};

const PARTITION_KEY = 'pk';

/**
 * What a call to DynamoDB asks to be allowed to do; of a transaction, what each of its writes asks.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export function actsOnDynamoDb(operation: string, request: DynamoDbRequest): readonly Act[] {
  if (operation === 'TransactWriteItems') {
    const items = request.TransactItems ?? [];
    return items.flatMap((item) =>
      Object.entries(item).flatMap(([kind, write]) => actsOnDynamoDb(`${kind}Item`, write)),
    );
  }
  const { TableName: table = '', IndexName: index } = request;
  const keys = leadingKeys(request);
  return [
    {
      action: `dynamodb:${operation}`,
      resource: `${tableArn(table)}${index === undefined ? '' : `/index/${index}`}`,
      context: {
        ...(keys.length > 0 && { 'dynamodb:LeadingKeys': keys }),
        'dynamodb:Attributes': attributesOf(request),
      },
    },
  ];
}

/** The partitions that a call is about; none for a scan, which is about all. */
function leadingKeys({
  Key,
  Item,
  KeyConditionExpression: condition = '',
  ExpressionAttributeNames: names = {},
  ExpressionAttributeValues: values = {},
}: DynamoDbRequest): readonly string[] {
  const asked = [...condition.matchAll(/([#\w]+) = (:\w+)/g)].find(
    ([, name = '']) => (names[name] ?? name) === PARTITION_KEY,
  );
  const key = Key?.[PARTITION_KEY] ?? Item?.[PARTITION_KEY] ?? values[asked?.[2] ?? ''];
  return key?.S === undefined ? [] : [key.S];
}

/** The top-level attributes that a call names, by themselves or in expressions. */
function attributesOf({
  Key = {},
  Item = {},
  ExpressionAttributeNames: names = {},
}: DynamoDbRequest): readonly string[] {
  return [...new Set([...Object.keys(Key), ...Object.keys(Item), ...Object.values(names)])];
}
