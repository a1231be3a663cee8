import { expect } from 'vitest';
import {
  type Answer,
  at,
  chart,
  chartYaml,
  differs,
  type Exchange,
  fixture,
  follow,
  form,
  get,
  provenance,
  type Row,
  randomText,
  refused,
  row,
  same,
  saved,
  sha256,
  text,
  upload,
  uploadProvenance,
  uploadUntyped,
} from './row.ts';

const demo = chart();
const other = chart({ description: 'other' });
const [demoDigest, otherDigest] = await Promise.all([sha256(demo), sha256(other)]);
const VERSION = '/api/{repo}/charts/demo/1.0.0';
const digestIs = (digest: string) =>
  same(get(VERSION), { status: 200, json: expect.objectContaining({ digest }) });
const nothingThere = same(get('/api/{repo}/charts'), { status: 200, json: {} });
const noProvenance = same(get('/{repo}/charts/demo-1.0.0.tgz.prov'), { status: 404 });
const PROVENANCE = '/{repo}/charts/demo-1.0.0.tgz.prov';
const provenanceThere = same(follow(PROVENANCE), { status: 200 });
const exists = refused(409, 'file already exists');
const formExists = refused(409, 'chart already exists');
const noFields = refused(400, 'no package or provenance file found in form fields chart and prov');

/** A package that is refused, and leaves nothing. */
const refuses = (id: string, file: string, error: string | RegExp): Row =>
  row(id, [], same(upload(fixture(`bad/${file}`)), refused(400, error)), nothingThere);

/** A package that ChartMuseum takes and Chartroom does not. */
const refusesMore = (id: string, content: Parameters<typeof upload>[0], error: RegExp, why: string): Row =>
  row(id, [], differs(upload(content), saved, refused(400, error), why));

/** A package that is taken, and what is read afterwards. */
const takes = (id: string, content: Parameters<typeof upload>[0], ...after: readonly Exchange[]): Row =>
  row(id, [], same(upload(content), saved), ...after);

const yaml = (lines: string) => `apiVersion: v2\nname: demo\nversion: 1.0.0\n${lines}`;
const field = (fields: Readonly<Record<string, unknown>>, path = VERSION): Exchange =>
  same(get(path), { status: 200, json: expect.objectContaining(fields) });

const asText: Answer = refused(415, /is read as text/);
const GATEWAY_TEXT =
  'the gateway hands a body of this type on as text, which destroys a package: the refusal says so';

/** Uploads of packages. */
export const uploads: readonly Row[] = [
  row('1.5 octet-stream', [], same(upload(demo), saved), digestIs(demoDigest)),
  row('1.5 gzip', [], same(upload(demo, '', 'application/gzip'), saved), digestIs(demoDigest)),
  row(
    "1.5 curl's default type",
    [],
    same(upload(demo, '', 'application/x-www-form-urlencoded'), saved),
    digestIs(demoDigest),
  ),
  row('1.5 no type', [], same(uploadUntyped(demo), saved), digestIs(demoDigest)),
  row('1.5 text/plain', [], differs(upload(demo, '', 'text/plain'), saved, asText, GATEWAY_TEXT)),
  row('1.5 again, the same bytes', [upload(demo)], same(upload(demo), exists), digestIs(demoDigest)),
  row('1.5 again, other bytes', [upload(demo)], same(upload(other), exists), digestIs(demoDigest)),
  row('1.5 ?force', [upload(demo)], same(upload(other, '?force'), saved), digestIs(otherDigest)),
  row('1.5 ?force=true', [upload(demo)], same(upload(other, '?force=true'), saved), digestIs(otherDigest)),
  row('1.5 ?force of a new version', [], same(upload(demo, '?force'), saved), digestIs(demoDigest)),

  row('1.5 an empty body', [], same(upload(text('')), refused(400, 'EOF')), nothingThere),
  row('1.5 no gzip', [], same(upload(text('no package at all')), refused(400, /./)), nothingThere),
  refuses('1.5 gzip of no tar', 'gzip-of-text.tgz', 'unexpected EOF'),
  refuses('1.5 cut in half', 'truncated.tgz', /EOF/),
  refuses('1.5 no Chart.yaml', 'no-chart-yaml.tgz', 'Chart.yaml file is missing'),
  refuses(
    '1.5 Chart.yaml at the root',
    'chart-yaml-at-root.tgz',
    'chart illegally contains content outside the base directory: "Chart.yaml"',
  ),
  refuses('1.5 a member with ..', 'path-traversal.tgz', /illegally references parent directory/),
  refuses('1.5 broken Chart.yaml', 'chart-yaml-not-yaml.tgz', /^cannot load Chart\.yaml: /),
  row(
    '1.5 broken values.yaml',
    [],
    same(upload(chart({ files: { 'values.yaml': 'a: [' } })), refused(400, /^cannot load values\.yaml: /)),
    nothingThere,
  ),
  refuses('1.5 no name', 'no-name.tgz', /^validation: chart\.metadata\.name/),
  refuses('1.5 no version', 'no-version.tgz', /^validation: chart\.metadata\.version/),
  refuses('1.5 a version that is none', 'semver-latest.tgz', /^validation: chart\.metadata\.version/),
  refuses('1.5 an unknown type', 'unknown-type.tgz', /^validation: chart\.metadata\.type/),
  refuses('1.5 a name with a path', 'name-traversal.tgz', /is (invalid|not allowed)/),
  at(
    [0, 3],
    row(
      '1.5 over 100 MiB unpacked',
      [],
      same(
        upload(chart({ files: zeros(21) })),
        refused(400, 'decompressed chart is larger than the maximum file size 104857600'),
      ),
      nothingThere,
    ),
  ),
  at(
    [0, 3],
    row(
      '1.5 a member over 5 MiB',
      [],
      same(
        upload(chart({ files: { big: 'x'.repeat(5 * 1024 * 1024 + 1) } })),
        refused(400, /decompressed chart file ".*big" is larger than the maximum file size 5242880/),
      ),
      nothingThere,
    ),
  ),

  at(
    [0],
    row(
      '1.5 a package between 4 and 20 MiB',
      [],
      differs(
        upload(chart({ files: { a: randomText(2_900_000), b: randomText(2_900_000) } })),
        saved,
        refused(413, /an upload may have/),
        'a function takes 6 MB of base64 at once: below that, the refusal is in our words',
      ),
    ),
  ),

  takes('1.5 a directory of another name', fixture('bad/dir-name-mismatch.tgz')),
  takes('1.5 no apiVersion', chartYaml('name: demo\nversion: 1.0.0\n'), field({ apiVersion: 'v1' })),
  takes('1.5 apiVersion v3', chartYaml('apiVersion: v3\nname: demo\nversion: 1.0.0\n')),
  takes(
    '1.5 unknown keys',
    chartYaml(yaml('mystery: 1\n')),
    same(get(VERSION), { status: 200, json: expect.not.objectContaining({ mystery: 1 }) }),
  ),
  takes('1.5 broken templates', chart({ files: { 'templates/a.yaml': '{{ if' } })),
  takes('1.5 broken schema', chart({ files: { 'values.schema.json': '{' } })),
  takes('1.5 a name in upper case and with _', chart({ name: 'A_b' })),
  refusesMore(
    '1.5 a Chinese name (Q27)',
    chart({ name: '图' }),
    /is not a chart name/,
    "names are of helm create's alphabet, so that every URL and file name has one reading",
  ),
  takes(
    '1.5 version v1.0.0',
    chart({ version: 'v1.0.0' }),
    field({ version: 'v1.0.0', urls: ['charts/demo-v1.0.0.tgz'] }, '/api/{repo}/charts/demo/v1.0.0'),
    same(follow('/{repo}/charts/demo-v1.0.0.tgz'), { status: 200 }),
  ),
  takes(
    '1.5 version 1.0 without quotes (Q26)',
    chartYaml('apiVersion: v2\nname: demo\nversion: 1.0\n'),
    field({ version: '1' }, '/api/{repo}/charts/demo/1'),
    same(follow('/{repo}/charts/demo-1.tgz'), { status: 200 }),
  ),
  takes(
    '1.5 version "1.10"',
    chartYaml('apiVersion: v2\nname: demo\nversion: "1.10"\n'),
    field({ version: '1.10' }, '/api/{repo}/charts/demo/1.10'),
  ),
  takes(
    '1.5 bare numbers and booleans',
    chartYaml(yaml('appVersion: 1.20\nannotations: {a: true, b: 3}\n')),
    field({ appVersion: '1.2', annotations: { a: 'true', b: '3' } }),
  ),
  takes(
    '1.5 requirements.yaml',
    chartYaml('apiVersion: v1\nname: demo\nversion: 1.0.0\n', {
      'requirements.yaml': 'dependencies:\n- {name: d, version: 1.0.0, repository: https://example.com}\n',
    }),
    field({ dependencies: [{ name: 'd', version: '1.0.0', repository: 'https://example.com' }] }),
  ),
  takes(
    '1.5 engine and tillerVersion',
    chartYaml(yaml('engine: gotpl\ntillerVersion: ">2"\n')),
    same(get(VERSION), { status: 200, json: expect.not.objectContaining({ engine: 'gotpl' }) }),
    same(get(VERSION), { status: 200, json: expect.not.objectContaining({ tillerVersion: '>2' }) }),
  ),

  row('1.5 form, chart', [], same(form([['chart', demo]]), saved), digestIs(demoDigest)),
  row(
    '1.5 form, chart and prov',
    [],
    same(
      form([
        ['chart', demo],
        ['prov', provenance()],
      ]),
      saved,
    ),
    digestIs(demoDigest),
    provenanceThere,
  ),
  row('1.5 form, prov', [upload(demo)], same(form([['prov', provenance()]]), saved), provenanceThere),
  row('1.5 form, chart is there', [upload(demo)], same(form([['chart', other]]), formExists)),
  row(
    '1.5 form, prov is there',
    [upload(demo), uploadProvenance(provenance())],
    same(form([['prov', provenance()]]), formExists),
  ),
  row(
    '1.5 form, chart is there and prov is new',
    [upload(demo)],
    same(
      form([
        ['chart', demo],
        ['prov', provenance()],
      ]),
      formExists,
    ),
    noProvenance,
  ),
  row(
    '1.5 form, ?force',
    [upload(demo), uploadProvenance(provenance())],
    same(
      form(
        [
          ['chart', other],
          ['prov', provenance({ description: 'other' })],
        ],
        { query: '?force' },
      ),
      saved,
    ),
    digestIs(otherDigest),
    provenanceThere,
  ),
  row(
    '1.5 form, a bad chart',
    [],
    same(form([['chart', text('no package')]]), refused(400, /./)),
    nothingThere,
  ),
  row(
    '1.5 form, a good chart and a bad prov',
    [],
    same(
      form([
        ['chart', demo],
        ['prov', text('no provenance')],
      ]),
      refused(400, 'invalid provenance file'),
    ),
    nothingThere,
  ),
  row(
    '1.5 form, the prov of another chart (Q28)',
    [],
    differs(
      form([
        ['chart', demo],
        ['prov', provenance({ name: 'another' })],
      ]),
      saved,
      refused(400, /provenance/),
      'a provenance file that cannot verify its package is a mistake that the publisher should see',
    ),
  ),
  row('1.5 form, no known field', [], same(form([['package', demo]]), noFields), nothingThere),
  row('1.5 form, no file name', [], same(form([['chart', 'text']]), noFields), nothingThere),
  row(
    '1.5 form, broken',
    [],
    same(upload(text('--b\r\nContent-Disposition: form'), '', 'multipart/form-data; boundary=b'), noFields),
    same(upload(text('--b--\r\n'), '', 'multipart/form-data'), noFields),
    nothingThere,
  ),
  row(
    '1.5 form, chart twice',
    [],
    same(
      form([
        ['chart', demo],
        ['chart', chart({ name: 'second' })],
      ]),
      saved,
    ),
    digestIs(demoDigest),
    same(get('/api/{repo}/charts/second'), { status: 404 }),
  ),
  row(
    '1.5 form, another spelling of its type',
    [],
    differs(
      upload(text('--boundary--\r\n'), '', 'Multipart/Form-Data; boundary=boundary'),
      { status: 400, error: 'gzip: invalid header' },
      { status: 400, error: /form fields chart and prov/ },
      'media types are the same in any case (RFC 9110, 8.3.1)',
    ),
  ),
];

function zeros(count: number): Readonly<Record<string, string>> {
  const content = '\0'.repeat(5 * 1024 * 1024);
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`zeros-${number}`, content]));
}
