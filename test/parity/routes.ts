import { expect } from 'vitest';
import {
  at,
  chart,
  chartYaml,
  deleted,
  differs,
  follow,
  get,
  head,
  notFound,
  provenance,
  type Row,
  refused,
  remove,
  row,
  same,
  saved,
  text,
  upload,
  uploadProvenance,
} from './row.ts';

const json = { 'content-type': /^application\/json/ };
const demo = upload(chart());
const files = { 'values.yaml': '# why\na: 1\n', 'templates/x.yaml': 'kind: A\n' };
const signed = uploadProvenance(provenance());

const redirected =
  'packages are too large for a function to answer; Helm, curl -L and browsers follow a redirect';

/** Which routes there are, at which depth, and what all answers have in common. */
export const routes: readonly Row[] = [
  row('C1 the welcome page', [], same(get('/'), { status: 200, headers: { 'content-type': /^text\/html/ } })),
  row('C2 health', [], same(get('/health'), { status: 200, headers: json, json: { healthy: true } })),
  row(
    'C3 info',
    [],
    same(get('/info'), { status: 200, headers: json, json: { version: expect.any(String) } }),
  ),
  row(
    'C4 the index',
    [demo],
    same(get('/{repo}/index.yaml'), {
      status: 200,
      headers: { 'content-type': 'application/x-yaml' },
      text: /"?apiVersion"?: ?"?v1"?/,
    }),
    same(get('/{repo}/index.yaml'), { status: 200, text: /charts\/demo-1\.0\.0\.tgz/ }),
  ),
  row(
    'C4 the index is YAML',
    [demo],
    differs(
      get('/{repo}/index.yaml'),
      { status: 200, text: /^apiVersion: v1\nentries:/ },
      { status: 200, text: /^\{"apiVersion":"v1"/ },
      'JSON is YAML, and Helm reads it several times faster; indexFormat gives YAML',
    ),
  ),
  row(
    'C5 HEAD of the index',
    [demo],
    differs(
      head('/{repo}/index.yaml'),
      { status: 200, headers: { 'content-type': undefined }, text: '' },
      { status: 200, headers: { 'content-type': 'application/x-yaml', 'content-length': /^\d/ }, text: '' },
      'HEAD answers the headers of GET',
    ),
  ),
  row(
    'C6 a package',
    [demo],
    same(follow('/{repo}/charts/demo-1.0.0.tgz'), {
      status: 200,
      headers: { 'content-type': 'application/x-tar' },
    }),
    differs(
      get('/{repo}/charts/demo-1.0.0.tgz'),
      { status: 200, headers: { location: undefined } },
      { status: 302, headers: { location: /^https?:/ } },
      redirected,
    ),
  ),
  row(
    'C6 a package that is not there',
    [],
    same(get('/{repo}/charts/nothing-1.0.0.tgz'), refused(404, 'object not found')),
  ),
  row(
    'C7 a provenance file',
    [demo, signed],
    same(follow('/{repo}/charts/demo-1.0.0.tgz.prov'), {
      status: 200,
      headers: { 'content-type': 'application/pgp-signature' },
      text: /^-----BEGIN PGP SIGNED MESSAGE-----\n/,
    }),
  ),
  row(
    'C7 a provenance file that is not there',
    [demo],
    same(get('/{repo}/charts/demo-1.0.0.tgz.prov'), refused(404, 'object not found')),
  ),
  row(
    'C8 all charts',
    [demo],
    same(get('/api/{repo}/charts'), {
      status: 200,
      headers: json,
      json: { demo: [expect.objectContaining({ name: 'demo', version: '1.0.0' })] },
    }),
  ),
  row('C8 no charts', [], same(get('/api/{repo}/charts'), { status: 200, headers: json, json: {} })),
  row(
    'C9 one chart, newest first',
    [upload(chart({ version: '1.2.0' })), upload(chart({ version: '1.10.0' }))],
    same(get('/api/{repo}/charts/demo'), {
      status: 200,
      headers: json,
      json: [expect.objectContaining({ version: '1.10.0' }), expect.objectContaining({ version: '1.2.0' })],
    }),
  ),
  row('C9 no such chart', [], same(get('/api/{repo}/charts/nothing'), refused(404, 'chart not found'))),
  row('C10 HEAD of a chart', [demo], same(head('/api/{repo}/charts/demo'), { status: 200, text: '' })),
  row('C10 HEAD of no chart', [], same(head('/api/{repo}/charts/nothing'), { status: 404, text: '' })),
  row(
    'C11 one version',
    [demo],
    same(get('/api/{repo}/charts/demo/1.0.0'), {
      status: 200,
      headers: json,
      json: {
        name: 'demo',
        version: '1.0.0',
        description: 'a chart',
        apiVersion: 'v2',
        urls: ['charts/demo-1.0.0.tgz'],
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+/),
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    }),
  ),
  row(
    'C12 HEAD of a version',
    [demo],
    same(head('/api/{repo}/charts/demo/1.0.0'), { status: 200, text: '' }),
  ),
  row(
    'C12 HEAD of no version',
    [demo],
    same(head('/api/{repo}/charts/demo/2.0.0'), { status: 404, text: '' }),
  ),
  row(
    'C13 values',
    [upload(chart({ files }))],
    same(get('/api/{repo}/charts/demo/1.0.0/values'), {
      status: 200,
      headers: { 'content-type': 'application/yaml' },
      text: '# why\na: 1\n',
    }),
  ),
  row(
    'C14 templates',
    [upload(chart({ files }))],
    same(get('/api/{repo}/charts/demo/1.0.0/templates'), {
      status: 200,
      headers: json,
      json: { templates: [{ name: 'templates/x.yaml', data: btoa('kind: A\n') }], values: { a: 1 } },
    }),
  ),
  row('C15 upload', [], same(demo, { ...saved, headers: json })),
  row('C16 upload of a provenance file', [demo], same(signed, { ...saved, headers: json })),
  row('C17 delete', [demo], same(remove('/api/{repo}/charts/demo/1.0.0'), { ...deleted, headers: json })),
  at([0], row('C19 static files', [], same(get('/static/x.css'), notFound))),
  row('C18 artifacthub-repo.yml without its flag', [], same(get('/{repo}/artifacthub-repo.yml'), notFound)),
  row('C20 metrics without their flag', [], same(get('/metrics'), notFound)),

  row(
    '1.1 another method',
    [demo],
    ...(['PUT', 'PATCH', 'OPTIONS'] as const).map((method) =>
      differs(
        { method, path: '/api/{repo}/charts' },
        notFound,
        { status: 405, headers: { ...json, allow: /GET.*POST/ }, error: /not allowed/ },
        'HTTP says 405 with Allow; no client depends on 404 (Q4)',
      ),
    ),
  ),
  row(
    '1.1 HEAD where ChartMuseum has none',
    [upload(chart({ files })), uploadProvenance(provenance({ files }))],
    ...[
      '/{repo}/charts/demo-1.0.0.tgz',
      '/{repo}/charts/demo-1.0.0.tgz.prov',
      '/api/{repo}/charts',
      '/api/{repo}/charts/demo/1.0.0/values',
      '/api/{repo}/charts/demo/1.0.0/templates',
    ].map((path) =>
      differs(
        head(path),
        { status: 404 },
        { status: 200, headers: { 'content-length': /^\d/ }, text: '' },
        'HEAD is GET without a body (Q2)',
      ),
    ),
  ),
  at(
    [0],
    row(
      '1.1 HEAD of the pages of the server',
      [],
      ...['/', '/health', '/info'].map((path) =>
        differs(head(path), { status: 404 }, { status: 200, text: '' }, 'HEAD is GET without a body (Q2)'),
      ),
    ),
  ),
  row(
    '1.1 a path that nobody knows',
    [],
    same(get('/{repo}/charts/a/b/c/d/e'), notFound),
    same({ method: 'POST', path: '/{repo}/charts/a/b/c/d/e' }, notFound),
  ),
  row('1.1 a slash too many in the middle', [demo], same(get('/api/{repo}//charts'), notFound)),
  row(
    '1.1 a slash too many at the end',
    [demo],
    differs(
      get('/{repo}/index.yaml/'),
      notFound,
      { status: 302, headers: { location: '../index.yaml' } },
      'the path without it is what was meant; only reads are redirected',
    ),
    same({ ...demo, path: '/api/{repo}/charts/' }, notFound),
  ),

  row(
    '1.2 X-Request-Id',
    [],
    same(get('/health', { 'x-request-id': 'mine' }), { status: 200, headers: { 'x-request-id': 'mine' } }),
    same(get('/health'), { status: 200, headers: { 'x-request-id': /^[0-9a-f-]{36}$/ } }),
    same(get('/nowhere/at/all/x', { 'x-request-id': 'mine' }), {
      status: 404,
      headers: { 'x-request-id': 'mine' },
    }),
  ),
  row(
    '1.2 ETag of the index',
    [demo],
    differs(
      get('/{repo}/index.yaml'),
      { status: 200, headers: { etag: undefined, 'cache-control': undefined } },
      { status: 200, headers: { etag: /^"[^"]+"$/, 'cache-control': 'no-cache' } },
      'caches may keep the index and ask whether it holds (Q29)',
    ),
    differs(
      get('/{repo}/index.yaml', { 'if-none-match': '*' }),
      { status: 200 },
      { status: 304, text: '' },
      'a client that has the index need not get it again (Q29)',
    ),
  ),
  row(
    '1.2 no compression that nobody asked for',
    [demo],
    same(get('/{repo}/index.yaml'), { status: 200, headers: { 'content-encoding': undefined } }),
    same(get('/api/{repo}/charts'), { status: 200, headers: { 'content-encoding': undefined } }),
  ),
  row(
    '1.2 Range',
    [demo],
    differs(
      get('/{repo}/charts/demo-1.0.0.tgz', { range: 'bytes=0-9' }),
      { status: 200, headers: { 'accept-ranges': undefined } },
      { status: 302 },
      redirected,
    ),
  ),
  row(
    '1.2 no Content-Disposition, no challenge, no CORS',
    [demo],
    same(follow('/{repo}/charts/demo-1.0.0.tgz'), {
      status: 200,
      headers: { 'content-disposition': undefined },
    }),
    same(get('/api/{repo}/charts'), {
      status: 200,
      headers: { 'www-authenticate': undefined, 'access-control-allow-origin': undefined },
    }),
  ),
  row(
    '1.2 <, > and & in JSON',
    [upload(chartYaml('apiVersion: v2\nname: demo\nversion: 1.0.0\ndescription: "<a> & b"\n'))],
    same(get('/api/{repo}/charts/demo/1.0.0'), {
      status: 200,
      json: expect.objectContaining({ description: '<a> & b' }),
    }),
  ),
  row(
    '1.2 unknown query parameters',
    [demo],
    same(get('/api/{repo}/charts/demo?x=1&y'), { status: 200 }),
    same(get('/{repo}/index.yaml?x=1'), { status: 200 }),
  ),
  row(
    '1.3 the body of an error',
    [],
    differs(
      get('/api/{repo}/charts/nothing'),
      { status: 404, json: { error: 'chart not found' } },
      {
        status: 404,
        json: {
          error: 'chart not found',
          errors: [{ code: 'NOT_FOUND', message: 'chart not found' }],
        },
      },
      "Harbor's clients read `errors`, ChartMuseum's read `error` (Q33)",
    ),
    same(upload(text('x')), refused(400, /./)),
  ),

  at(
    [1, 2, 3],
    row(
      '1.10 a repository has a chart of its own',
      [demo],
      same(get('/{repo}/index.yaml'), { status: 200, text: /demo-1\.0\.0\.tgz/ }),
      same(get('/{repo}x/index.yaml'), { status: 200, text: /entries"?: ?\{\s*\}/ }),
      same(get('/api/{repo}x/charts'), { status: 200, json: {} }),
    ),
  ),
  at(
    [1],
    row(
      '1.10 another depth',
      [],
      differs(
        get('/{repo}/team/index.yaml'),
        notFound,
        { status: 200, headers: { 'content-type': 'application/x-yaml' } },
        'every depth from 0 to 3 is there at once',
      ),
      differs(
        get('/api/{repo}/team/charts'),
        notFound,
        { status: 200, json: {} },
        'every depth from 0 to 3 is there at once',
      ),
      same(get('/{repo}/a/b/c/index.yaml'), notFound),
    ),
  ),
];
