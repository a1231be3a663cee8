import { createHmac } from 'node:crypto';
import type { S3 } from './s3-contract.ts';

type Condition = Readonly<Record<string, string>> | readonly [string, string | number, string | number];

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/**
 * The fields of a form by which its holder may put one object into the bucket, within the policy's bounds.
 * Signed by hand: the SDK's own package for it would serve this test alone.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
 */
export function postForm(
  { bucketName, region, credentials }: S3,
  key: string,
  { conditions, expires }: { conditions: readonly Condition[]; expires: Date },
): Record<string, string> {
  const amzDate = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [amzDate.slice(0, 8), region, 's3', 'aws4_request'];
  const signed = {
    key,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': [credentials.accessKeyId, ...scope].join('/'),
    'x-amz-date': amzDate,
  };
  const all = [{ bucket: bucketName }, ...Object.entries(signed).map(([name, value]) => ({ [name]: value }))];
  const policy = { expiration: expires.toISOString(), conditions: [...all, ...conditions] };
  const text = Buffer.from(JSON.stringify(policy)).toString('base64');
  const signingKey = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  return { ...signed, policy: text, 'x-amz-signature': hmac(signingKey, text).toString('hex') };
}
