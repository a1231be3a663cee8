import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bucket } from '../../shared/store/bucket.ts';
import { defaultProvider } from '../../shared/store/credentials.ts';
import { dynamoClient } from '../../shared/store/dynamo-client.ts';
import { lightBucket } from '../../shared/store/light-bucket.ts';
import { s3Client } from '../../shared/store/s3-client.ts';
import { ownS3Endpoint } from '../../shared/store/s3-endpoint.ts';
import { oddKeys } from './objects-contract.ts';

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

  it('have in the bundles the credentials of the environment, or none', async () => {
    const ask = defaultProvider();
    expect(await ask()).toEqual({ accessKeyId: 'test', secretAccessKey: 'test' });
    vi.stubEnv('AWS_SESSION_TOKEN', 'a token');
    expect(await ask()).toMatchObject({ sessionToken: 'a token' });
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
    await expect(ask()).rejects.toThrow('there are no AWS credentials in the environment');
  });

  describe('and what signs without that of S3', () => {
    const at = (bucketName: string) => ({ bucketName, endpoint: ownS3Endpoint(process.env) });
    const alone = () => Promise.reject(new Error('the S3 client was asked for'));

    /** What of a URL is not the signature itself, with the names of its parameters. */
    function read(text: string) {
      const url = new URL(text);
      const said = ['X-Amz-Expires', 'X-Amz-Credential', 'X-Amz-Security-Token', 'X-Amz-SignedHeaders'];
      return [url.origin + url.pathname, ...said.map((name) => url.searchParams.get(name))];
    }

    const places = [
      { AWS_REGION: 'us-east-1' },
      { AWS_REGION: 'ap-southeast-2', AWS_SESSION_TOKEN: 'a+token/of=Lambda' },
      { AWS_ENDPOINT_URL_S3: 'http://workstation:9000' },
      { AWS_ENDPOINT_URL: 'https://workstation/behind/' },
    ];
    it.each(places)('leads to the same address: %o', async (variables) => {
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
      const light = lightBucket(dynamoClient().config, at('charts'), alone);
      for (const key of ['charts/-/a.tgz', ...oddKeys]) {
        const url = await light.signedUrl(key, 300);
        expect(read(url)).toEqual(read(await bucket(s3Client(), 'charts').signedUrl(key, 300)));
      }
    });

    it.each([
      { region: 'cn-north-1', bucketName: 'charts', host: 'charts.s3.cn-north-1.amazonaws.com.cn' },
      { region: 'us-gov-west-1', bucketName: 'charts', host: 'charts.s3.us-gov-west-1.amazonaws.com' },
      { region: 'us-iso-east-1', bucketName: 'charts', host: 'charts.s3.us-iso-east-1.c2s.ic.gov' },
      { region: 'eu-west-1', bucketName: 'our.charts', host: 's3.eu-west-1.amazonaws.com' },
    ])('leaves it to that client where the host is another: $host', async ({ region, bucketName, host }) => {
      vi.stubEnv('AWS_REGION', region);
      const light = lightBucket(dynamoClient().config, at(bucketName), async () =>
        bucket(s3Client(), bucketName),
      );
      expect(new URL(await light.signedUrl('charts/-/a.tgz', 300)).host).toBe(host);
    });
  });
});
