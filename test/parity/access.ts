import {
  type Call,
  chart,
  differs,
  get,
  type Row,
  refused,
  row,
  same,
  saved,
  type Table,
  upload,
} from './row.ts';
import { user } from './servers.ts';

const credentials = btoa(`${user.name}:${user.password}`);
const by = (call: Call, authorization: string): Call => ({
  ...call,
  headers: { ...call.headers, authorization },
});
const right = (call: Call) => by(call, `Basic ${credentials}`);

const challenge = 'every answer says who asks';
const pull = '/{repo}/index.yaml';

/** A call without right: the same refusal, with the name of the server in it. */
const denied = (call: Call) =>
  differs(
    call,
    { ...refused(401, 'unauthorized'), headers: { 'www-authenticate': 'Basic realm="ChartMuseum"' } },
    { ...refused(401, /^unauthorized/), headers: { 'www-authenticate': 'Basic realm="Chartroom"' } },
    challenge,
  );

/** Makes the repository, and is in the way of nothing. */
const first = right(upload(chart({ name: 'first' }), '?force'));

/** Who may call, when user and password are asked for. */
export const access: Table = {
  setup: {
    // ChartMuseum's repositories are there for whoever asks.
    settings: { access: 'closed', createOnPublish: true },
    flags: ['--basic-auth-user', user.name, '--basic-auth-pass', user.password],
  },
  rows: [
    row('1.8 reading without credentials', [], denied(get(pull)), denied(get('/api/{repo}/charts'))),
    row('1.8 the page without credentials', [], denied(get('/'))),
    row('1.8 a package without credentials', [], denied(get('/{repo}/charts/demo-1.0.0.tgz'))),
    row('1.8 publishing without credentials', [], denied(upload(chart()))),
    row(
      '1.8 deleting without credentials',
      [],
      denied({ method: 'DELETE', path: '/api/{repo}/charts/a/1.0.0' }),
    ),
    row(
      '1.8 with credentials',
      [first],
      same(right(get(pull)), { status: 200 }),
      same(right(upload(chart())), saved),
      same(right(get('/api/{repo}/charts/demo/1.0.0')), { status: 200 }),
      same(right({ method: 'DELETE', path: '/api/{repo}/charts/demo/1.0.0' }), { status: 200 }),
    ),
    row('1.8 a wrong password', [], denied(by(get(pull), `Basic ${btoa(`${user.name}:wrong`)}`))),
    row('1.8 a wrong user', [], denied(by(get(pull), `Basic ${btoa(`nobody:${user.password}`)}`))),
    row('1.8 no Basic', [], denied(by(get(pull), credentials)), denied(by(get(pull), 'Bearer x.y.z'))),
    row(
      '1.8 health and info',
      [],
      same(get('/health'), { status: 200 }),
      same(get('/info'), { status: 200 }),
    ),
    row(
      '1.8 an unknown path is 404 before anybody is asked',
      [],
      same(get('/a/b/c/d/e/f'), refused(404, 'not found')),
    ),
    row(
      '1.8 the scheme in lower case (Q19)',
      [first],
      differs(
        by(get(pull), `basic ${credentials}`),
        { status: 401 },
        { status: 200 },
        'the word counts in any case (RFC 9110, 11.1)',
      ),
    ),
  ],
};

/** Who may call, when nobody is asked. */
export const withoutAccess: readonly Row[] = [
  row(
    '1.8 open: credentials do not matter',
    [],
    same(by(get(pull), 'Basic bm86Ym9keQ=='), { status: 200, headers: { 'www-authenticate': undefined } }),
    same(right(upload(chart())), saved),
  ),
];
