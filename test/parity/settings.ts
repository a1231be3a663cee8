import { expect } from 'vitest';
import {
  at,
  type Call,
  chart,
  chartYaml,
  differs,
  follow,
  form,
  get,
  notFound,
  provenance,
  refused,
  remove,
  row,
  same,
  saved,
  type Table,
  upload,
  uploadProvenance,
} from './row.ts';

const demo = upload(chart());
const of = (version: string) => upload(chart({ version }));
const other = upload(chart({ description: 'other' }), '?force');
const repositoryId = '6e1c2a3b-4d5e-4f60-8a7b-9c0d1e2f3a4b';
const ARTIFACT_HUB = '/{repo}/artifacthub-repo.yml';
const settingsOf = (settings: object): Call => ({
  method: 'PUT',
  path: '/-/settings/{repo}',
  headers: { 'content-type': 'application/json' },
  body: async () => ({ bytes: Buffer.from(JSON.stringify(settings)), type: 'application/json' }),
});
const versionsAre = (...versions: readonly string[]) =>
  same(get('/api/{repo}/charts/demo'), {
    status: 200,
    json: versions.map((version) => expect.objectContaining({ version })),
  });

/** What ChartMuseum's flags allow and limit, beside the settings that do so here. */
export const settings: readonly Table[] = [
  {
    setup: { settings: { allowForce: false }, flags: ['--disable-force-overwrite'] },
    rows: [
      row(
        '1.9 --disable-force-overwrite',
        [demo],
        same(other, refused(409, 'file already exists')),
        same(form([['chart', chart()]], { query: '?force' }), refused(409, 'chart already exists')),
        same(get('/api/{repo}/charts/demo/1.0.0'), {
          status: 200,
          json: expect.objectContaining({ description: 'a chart' }),
        }),
      ),
      row(
        '1.9 --disable-force-overwrite of a provenance file',
        [demo, uploadProvenance(provenance())],
        same(uploadProvenance(provenance(), '?force'), refused(409, 'file already exists')),
      ),
    ],
  },
  {
    setup: {
      settings: { allowOverwrite: true, allowForce: false },
      flags: ['--allow-overwrite', '--disable-force-overwrite'],
    },
    rows: [row('1.9 --allow-overwrite with --disable-force-overwrite', [demo], same(demo, saved))],
  },
  {
    setup: { settings: { allowDelete: false }, flags: ['--disable-delete'] },
    rows: [
      row(
        '1.9 --disable-delete',
        [upload(chart({ name: 'kept' }), '?force')],
        differs(
          remove('/api/{repo}/charts/kept/1.0.0'),
          notFound,
          { ...refused(405, /allowDelete/), headers: { allow: 'GET, HEAD' } },
          'the path is known, and who asks learns why',
        ),
        same(get('/api/{repo}/charts/kept/1.0.0'), { status: 200 }),
      ),
    ],
  },
  {
    setup: { settings: { apiEnabled: false }, flags: ['--disable-api'] },
    rows: [
      row(
        '1.9 --disable-api',
        [],
        same(get('/api/{repo}/charts'), notFound),
        same(demo, notFound),
        same(uploadProvenance(provenance()), notFound),
        same(get('/api/{repo}/charts/demo/1.0.0'), notFound),
        same(remove('/api/{repo}/charts/demo/1.0.0'), notFound),
        same(get('/{repo}/index.yaml'), { status: 200 }),
        same(get('/{repo}/charts/demo-1.0.0.tgz'), { status: 404 }),
      ),
    ],
  },
  {
    setup: {
      settings: { chartFormField: 'package', provFormField: 'signature' },
      flags: ['--chart-post-form-field-name', 'package', '--prov-post-form-field-name', 'signature'],
    },
    rows: [
      row(
        '1.9 form field names',
        [],
        same(
          form([
            ['package', chart({ name: 'both' })],
            ['signature', provenance({ name: 'both' })],
          ]),
          saved,
        ),
        same(follow('/{repo}/charts/both-1.0.0.tgz'), { status: 200 }),
        same(follow('/{repo}/charts/both-1.0.0.tgz.prov'), { status: 200 }),
      ),
      row('1.9 form field names, the usual ones besides', [], same(form([['chart', chart()]]), saved)),
      row(
        '1.9 form field names in the refusal',
        [],
        differs(
          form([['nothing', chart()]]),
          refused(400, 'no package or provenance file found in form fields package and signature'),
          refused(400, /package.*signature/),
          'the names of this deployment, in words of our own',
        ),
      ),
      row(
        'Q11 a chart by another field is listed',
        [],
        same(form([['package', chart({ name: 'missed' })]]), saved),
        differs(
          get('/api/{repo}/charts/missed'),
          { status: 404 },
          { status: 200 },
          'what is published is listed at once',
        ),
      ),
    ],
  },
  {
    setup: { settings: { maxVersionsPerChart: 2 }, flags: ['--per-chart-limit', '2'] },
    rows: [
      row(
        '1.9 --per-chart-limit',
        [of('1.0.0'), of('2.0.0')],
        same(of('3.0.0'), saved),
        versionsAre('3.0.0', '2.0.0'),
        same(get('/{repo}/charts/demo-1.0.0.tgz'), { status: 404 }),
      ),
      row(
        '1.9 --per-chart-limit counts each chart',
        [of('1.0.0'), of('2.0.0')],
        same(upload(chart({ name: 'second' })), saved),
        versionsAre('2.0.0', '1.0.0'),
      ),
      row(
        'Q10 the per-chart limit, chart and prov in one form',
        [of('1.0.0'), of('2.0.0')],
        differs(
          form([
            ['chart', chart({ version: '3.0.0' })],
            ['prov', provenance({ version: '3.0.0' })],
          ]),
          { status: 500 },
          saved,
          'ChartMuseum removes the old version and the new one: publish first, then remove the oldest',
        ),
        differs(
          get('/api/{repo}/charts/demo/3.0.0'),
          { status: 404 },
          { status: 200 },
          'what was published is there',
        ),
      ),
    ],
  },
  {
    // Without its state file, which counts as an object once an index was read.
    setup: {
      settings: { maxVersions: 2 },
      flags: ['--max-storage-objects', '2', '--disable-statefiles'],
    },
    rows: [
      row(
        '1.9 --max-storage-objects',
        [of('1.0.0'), of('2.0.0')],
        same(of('3.0.0'), refused(507, 'repo has reached storage limit')),
        same(get('/api/{repo}/charts/demo/3.0.0'), { status: 404 }),
        same(upload(chart({ version: '2.0.0', description: 'other' }), '?force'), saved),
      ),
      row(
        'Q9 the storage limit and forms',
        [of('1.0.0'), of('2.0.0')],
        differs(
          form([['chart', chart({ version: '3.0.0' })]]),
          saved,
          refused(507, /limit/),
          'a limit that a form passes by is none',
        ),
      ),
    ],
  },
  {
    setup: { settings: { strictSemver: true }, flags: ['--enforce-semver2'] },
    rows: [
      row('1.9 --enforce-semver2, a strict version', [], same(of('1.0.0-rc.1+b'), saved)),
      ...[
        ['v1.0.0', chart({ version: 'v1.0.0' })] as const,
        ['1.0 without quotes', chartYaml('apiVersion: v2\nname: demo\nversion: 1.0\n')] as const,
      ].map(([id, content]) =>
        row(
          `1.9 --enforce-semver2, ${id} (Q26)`,
          [],
          differs(
            upload(content),
            saved,
            refused(400, /[Ss]em/),
            'the flag has no effect any more; the setting does what it says',
          ),
        ),
      ),
    ],
  },
  {
    setup: { settings: { corsAllowOrigin: '*' }, flags: ['--cors-alloworigin', '*'] },
    rows: [
      row(
        '1.9 --cors-alloworigin',
        [],
        same(get('/api/{repo}/charts', { origin: 'https://example.com' }), {
          status: 200,
          headers: { 'access-control-allow-origin': '*' },
        }),
        same(get('/api/{repo}/charts/nothing', { origin: 'https://example.com' }), {
          status: 404,
          headers: { 'access-control-allow-origin': '*' },
        }),
        differs(
          get('/{repo}/index.yaml', { origin: 'https://example.com' }),
          { status: 200, headers: { 'access-control-allow-origin': undefined } },
          { status: 200, headers: { 'access-control-allow-origin': '*' } },
          'browsers read the index too (Q30)',
        ),
        differs(
          {
            method: 'OPTIONS',
            path: '/api/{repo}/charts',
            headers: { origin: 'https://example.com', 'access-control-request-method': 'POST' },
          },
          { status: 404 },
          {
            status: 204,
            headers: { 'access-control-allow-origin': '*', 'access-control-allow-methods': /POST/ },
          },
          'without an answer to its preflight, a browser does not send an upload (Q30)',
        ),
      ),
    ],
  },
  {
    setup: { settings: {}, flags: [] },
    rows: [
      row(
        '1.2 Accept-Encoding',
        // Below a kilobyte it is not worth it.
        [upload(chart({ description: 'x'.repeat(2000) }), '?force')],
        differs(
          get('/{repo}/index.yaml', { 'accept-encoding': 'gzip' }),
          { status: 200, headers: { 'content-encoding': undefined } },
          { status: 200, headers: { 'content-encoding': 'gzip', vary: /accept-encoding/i } },
          'compressed where the client asks, and only there (Q29)',
        ),
      ),
      row(
        '1.2 ETag of a version',
        [demo],
        differs(
          get('/api/{repo}/charts/demo/1.0.0'),
          { status: 200, headers: { etag: undefined } },
          { status: 200, headers: { etag: /^"[^"]+"$/ } },
          'caches may keep metadata and ask whether it holds (Q29)',
        ),
        differs(
          get('/api/{repo}/charts/demo/1.0.0', { 'if-none-match': '*' }),
          { status: 200 },
          { status: 304, text: '' },
          'a client that has it need not get it again (Q29)',
        ),
      ),
      row(
        '1.2 Range of the index',
        [demo],
        differs(
          get('/{repo}/index.yaml', { range: 'bytes=0-9' }),
          { status: 200, headers: { 'content-range': undefined } },
          { status: 206, headers: { 'content-range': /^bytes 0-9\/\d+$/ } },
          'a broken download goes on where it ended (Q29)',
        ),
      ),
    ],
  },
  {
    setup: { settings: {}, flags: ['--artifact-hub-repo-id', `org=${repositoryId}`] },
    rows: [
      at(
        [1],
        row(
          'C18 artifacthub-repo.yml of another repository',
          [],
          same(get(ARTIFACT_HUB), refused(404, 'Artifact Hub repository ID not found')),
        ),
      ),
    ],
  },
  {
    setup: { settings: {}, flags: ['--artifact-hub-repo-id', repositoryId] },
    rows: [
      at(
        [0],
        row(
          'C18 artifacthub-repo.yml',
          [{ ...settingsOf({ artifactHubRepositoryId: repositoryId }), only: 'chartroom' }],
          same(get(ARTIFACT_HUB), {
            status: 200,
            headers: { 'content-type': 'application/x-yaml' },
            text: new RegExp(`^repositoryID: ${repositoryId}\\s*$`),
          }),
          same(get('/artifacthub-repo.yaml'), notFound),
        ),
      ),
    ],
  },
];
