import { expect } from 'vitest';
import { at, chart, chartYaml, differs, follow, get, type Row, refused, row, same, upload } from './row.ts';

const of = (version: string) => upload(chart({ version }));
const found = (version: string) => ({ status: 200, json: expect.objectContaining({ version }) });
const names = (...wanted: readonly string[]) => ({
  status: 200,
  json: Object.fromEntries(wanted.map((name) => [name, expect.any(Array)])),
});
const abc = ['c', 'a', 'B'].map((name) => upload(chart({ name })));
const BAD_LIMIT = refused(400, 'limit is not a valid positive integer');
const BAD_OFFSET = refused(400, 'offset is not a valid non-negative integer');

const everyField = `apiVersion: v2
appVersion: 1.20
name: demo
version: 1.0.0
home: https://example.com
sources: [https://example.com/source]
description: a chart
keywords: [k]
maintainers: [{name: Nora, email: n@example.com, url: https://example.com/n}]
icon: https://example.com/icon.png
condition: c
tags: t
deprecated: true
annotations: {a: true, b: 3}
kubeVersion: ">=1.20"
type: application
dependencies:
- {name: d, version: 1.0.0, repository: https://example.com/charts, condition: d.on, tags: [x], alias: e}
- {name: f, version: 2.0.0}
unknown: gone
engine: gotpl
`;

/** What reading the API does. */
export const reads: readonly Row[] = [
  row(
    'C8 paging',
    abc,
    same(get('/api/{repo}/charts?limit=2'), names('B', 'a')),
    same(get('/api/{repo}/charts?limit=2&offset=2'), names('c')),
    same(get('/api/{repo}/charts?limit=1&offset=1'), names('a')),
    same(get('/api/{repo}/charts?limit=2&offset=9'), names()),
    same(get('/api/{repo}/charts?limit=99&offset=0'), names('B', 'a', 'c')),
  ),
  row('C8 paging limit=0', [], same(get('/api/{repo}/charts?limit=0'), BAD_LIMIT)),
  row('C8 paging limit negative', [], same(get('/api/{repo}/charts?limit=-1'), BAD_LIMIT)),
  row('C8 paging limit empty', [], same(get('/api/{repo}/charts?limit='), BAD_LIMIT)),
  row('C8 paging limit no number', [], same(get('/api/{repo}/charts?limit=ten'), BAD_LIMIT)),
  row('C8 paging offset negative', [], same(get('/api/{repo}/charts?limit=1&offset=-1'), BAD_OFFSET)),
  row('C8 paging offset no number', [], same(get('/api/{repo}/charts?offset=x'), BAD_OFFSET)),
  at(
    [1, 2, 3],
    row(
      'C8 a repository that nobody made',
      [],
      same(get('/api/{repo}/charts'), { status: 200, json: {} }),
      same(get('/{repo}/index.yaml'), { status: 200, text: /entries"?: ?\{\s*\}/ }),
    ),
  ),

  row(
    'C11 latest',
    [of('1.0.0'), of('2.0.0'), of('3.0.0-rc.1')],
    same(get('/api/{repo}/charts/demo/latest'), found('2.0.0')),
  ),
  row(
    'C11 latest of pre-releases only (Q8)',
    [of('1.0.0-rc.1')],
    same(get('/api/{repo}/charts/demo/latest'), refused(404, 'no chart version found for demo-')),
  ),
  row(
    'C11 the exact version before any range',
    [of('1.0.0'), of('1.0.0-rc.1')],
    same(get('/api/{repo}/charts/demo/1.0.0-rc.1'), found('1.0.0-rc.1')),
  ),
  row(
    'C11 ranges',
    [of('0.1.0'), of('0.1.9'), of('0.2.0'), of('1.0.0+build.1')],
    same(get('/api/{repo}/charts/demo/0.x'), found('0.2.0')),
    same(get('/api/{repo}/charts/demo/%5E0.1'), found('0.1.9')),
    same(get('/api/{repo}/charts/demo/v0.1.0'), found('0.1.0')),
    same(get('/api/{repo}/charts/demo/1.0.0'), found('1.0.0+build.1')),
  ),
  row(
    'C11 neither a version nor a range',
    [of('1.0.0')],
    same(get('/api/{repo}/charts/demo/no-version'), refused(404, 'improper constraint: no-version')),
  ),
  row(
    'C11 no such chart',
    [],
    same(get('/api/{repo}/charts/nothing/1.0.0'), refused(404, 'no chart name found')),
  ),
  row(
    'C11 no such version',
    [of('1.0.0')],
    same(get('/api/{repo}/charts/demo/2.0.0'), refused(404, 'no chart version found for demo-2.0.0')),
  ),
  row(
    '1.4 a plus, literal and encoded',
    [of('1.0.0+b')],
    same(get('/api/{repo}/charts/demo/1.0.0+b'), found('1.0.0+b')),
    same(get('/api/{repo}/charts/demo/1.0.0%2Bb'), found('1.0.0+b')),
    same(follow('/{repo}/charts/demo-1.0.0+b.tgz'), { status: 200 }),
    same(follow('/{repo}/charts/demo-1.0.0%2Bb.tgz'), { status: 200 }),
    same({ method: 'DELETE', path: '/api/{repo}/charts/demo/1.0.0+b' }, { status: 200 }),
  ),
  row(
    '1.4 a name with a blank, encoded (Q27)',
    [],
    differs(
      upload(chart({ name: 'a b' })),
      { status: 201 },
      { status: 400, error: /"a b" is not a chart name/ },
      "names are of helm create's alphabet, so that every URL and file name has one reading",
    ),
    differs(
      get('/api/{repo}/charts/a%20b'),
      { status: 200 },
      { status: 400, error: /"a b" is not a chart name/ },
      'there can be no such chart',
    ),
  ),

  row(
    'C13 by latest and by range',
    [upload(chart({ files: { 'values.yaml': 'a: 1\n' } }))],
    same(get('/api/{repo}/charts/demo/latest/values'), { status: 200, text: 'a: 1\n' }),
    same(get('/api/{repo}/charts/demo/1.x/values'), { status: 200, text: 'a: 1\n' }),
  ),
  row(
    'C13 an empty file',
    [upload(chart({ files: { 'values.yaml': '' } }))],
    same(get('/api/{repo}/charts/demo/1.0.0/values'), { status: 200, text: '' }),
  ),
  row(
    'C13 no file',
    [of('1.0.0')],
    same(get('/api/{repo}/charts/demo/1.0.0/values'), refused(404, 'values.yaml not found')),
  ),
  row(
    'C13 no such version',
    [of('1.0.0')],
    same(get('/api/{repo}/charts/demo/2.0.0/values'), refused(404, 'no chart version found for demo-2.0.0')),
    same(get('/api/{repo}/charts/nothing/1.0.0/values'), refused(404, 'no chart name found')),
  ),
  row(
    'C14 no values',
    [of('1.0.0')],
    same(get('/api/{repo}/charts/demo/1.0.0/templates'), {
      status: 200,
      json: { templates: expect.toSatisfy(isEmpty), values: null },
    }),
  ),
  row(
    'C14 empty values',
    [upload(chart({ files: { 'values.yaml': '' } }))],
    same(get('/api/{repo}/charts/demo/1.0.0/templates'), {
      status: 200,
      json: { templates: expect.toSatisfy(isEmpty), values: {} },
    }),
  ),
  row(
    'C14 no such version',
    [of('1.0.0')],
    same(
      get('/api/{repo}/charts/demo/2.0.0/templates'),
      refused(404, 'no chart version found for demo-2.0.0'),
    ),
  ),
  row(
    'C6 a file of another kind (Q5)',
    [],
    ...['x.txt', 'x.TGZ'].map((file) =>
      differs(
        get(`/{repo}/charts/${file}`),
        { status: 500, error: 'unsupported file extension' },
        { status: 404, error: /object not found/ },
        'what is not there is not a fault of the server',
      ),
    ),
  ),
  row(
    '1.4 a slash after a chart',
    [of('1.0.0'), of('2.0.0')],
    differs(
      get('/api/{repo}/charts/demo/'),
      { status: 200, json: expect.objectContaining({ version: '2.0.0' }) },
      { status: 302, headers: { location: '../demo' } },
      'the path without it is the chart, as everywhere; `latest` says what ChartMuseum gives',
    ),
  ),
  row(
    '1.4 a slash after the list',
    [],
    differs(
      get('/api/{repo}/charts/'),
      { status: 404, error: 'chart not found' },
      { status: 302, headers: { location: '../charts' } },
      'the path without it is what was meant',
    ),
  ),
  row(
    '1.4 the fields of a version, in order',
    [upload(chartYaml(everyField))],
    same(get('/api/{repo}/charts/demo/1.0.0'), {
      status: 200,
      text: /^\{"name":"demo","home":.*,"sources":.*,"version":"1\.0\.0","description":.*,"keywords":.*,"maintainers":\[\{"name":"Nora","email":.*,"url":.*\}\],"icon":.*,"apiVersion":"v2","condition":.*,"tags":.*,"appVersion":"1\.2","deprecated":true,"annotations":\{"a":"true","b":"3"\},"kubeVersion":.*,"dependencies":\[\{"name":"d","version":.*,"repository":.*,"condition":.*,"tags":.*,"alias":"e"\},\{"name":"f","version":"2\.0\.0","repository":""\}\],"type":"application","urls":\["charts\/demo-1\.0\.0\.tgz"\],"created":.*,"digest":"[0-9a-f]{64}"\}\s*$/,
    }),
  ),
];

/** Go writes an empty list as `[]` or as `null`; clients take both. */
function isEmpty(list: unknown): boolean {
  return list === null || (Array.isArray(list) && list.length === 0);
}
