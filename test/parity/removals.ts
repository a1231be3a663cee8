import {
  chart,
  deleted,
  differs,
  follow,
  form,
  get,
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

const demo = upload(chart());
const signed = uploadProvenance(provenance());
const PROVENANCE = '/{repo}/charts/demo-1.0.0.tgz.prov';
/** The provenance file with something written otherwise. */
const edited = (from: string, to: string) => async () =>
  Buffer.from(String(await provenance()()).replaceAll(from, to));
const invalid = 'a provenance file that is none is a fault of the client (Q6)';

/** A body that is no provenance file. */
const noProvenance = (id: string, content: string): Row =>
  row(
    id,
    [demo],
    differs(
      uploadProvenance(text(content)),
      { status: 500, error: 'invalid provenance file' },
      { status: 400, error: /provenance file/ },
      invalid,
    ),
    same(get(PROVENANCE), { status: 404 }),
  );

/** Provenance files by themselves, and deleting. */
export const removals: readonly Row[] = [
  row('1.6 raw', [demo], same(signed, saved), same(follow(PROVENANCE), { status: 200 })),
  row('1.6 again', [demo, signed], same(signed, refused(409, 'file already exists'))),
  row('1.6 again with ?force', [demo, signed], same(uploadProvenance(provenance(), '?force'), saved)),
  noProvenance('1.6 not clear-signed', 'no provenance'),
  noProvenance('1.6 a line before it', '\n-----BEGIN PGP SIGNED MESSAGE-----\nname: demo\nversion: 1.0.0\n'),
  noProvenance('1.6 empty', ''),
  noProvenance('1.6 without name and version', '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nx: y\n'),
  row(
    '1.6 a name with a path',
    [],
    same(uploadProvenance(provenance({ name: '../x' })), refused(400, /is improperly formatted/)),
  ),
  row(
    '1.6 no such chart',
    [],
    same(uploadProvenance(provenance({ name: 'early' })), saved),
    differs(
      get('/{repo}/charts/early-1.0.0.tgz.prov'),
      { status: 200 },
      { status: 404 },
      'it is held and served with the package that it speaks of (Q28)',
    ),
  ),
  row(
    '1.6 a form (Q13)',
    [demo],
    differs(
      form([['prov', provenance()]], { resource: 'prov' }),
      { status: 500, error: 'invalid provenance file' },
      saved,
      "Harbor's own documentation sends a form",
    ),
  ),
  row(
    '1.6 CRLF (Q28)',
    [demo],
    same(uploadProvenance(edited('\n', '\r\n')), saved),
    differs(
      get(PROVENANCE),
      { status: 404 },
      { status: 302 },
      'ChartMuseum stores it under a name that nobody asks for',
    ),
  ),
  row(
    '1.6 a version in quotes (Q28)',
    [demo],
    same(uploadProvenance(edited('version: 1.0.0', 'version: "1.0.0"')), saved),
    differs(get(PROVENANCE), { status: 404 }, { status: 302 }, 'the quotes are those of YAML'),
  ),
  row(
    '1.6 the digest of other bytes (Q28)',
    [demo],
    differs(
      uploadProvenance(provenance({ description: 'other bytes' })),
      saved,
      refused(400, /digest/),
      'it could never verify the package',
    ),
  ),

  row(
    '1.7 the package and its provenance file go',
    [demo, signed],
    same(remove('/api/{repo}/charts/demo/1.0.0'), deleted),
    same(get('/{repo}/charts/demo-1.0.0.tgz'), { status: 404 }),
    same(get(PROVENANCE), { status: 404 }),
    same(get('/api/{repo}/charts'), { status: 200, json: {} }),
    same(get('/{repo}/index.yaml'), { status: 200, text: /entries"?: ?\{\s*\}/ }),
  ),
  row(
    '1.7 not there (Q14)',
    [],
    differs(
      remove('/api/{repo}/charts/demo/1.0.0'),
      { status: 404, error: /demo-1\.0\.0\.tgz/ },
      { status: 404, error: /^(?!.*tgz)/ },
      'a text of ours, without the path of a file',
    ),
  ),
  row('1.7 latest', [demo], same(remove('/api/{repo}/charts/demo/latest'), { status: 404, error: /./ })),
  row(
    '1.7 a whole chart (Q15)',
    [demo],
    differs(
      remove('/api/{repo}/charts/demo'),
      { status: 404, error: 'not found' },
      deleted,
      "additional, as in Harbor's API",
    ),
  ),
  row(
    '1.7 published again after it',
    [demo],
    same(remove('/api/{repo}/charts/demo/1.0.0'), deleted),
    same(upload(chart({ description: 'other' })), saved),
  ),
];
