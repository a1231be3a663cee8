import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** What a function would load to sign or to read by the S3 client, and nothing else; it is bundled as functions are. */
const client = new S3Client({});

export const handler = (key: string) => client.send(new GetObjectCommand({ Bucket: 'charts', Key: key }));
