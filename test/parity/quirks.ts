import { expect } from 'vitest';
import {
  at,
  chart,
  differs,
  follow,
  get,
  notFound,
  provenance,
  type Row,
  refused,
  row,
  same,
  saved,
  upload,
  uploadProvenance,
} from './row.ts';

const demo = upload(chart());
const other = chart({ description: 'other' });

/** What is not to be copied, where no other row says it. */
export const quirks: readonly Row[] = [
  at(
    [1],
    row(
      'Q1 paths of another depth give the welcome page',
      [],
      differs(get('/{repo}'), { status: 200, headers: { 'content-type': /^text\/html/ } }, notFound, exact()),
      differs(
        get('/{repo}/'),
        { status: 200, headers: { 'content-type': /^text\/html/ } },
        notFound,
        exact(),
      ),
      differs(get('/{repo}/health'), { status: 200, json: { healthy: true } }, notFound, exact()),
      differs(
        get('/info'),
        { status: 200, headers: { 'content-type': /^text\/html/ } },
        { status: 200, json: { version: expect.any(String) } },
        exact(),
      ),
    ),
  ),
  row(
    'Q7 offset without limit',
    ['a', 'b', 'c'].map((name) => upload(chart({ name }))),
    differs(
      get('/api/{repo}/charts?offset=1'),
      { status: 200, json: {} },
      { status: 200, json: { b: expect.any(Array), c: expect.any(Array) } },
      'the list from there on is what was asked for',
    ),
  ),
  row(
    'Q12 a package replaced, its old provenance file',
    [demo, uploadProvenance(provenance())],
    same(upload(other, '?force'), saved),
    differs(
      follow('/{repo}/charts/demo-1.0.0.tgz.prov'),
      { status: 200 },
      { status: 404 },
      'helm pull --verify would fail with it',
    ),
  ),
  row(
    'Q21 ?force=false',
    [demo],
    differs(
      upload(other, '?force=false'),
      saved,
      refused(409, /already exists/),
      'who writes false means it; helm cm-push sends a bare ?force',
    ),
  ),
  at(
    [1],
    row(
      'Q22 dots for a repository',
      [],
      differs(
        get('/api/../charts'),
        { status: 200 },
        { status: 400, error: /./ },
        'no part of a path may lead out of its place',
      ),
    ),
  ),
  at(
    [0],
    row(
      'Q22 an encoded slash',
      [],
      differs(
        get('/api/charts/a%2Fb'),
        { status: 404, error: 'no chart name found' },
        { status: 400, error: /./ },
        'no part of a path may lead out of its place',
      ),
    ),
  ),
  row(
    'Q29 If-None-Match with what is current',
    [demo],
    differs(
      get('/{repo}/index.yaml', { 'if-none-match': '"other", *' }),
      { status: 200 },
      { status: 200 },
      'a star counts only alone',
    ),
  ),
  at(
    [0],
    row(
      'Q43 the state of the index',
      [demo],
      same(get('/index-cache.yaml'), notFound),
      differs(
        get('/charts/index-cache.yaml'),
        { status: 500, error: 'unsupported file extension' },
        { status: 404, error: /object not found/ },
        'what is not there is not a fault of the server (Q5)',
      ),
    ),
  ),
  row(
    'Q45 when it was published',
    [demo],
    differs(
      get('/api/{repo}/charts/demo/1.0.0'),
      {
        status: 200,
        json: expect.objectContaining({
          created: expect.stringMatching(/T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/),
        }),
      },
      {
        status: 200,
        json: expect.objectContaining({ created: expect.stringMatching(/T\d\d:\d\d:\d\d\.\d{3}Z$/) }),
      },
      'milliseconds in UTC are enough',
    ),
  ),
];

function exact(): string {
  return 'a wrong path says so: helm repo add would print an error of YAML';
}
