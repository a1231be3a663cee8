import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import type { S3 } from './s3-contract.ts';

/** The fields of a form by which its holder may put one object into the bucket, within the policy's bounds. */
export async function postForm(
  { client, bucketName }: S3,
  key: string,
  rules: { conditions: NonNullable<PresignedPostOptions['Conditions']>; expiresInSeconds: number },
): Promise<Record<string, string>> {
  const { conditions: Conditions, expiresInSeconds: Expires } = rules;
  return (await createPresignedPost(client, { Bucket: bucketName, Key: key, Conditions, Expires })).fields;
}
