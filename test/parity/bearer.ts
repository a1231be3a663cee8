import { createHmac, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { accessTo, aToken, audience, issuer } from '../tokens.ts';
import {
  type Call,
  chart,
  differs,
  get,
  refused,
  remove,
  row,
  same,
  saved,
  type Table,
  upload,
} from './row.ts';

const keys = path.join(import.meta.dirname, '../fixtures/keys');
const publicKeyFile = path.join(keys, 'token.pub.pem');
const privateKey = createPrivateKey(readFileSync(path.join(keys, 'token.pem')));
const realm = 'https://login.example.com/token';

const now = Math.floor(Date.now() / 1000);
/** It lives as long as the table may take. */
const token = (claims: Readonly<Record<string, unknown>>) =>
  aToken({ privateKey }, { exp: now + 86_400, access: [accessTo('repo', 'pull', 'push')], ...claims });
const tokenTo = (name: string, ...actions: readonly string[]) =>
  token({ access: [accessTo(name, ...actions)] });

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const usual = {
  iss: issuer,
  aud: audience,
  sub: 'ci',
  exp: now + 86_400,
  access: [accessTo('repo', 'pull')],
};
const unsigned = `${encode({ alg: 'none' })}.${encode(usual)}.`;
const headed = `${encode({ alg: 'HS256' })}.${encode(usual)}`;
const byPublicKey = `${headed}.${createHmac('sha256', readFileSync(publicKeyFile)).update(headed).digest('base64url')}`;

const pull = '/index.yaml';
const push = { ...upload(chart()), path: '/api/charts' };
const version = '/api/charts/demo/1.0.0';
const by = (call: Call, authorization: string): Call => ({
  ...call,
  headers: { ...call.headers, authorization },
});
const bearing = (call: Call, text: string) => by(call, `Bearer ${text}`);

const unauthorized = refused(401, 'unauthorized');
const ours = (status: number, error: RegExp) => refused(status, error);
const challenge = 'Basic is asked for too, since Helm sends nothing else';

/** Without a token: both say which would do. */
const denied = (call: Call, actions: string) => {
  const bearer = `Bearer realm="${realm}",service="${audience}",scope="artifact-repository:[^":]+:${actions}"$`;
  return differs(
    call,
    { ...unauthorized, headers: { 'www-authenticate': new RegExp(`^${bearer}`) } },
    {
      ...ours(401, /^unauthorized/),
      headers: { 'www-authenticate': new RegExp(`^Basic realm="Chartroom", ${bearer}`) },
    },
    challenge,
  );
};
/** With a token that is not taken. */
const wrong = (call: Call) => differs(call, unauthorized, ours(401, /^unauthorized/), 'it says why');

const puller = await tokenTo('repo', 'pull');
const pusher = await tokenTo('repo', 'push');
const deleter = await tokenTo('repo', 'pull', 'push', 'delete');

/** Who may call, when tokens are asked for. ChartMuseum calls the root repository `repo`. */
export const bearer: Table = {
  setup: {
    settings: {
      access: 'closed',
      jwtIssuer: issuer,
      jwtAudience: audience,
      jwtRealm: realm,
      jwtPublicKey: readFileSync(publicKeyFile, 'utf8'),
    },
    flags: [
      ...['--bearer-auth', '--auth-realm', realm, '--auth-service', audience],
      ...['--auth-cert-path', publicKeyFile],
    ],
  },
  rows: [
    row(
      '1.8 bearer: without a token',
      [],
      denied(get('/{repo}/index.yaml'), 'pull'),
      denied(get('/api/{repo}/charts'), 'pull'),
      denied(upload(chart()), 'push'),
    ),
    row(
      '1.8 bearer: pull and push',
      [],
      same(bearing(push, deleter), saved),
      same(bearing(get(pull), puller), { status: 200 }),
      same(bearing(get(version), puller), { status: 200 }),
      same(bearing(remove(version), deleter), { status: 200 }),
    ),
    row(
      '1.8 bearer: the scheme in lower case, and none',
      [],
      same(by(get(pull), `bearer ${puller}`), { status: 200 }),
      same(by(get(pull), puller), { status: 200 }),
    ),
    row(
      '1.8 bearer: push does not include pull (Q20)',
      [],
      differs(
        bearing(get(pull), pusher),
        unauthorized,
        { status: 200 },
        'helm cm-push reads the index first',
      ),
    ),
    row(
      '1.8 bearer: push lets delete',
      [],
      differs(
        bearing(remove('/api/charts/nothing/1.0.0'), pusher),
        { status: 404 },
        ours(403, /maintainer/),
        'who publishes new versions need not take any away: the action "delete" lets them',
      ),
    ),
    row(
      '1.8 bearer: a known caller without the right (Q17)',
      [],
      differs(bearing(push, puller), unauthorized, ours(403, /^forbidden/), '401 would ask who they are'),
      differs(
        bearing(get(pull), await tokenTo('other', 'pull')),
        unauthorized,
        ours(404, /^not found$/),
        'as if it were not there',
      ),
    ),
    row(
      '1.8 bearer: wildcards are not understood',
      [],
      differs(
        bearing(get(pull), await tokenTo('*', 'pull')),
        unauthorized,
        ours(404, /^not found$/),
        'a known caller without the right',
      ),
      differs(
        bearing(get(pull), await tokenTo('repo', '*')),
        unauthorized,
        ours(404, /^not found$/),
        'a known caller without the right',
      ),
    ),
    row(
      '1.8 bearer: no access in a token (Q18)',
      [],
      differs(
        bearing(get(pull), await token({ access: undefined })),
        { status: 500 },
        ours(401, /"access"/),
        'the token is at fault',
      ),
      differs(
        bearing(get(pull), await token({ access: null })),
        { status: 500 },
        ours(401, /"access"/),
        'the token is at fault',
      ),
    ),
    row(
      '1.8 bearer: exp and nbf',
      [],
      wrong(bearing(get(pull), await token({ exp: now - 60 }))),
      wrong(bearing(get(pull), await token({ nbf: now + 43_200 }))),
    ),
    row(
      '1.8 bearer: iss and aud are not looked at',
      [],
      differs(
        bearing(get(pull), await token({ iss: 'https://else.example.com' })),
        { status: 200 },
        ours(401, /"iss"/),
        'a token for another service is none for this one',
      ),
      differs(
        bearing(get(pull), await token({ aud: 'else' })),
        { status: 200 },
        ours(401, /"aud"/),
        'a token for another service is none for this one',
      ),
    ),
    row(
      '1.8 bearer: no signature, a shared secret, no token',
      [],
      wrong(bearing(get(pull), unsigned)),
      wrong(bearing(get(pull), byPublicKey)),
      wrong(bearing(get(pull), 'x.y.z')),
    ),
    row(
      '1.8 bearer: a token as the password of Basic',
      [],
      differs(
        by(get(pull), `Basic ${btoa(`jwt:${puller}`)}`),
        unauthorized,
        { status: 200 },
        'Helm sends nothing else',
      ),
    ),
  ],
};
