import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bucket } from '../../shared/store/bucket.ts';
import { dynamoClient, s3Client } from '../../shared/store/clients.ts';

describe('the clients', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("speak to AWS in the environment's region", async () => {
    expect(await dynamoClient().config.region()).toBe('eu-central-1');
    const url = await bucket(s3Client(), 'charts').signedUrl('charts/-/a.tgz', 300);
    expect(url).toMatch(/^https:\/\/charts\.s3\.eu-central-1\.amazonaws\.com\/charts\/-\/a\.tgz\?/);
  });

  it("name the bucket in the path of an endpoint of one's own, whose host name it cannot precede", async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://workstation:9000');
    const url = await bucket(s3Client(), 'charts').signedUrl('charts/-/a.tgz', 300);
    expect(url).toMatch(/^http:\/\/workstation:9000\/charts\/charts\/-\/a\.tgz\?/);
  });
});
