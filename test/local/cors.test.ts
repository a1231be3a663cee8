import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { writeAssembly } from './assembly.ts';

const APP = 'https://app.example.com';

const functions = {
  Echo: `export const handler = async ({ requestContext: { http } }) => ({ statusCode: 200, body: http.method });`,
  Throwing: `export const handler = async () => { throw new Error('no'); };`,
};
const routes = { 'GET /echo': 'Echo', 'GET /throwing': 'Throwing', $default: 'Echo' };

const allowing = writeAssembly({
  functions,
  routes,
  resources: {
    Api: {
      Type: 'AWS::ApiGatewayV2::Api',
      Properties: {
        CorsConfiguration: {
          AllowOrigins: [APP],
          AllowMethods: ['GET', 'POST'],
          AllowHeaders: ['Authorization', 'Range'],
          ExposeHeaders: ['ETag', 'Location'],
          MaxAge: 60,
        },
      },
    },
    Files: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        CorsConfiguration: {
          CorsRules: [
            {
              AllowedOrigins: ['*'],
              AllowedMethods: ['GET'],
              AllowedHeaders: ['*'],
              ExposedHeaders: ['ETag'],
              MaxAge: 60,
            },
          ],
        },
      },
    },
  },
});
const silent = writeAssembly({
  functions,
  routes,
  resources: { Files: { Type: 'AWS::S3::Bucket', Properties: {} } },
});

let open: LocalStack;
let closed: LocalStack;
beforeAll(async () => {
  [open, closed] = await Promise.all([startLocal({ assembly: allowing }), startLocal({ assembly: silent })]);
});
afterAll(async () => {
  await Promise.all([open.stop(), closed.stop()]);
});

/** The status, the headers of CORS and the body. */
async function ask(url: string, origin: string | undefined, method = 'GET', preflight = false) {
  const headers = {
    ...(origin !== undefined && { origin }),
    ...(preflight && { 'access-control-request-method': 'GET' }),
  };
  const answer = await fetch(url, { method, headers });
  const cors = [...answer.headers].filter(([name]) => name.startsWith('access-control-'));
  return { status: answer.status, cors: Object.fromEntries(cors), body: await answer.text() };
}

const exposed = { 'access-control-allow-origin': APP, 'access-control-expose-headers': 'ETag,Location' };

describe('the gateway of an API with CORS', () => {
  it('answers a preflight itself', async () => {
    expect(await ask(`${open.url}/echo`, APP, 'OPTIONS', true)).toEqual({
      status: 204,
      cors: {
        'access-control-allow-origin': APP,
        'access-control-allow-methods': 'GET,POST',
        'access-control-allow-headers': 'Authorization,Range',
        'access-control-max-age': '60',
      },
      body: '',
    });
  });

  it('says nothing to the preflight of another origin', async () => {
    const answer = await ask(`${open.url}/echo`, 'https://other.example.com', 'OPTIONS', true);
    expect(answer).toEqual({ status: 204, cors: {}, body: '' });
  });

  it.each([
    { why: 'adds to what a function answers', path: '/echo', origin: APP, cors: exposed, body: 'GET' },
    { why: 'adds nothing for another origin', path: '/echo', origin: 'null', cors: {}, body: 'GET' },
    { why: 'adds nothing without an origin', path: '/echo', origin: undefined, cors: {}, body: 'GET' },
    { why: 'adds nothing to its own errors', path: '/throwing', origin: APP, cors: {} },
  ])('$why', async ({ path, origin, cors, body }) => {
    expect(await ask(`${open.url}${path}`, origin)).toMatchObject({ cors, ...(body && { body }) });
  });

  it('hands any other OPTIONS on', async () => {
    expect(await ask(`${open.url}/echo`, APP, 'OPTIONS')).toMatchObject({ cors: exposed, body: 'OPTIONS' });
  });
});

it('without CORS the gateway hands preflights on, and adds nothing', async () => {
  expect(await ask(`${closed.url}/echo`, APP, 'OPTIONS', true)).toEqual({
    status: 200,
    cors: {},
    body: 'OPTIONS',
  });
  expect(await ask(`${closed.url}/echo`, APP)).toMatchObject({ status: 200, cors: {} });
});

describe('S3', () => {
  const objectOf = ({ storeUrl, bucketName }: LocalStack) => `${storeUrl}/${bucketName}/x`;

  it('takes an origin of null, as after a redirect, where the rule says `*`', async () => {
    expect(await ask(objectOf(open), 'null', 'OPTIONS', true)).toMatchObject({
      status: 200,
      cors: { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET' },
    });
    expect((await ask(objectOf(open), 'null')).cors).toEqual({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'ETag',
    });
  });

  it('says nothing without a rule', async () => {
    expect((await ask(objectOf(closed), 'null', 'OPTIONS', true)).cors).toEqual({});
    expect((await ask(objectOf(closed), 'null')).cors).toEqual({});
  });
});
