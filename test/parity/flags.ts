import { expect } from 'vitest';
import {
  at,
  chart,
  differs,
  get,
  notFound,
  provenance,
  randomText,
  row,
  same,
  saved,
  type Table,
  text,
  upload,
  uploadProvenance,
} from './row.ts';

const demo = upload(chart({ files: { 'values.yaml': 'a: 1\n' } }));
const other = upload(chart({ description: 'other' }));
const VERSION = '/api/{repo}/charts/demo/1.0.0';
const url = (pattern: RegExp) => ({
  status: 200,
  json: expect.objectContaining({ urls: [expect.stringMatching(pattern)] }),
});
const NOISE = 'x'.repeat(64);

/** What ChartMuseum's flags change, where Chartroom has a setting that says the same. */
export const flags: readonly Table[] = [
  {
    setup: { settings: { allowOverwrite: true }, flags: ['--allow-overwrite'] },
    rows: [
      row(
        '1.9 --allow-overwrite',
        [demo],
        same(other, saved),
        same(get(VERSION), { status: 200, json: expect.objectContaining({ description: 'other' }) }),
      ),
      row(
        '1.9 --allow-overwrite of a provenance file',
        [upload(chart()), uploadProvenance(provenance())],
        same(uploadProvenance(provenance()), saved),
      ),
    ],
  },
  {
    setup: {
      settings: { chartUrl: 'https://charts.example.com' },
      flags: ['--chart-url', 'https://charts.example.com'],
    },
    rows: [
      row(
        '1.9 --chart-url',
        [demo],
        same(
          get(VERSION),
          url(/^https:\/\/charts\.example\.com\/(org\d+\/(team\/(repo\/)?)?)?charts\/demo-1\.0\.0\.tgz$/),
        ),
        same(get('/{repo}/index.yaml'), {
          status: 200,
          text: /https:\/\/charts\.example\.com\/(org\d+\/(team\/(repo\/)?)?)?charts\/demo-1\.0\.0\.tgz/,
        }),
      ),
      row(
        '1.9 --chart-url and what is in a package (Q24)',
        [demo],
        ...['values', 'templates'].map((resource) =>
          differs(
            get(`${VERSION}/${resource}`),
            { status: 500 },
            { status: 200 },
            'the file is found by name and version, not by its address',
          ),
        ),
      ),
    ],
  },
  {
    setup: { settings: { contextPath: '/ctx' }, flags: ['--context-path', '/ctx/'] },
    rows: [
      at(
        [0],
        row(
          '1.9 --context-path',
          [],
          same(get('/ctx/index.yaml'), { status: 200, text: /contextPath"?: ?"?\/ctx/ }),
          differs(
            get('/index.yaml'),
            notFound,
            { status: 200, text: /contextPath"?: ?"?\/ctx/ },
            'a base path mapping takes the prefix away before the request arrives, so paths come without it',
          ),
        ),
      ),
    ],
  },
  {
    setup: { settings: { maxUploadBytes: 1000 }, flags: ['--max-upload-size', '1000'] },
    rows: [
      row(
        '1.9 --max-upload-size (Q16)',
        [],
        differs(
          upload(chart({ files: { noise: randomText(2000) } })),
          { status: 413, headers: { 'content-type': /^text\/plain/ }, text: 'request too large' },
          { status: 413, headers: { 'content-type': /^application\/json/ }, error: /./ },
          'helm cm-push prints what is under `error`',
        ),
        same(upload(chart({ files: { noise: NOISE } })), saved),
      ),
      row(
        '1.9 --max-upload-size of a provenance file (Q16)',
        [],
        differs(
          uploadProvenance(text(randomText(2000))),
          { status: 413, text: 'request too large' },
          { status: 413, headers: { 'content-type': /^application\/json/ }, error: /./ },
          'an error is JSON everywhere',
        ),
      ),
    ],
  },
  {
    setup: { settings: { indexFormat: 'yaml' }, flags: [] },
    rows: [
      row(
        '1.9 no --json-index',
        [demo],
        same(get('/{repo}/index.yaml'), {
          status: 200,
          headers: { 'content-type': 'application/x-yaml' },
          text: /^"?apiVersion"?: "?v1"?\n"?entries"?:\n/,
        }),
      ),
    ],
  },
  {
    setup: { settings: { indexFormat: 'json' }, flags: ['--json-index'] },
    rows: [
      row(
        '1.9 --json-index',
        [demo],
        same(get('/{repo}/index.yaml'), {
          status: 200,
          headers: { 'content-type': 'application/x-yaml' },
          json: expect.objectContaining({ apiVersion: 'v1', entries: { demo: [expect.anything()] } }),
        }),
      ),
    ],
  },
  {
    setup: { settings: {}, flags: ['--enable-metrics'] },
    rows: [
      at(
        [0],
        row(
          'C20 metrics',
          [],
          differs(
            get('/metrics'),
            { status: 200, headers: { 'content-type': /^text\/plain/ }, text: /chartmuseum_/ },
            notFound,
            'metrics go to CloudWatch, and are not shown to everybody (Q42)',
          ),
        ),
      ),
    ],
  },
  {
    setup: { settings: {}, flags: ['--depth-dynamic'] },
    rows: [
      at(
        [0],
        row(
          '1.9 --depth-dynamic',
          [],
          ...['', '/org', '/org/team', '/org/team/repo'].map((repository) =>
            same(get(`${repository}/index.yaml`), { status: 200 }),
          ),
          differs(
            get('/org/team/repo/deeper/index.yaml'),
            { status: 200 },
            notFound,
            'an API has so many routes; three segments are what clients and Harbor know',
          ),
          differs(
            get('/api/index.yaml'),
            { status: 200 },
            notFound,
            'words of the routes are reserved, so that every URL has one reading',
          ),
        ),
      ),
    ],
  },
];
