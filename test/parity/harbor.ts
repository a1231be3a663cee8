import { expect } from 'vitest';

/** What is asserted of an answer; what is not named may be anything. */
export type Answer = {
  readonly status: number;
  /** The whole body, as JSON. */
  readonly json?: unknown;
  /** The whole body. */
  readonly text?: string | RegExp;
  /** Name of the file that the body is. */
  readonly file?: string;
  /** What is in the body of every refusal, for both families of clients. */
  readonly refusal?: { readonly code: string; readonly message: RegExp };
};

/**
 * A call of curl's; an argument that begins with `/` is a path, and `{p}` in one a project of the row's own. `{label}` is
 * the number of a label of everybody's, `{foreign}` that of one of another project.
 */
type Call = readonly string[];

/** What Harbor answers, as its sources have it (nobody ran it), and Chartroom where it differs on purpose. */
type Exchange = {
  readonly call: Call;
  readonly harbor: Answer;
  readonly chartroom?: { readonly answer: Answer; readonly why: string };
};

export type Row = {
  /** The fact's number, and what it is about. */
  readonly id: string;
  /** Whether the repository was made by Chartroom's own API. @default false: by Harbor's, as a project */
  readonly isOurs?: true;
  /** Calls before, each of which succeeds. */
  readonly before: readonly Call[];
  readonly exchanges: readonly Exchange[];
};

const same = (call: Call, harbor: Answer): Exchange => ({ call, harbor });
const differs = (call: Call, harbor: Answer, answer: Answer, why: string): Exchange => ({
  call,
  harbor,
  chartroom: { answer, why },
});

const CHARTS = '/api/chartrepo/{p}/charts';
const REPOSITORY = '/chartrepo/{p}';
const LABELS = `${CHARTS}/demo/1.0.0/labels`;
/** Where Harbor 2.x has the same. */
const LABELS_2 = LABELS.replace('/api/', '/api/v2.0/');
const JSON_BODY = ['-H', 'content-type: application/json'];
const OCTETS = ['-H', 'content-type: application/octet-stream'];

const raw = (file: string, query = ''): Call => [...OCTETS, '--data-binary', `@${file}`, `${CHARTS}${query}`];
const provenance = (...body: readonly string[]): Call => [...body, '/api/chartrepo/{p}/prov'];
const attach = (label: string, path = LABELS): Call => [...JSON_BODY, '--data', `{"id": ${label}}`, path];
const remove = (path: string): Call => ['-X', 'DELETE', path];

const saved: Answer = { status: 201, json: { saved: true } };
const nothing: Answer = { status: 200, text: '' };
const missing: Answer = { status: 404, refusal: { code: 'NOT_FOUND', message: /./ } };
const invalid: Answer = { status: 400, refusal: { code: 'BAD_REQUEST', message: /./ } };

const version = (name: string, text: string) =>
  expect.objectContaining({ name, version: text, urls: [`charts/${name}-${text}.tgz`] });
/** An index with the chart of the project `library`, which every room has. */
const ofLibrary = (name: string) =>
  expect.objectContaining({
    apiVersion: 'v1',
    entries: expect.objectContaining({
      'library/demo': expect.arrayContaining([
        expect.objectContaining({ name, version: '1.0.0', urls: ['library/charts/demo-1.0.0.tgz'] }),
      ]),
    }),
  });
const label = expect.objectContaining({ id: expect.any(Number), name: 'stable', scope: 'g', project_id: 0 });
const instant = expect.stringMatching(/^20\d\d-/);

/** What the tests publish: the file's name without `.tgz`, and what it holds. */
export const packages = {
  'demo-1.0.0': {},
  'demo-1.1.0-rc.1': { version: '1.1.0-rc.1' },
  'other-bytes': { description: 'other' },
  'full-1.0.0': {
    name: 'full',
    files: {
      'Chart.yaml':
        'apiVersion: v2\nname: full\nversion: 1.0.0\nhome: https://x\nicon: https://x/i.png\ndeprecated: true\ndependencies:\n- {name: a, version: 1.0.0, repository: https://x}\n',
      'values.yaml': '# kept\nimage:\n  tag: "1"\n  ports: [80]\nreplicas: 2\n',
      'README.md': '# Full\n',
      'charts/a/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 1.0.0\n',
    },
  },
} as const;

/** H1 to H15, by whoever may do everything. */
export const rows: readonly Row[] = [
  {
    id: 'H1 health',
    before: [],
    exchanges: [same(['/api/chartrepo/health'], { status: 200, json: { healthy: true } })],
  },
  { id: 'H2 no charts', before: [], exchanges: [same([CHARTS], { status: 200, json: [] })] },
  {
    id: 'H2 charts',
    before: [raw('full-1.0.0.tgz'), raw('demo-1.0.0.tgz'), raw('demo-1.1.0-rc.1.tgz')],
    exchanges: [
      differs(
        [CHARTS],
        {
          status: 200,
          json: ['demo', 'full'].map((name) =>
            expect.objectContaining({ name, updated: '0001-01-01T00:00:00Z' }),
          ),
        },
        {
          status: 200,
          json: [
            {
              name: 'demo',
              total_versions: 2,
              latest_version: '1.1.0-rc.1',
              created: instant,
              updated: instant,
              icon: '',
              home: '',
              deprecated: false,
            },
            {
              name: 'full',
              total_versions: 1,
              latest_version: '1.0.0',
              created: instant,
              updated: instant,
              icon: 'https://x/i.png',
              home: 'https://x',
              deprecated: true,
            },
          ],
        },
        'when a chart was updated is known (Q35)',
      ),
    ],
  },
  {
    id: 'H3 raw',
    before: [],
    exchanges: [
      same(raw('demo-1.0.0.tgz'), saved),
      same(['--data-binary', '@demo-1.0.0.tgz', CHARTS], saved),
    ],
  },
  {
    id: 'H3 a form with a chart',
    before: [],
    exchanges: [same(['-F', 'chart=@demo-1.0.0.tgz', CHARTS], saved)],
  },
  {
    id: 'H3 a form with a chart and its provenance file',
    before: [],
    exchanges: [
      same(['-F', 'chart=@demo-1.0.0.tgz', '-F', 'prov=@demo-1.0.0.tgz.prov', CHARTS], saved),
      same(['-L', `${REPOSITORY}/charts/demo-1.0.0.tgz.prov`], { status: 200, file: 'demo-1.0.0.tgz.prov' }),
    ],
  },
  {
    id: 'H3 a form without a chart (Q34)',
    before: [],
    exchanges: [
      differs(
        ['-F', 'prov=@demo-1.0.0.tgz.prov', CHARTS],
        { status: 500 },
        saved,
        'ChartMuseum takes a provenance file by itself, and it waits for its package',
      ),
      differs(
        ['-F', 'x=@demo-1.0.0.tgz', CHARTS],
        { status: 500 },
        invalid,
        'it is the request that is wrong',
      ),
    ],
  },
  {
    id: 'H3 a version that is there is replaced',
    before: [raw('demo-1.0.0.tgz')],
    exchanges: [
      same(raw('other-bytes.tgz'), saved),
      same([`${CHARTS}/demo/1.0.0`], {
        status: 200,
        json: expect.objectContaining({ metadata: expect.objectContaining({ description: 'other' }) }),
      }),
    ],
  },
  {
    id: 'H3 a version that is there, in a repository that was made otherwise (Q32)',
    isOurs: true,
    before: [raw('demo-1.0.0.tgz')],
    exchanges: [
      differs(
        raw('other-bytes.tgz'),
        saved,
        { status: 409, refusal: { code: 'CONFLICT', message: /\?force/ } },
        'versions stay what they are unless somebody said otherwise',
      ),
      same(raw('other-bytes.tgz', '?force'), saved),
    ],
  },
  {
    id: 'H3 no package',
    before: [],
    exchanges: [same([...OCTETS, '--data-binary', 'x', CHARTS], invalid)],
  },
  {
    id: 'H4 library',
    before: [],
    exchanges: [
      same([...OCTETS, '--data-binary', '@demo-1.0.0.tgz', '/api/chartrepo/charts?force'], saved),
      same(['/api/chartrepo/library/charts/demo'], { status: 200, text: /"version":"1\.0\.0"/ }),
    ],
  },
  {
    id: 'H5 raw',
    before: [raw('demo-1.0.0.tgz')],
    exchanges: [same(provenance('--data-binary', '@demo-1.0.0.tgz.prov'), saved)],
  },
  {
    id: 'H5 a form (Q13)',
    before: [raw('demo-1.0.0.tgz')],
    exchanges: [
      differs(
        provenance('-F', 'prov=@demo-1.0.0.tgz.prov'),
        { status: 500 },
        saved,
        "it is what Harbor's own description shows",
      ),
    ],
  },
  {
    id: 'H5 no provenance file (Q6)',
    before: [],
    exchanges: [
      differs(provenance('--data-binary', 'x'), { status: 500 }, invalid, 'it is the request that is wrong'),
    ],
  },
  {
    id: 'H6 versions',
    before: [raw('demo-1.0.0.tgz'), raw('demo-1.1.0-rc.1.tgz')],
    exchanges: [
      same([`${CHARTS}/demo`], {
        status: 200,
        json: [version('demo', '1.1.0-rc.1'), version('demo', '1.0.0')],
      }),
      same([`${CHARTS}/demo`], {
        status: 200,
        json: [expect.objectContaining({ labels: [] }), expect.objectContaining({ labels: [] })],
      }),
      same([`${CHARTS}/nothing`], missing),
    ],
  },
  {
    id: 'H7 delete a chart',
    before: [raw('demo-1.0.0.tgz'), raw('demo-1.1.0-rc.1.tgz'), raw('full-1.0.0.tgz')],
    exchanges: [
      same(remove(`${CHARTS}/demo`), nothing),
      same([`${CHARTS}/demo`], missing),
      same([`${CHARTS}/full`], { status: 200 }),
      same(remove(`${CHARTS}/demo`), missing),
    ],
  },
  {
    id: 'H8 a version',
    before: [['-F', 'chart=@demo-1.0.0.tgz', '-F', 'prov=@demo-1.0.0.tgz.prov', CHARTS]],
    exchanges: [
      differs(
        [`${CHARTS}/demo/1.0.0`],
        { status: 200, json: expect.objectContaining({ dependencies: null, values: null }) },
        {
          status: 200,
          json: {
            metadata: version('demo', '1.0.0'),
            dependencies: [],
            values: {},
            files: {},
            security: { signature: { signed: true, prov_file: 'charts/demo-1.0.0.tgz.prov' } },
            labels: [],
          },
        },
        'what is empty is of the type of what is full (Q36)',
      ),
      same([`${CHARTS}/demo/2.0.0`], missing),
      same([`${CHARTS}/nothing/1.0.0`], missing),
    ],
  },
  {
    id: 'H8 values, files and dependencies (Q39)',
    before: [raw('full-1.0.0.tgz')],
    exchanges: [
      differs(
        [`${CHARTS}/full/1.0.0`],
        {
          status: 200,
          json: expect.objectContaining({
            files: { 'values.yaml': expect.not.stringContaining('# kept'), 'README.md': '# Full\n' },
          }),
        },
        {
          status: 200,
          json: {
            metadata: version('full', '1.0.0'),
            dependencies: [expect.objectContaining({ name: 'a', version: '1.0.0', repository: 'https://x' })],
            values: { 'image.tag': '1', 'image.ports': [80], replicas: 2 },
            files: {
              'values.yaml': '# kept\nimage:\n  tag: "1"\n  ports: [80]\nreplicas: 2\n',
              'README.md': '# Full\n',
            },
            security: { signature: { signed: false, prov_file: '' } },
            labels: [],
          },
        },
        'the comments of values.yaml are its documentation',
      ),
    ],
  },
  {
    id: 'H8 of a package that was replaced without its provenance file (Q12)',
    before: [
      ['-F', 'chart=@demo-1.0.0.tgz', '-F', 'prov=@demo-1.0.0.tgz.prov', CHARTS],
      raw('other-bytes.tgz'),
    ],
    exchanges: [
      differs(
        [`${CHARTS}/demo/1.0.0`],
        { status: 200, text: /"signed":true/ },
        { status: 200, text: /"signed":false,"prov_file":""/ },
        'the old file is for other bytes',
      ),
    ],
  },
  {
    id: 'H9 delete a version',
    before: [
      ['-F', 'chart=@demo-1.0.0.tgz', '-F', 'prov=@demo-1.0.0.tgz.prov', CHARTS],
      raw('demo-1.1.0-rc.1.tgz'),
    ],
    exchanges: [
      same(remove(`${CHARTS}/demo/1.0.0`), nothing),
      same([`${REPOSITORY}/charts/demo-1.0.0.tgz`], missing),
      same([`${REPOSITORY}/charts/demo-1.0.0.tgz.prov`], missing),
      same([`${CHARTS}/demo`], { status: 200, json: [version('demo', '1.1.0-rc.1')] }),
      same(remove(`${CHARTS}/demo/1.0.0`), missing),
    ],
  },
  {
    id: 'H10 the index',
    before: [raw('demo-1.0.0.tgz')],
    exchanges: [
      same([`${REPOSITORY}/index.yaml`], {
        status: 200,
        json: expect.objectContaining({ apiVersion: 'v1', entries: { demo: [version('demo', '1.0.0')] } }),
      }),
      differs(['-I', `${REPOSITORY}/index.yaml`], { status: 404 }, { status: 200 }, 'HEAD is as GET (Q2)'),
    ],
  },
  {
    id: 'H11 the index of all projects',
    before: [['-F', 'chart=@demo-1.0.0.tgz', '/api/chartrepo/charts']],
    exchanges: [
      differs(
        ['/chartrepo/index.yaml'],
        { status: 200, json: ofLibrary('library/demo') },
        { status: 200, json: ofLibrary('demo') },
        'Helm refuses a slash in a name (Q40)',
      ),
    ],
  },
  {
    id: 'H12 a package',
    before: [raw('demo-1.0.0.tgz')],
    exchanges: [
      differs(
        [`${REPOSITORY}/charts/demo-1.0.0.tgz`],
        { status: 200, file: 'demo-1.0.0.tgz' },
        { status: 302 },
        'a signed URL, which Helm follows',
      ),
      same(['-L', `${REPOSITORY}/charts/demo-1.0.0.tgz`], { status: 200, file: 'demo-1.0.0.tgz' }),
      same([`${REPOSITORY}/charts/demo-2.0.0.tgz`], missing),
    ],
  },
  ...[LABELS, LABELS_2].map((labels): Row => {
    const inApi = labels === LABELS ? '1.x' : '2.x';
    return {
      id: `H13 to H15 the labels of a version, ${inApi}`,
      before: [raw('demo-1.0.0.tgz')],
      exchanges: [
        same([labels], { status: 200, json: [] }),
        same(attach('{label}', labels), nothing),
        same([labels], { status: 200, json: [label] }),
        same([`${CHARTS}/demo`], { status: 200, json: [expect.objectContaining({ labels: [label] })] }),
        same([`${CHARTS}/demo/1.0.0`], { status: 200, json: expect.objectContaining({ labels: [label] }) }),
        same(attach('{label}', labels), { status: 409, refusal: { code: 'CONFLICT', message: /./ } }),
        same(remove(`${labels}/{label}`), nothing),
        same([labels], { status: 200, json: [] }),
        same(remove(`${labels}/{label}`), missing),
      ],
    };
  }),
  {
    id: 'H14 no label that a version can have',
    before: [raw('demo-1.0.0.tgz')],
    exchanges: [
      same(attach('1'), missing),
      same(attach('{foreign}'), invalid),
      same([...JSON_BODY, '--data', '{"id": ', LABELS], invalid),
      same(attach('{label}', LABELS.replace('1.0.0', '2.0.0')), missing),
      same([LABELS], { status: 200, json: [] }),
    ],
  },
  {
    id: 'H15 a version that is deleted and published again has none',
    before: [raw('demo-1.0.0.tgz')],
    exchanges: [
      same(attach('{label}'), nothing),
      same(remove(`${CHARTS}/demo/1.0.0`), nothing),
      same(raw('demo-1.0.0.tgz'), saved),
      same([LABELS], { status: 200, json: [] }),
    ],
  },
];
