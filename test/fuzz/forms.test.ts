import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPackage, aProvenance } from '../packages.ts';
import { expectPublishedOrRefused } from './expectations.ts';
import { mutations } from './mutations.ts';
import { runs } from './runs.ts';

const upload = await aPackage();
const provenance = aProvenance(upload);
const other = aProvenance(Buffer.from('other bytes'));

const target = fc.constantFrom('/api/charts', '/api/charts?force', '/api/prov', '/api/a/b/c/prov');
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 6 }));
const boundary = fc.oneof(
  { weight: 6, arbitrary: fc.constant('a-boundary') },
  fc.constantFrom('"quoted b"', 'x'.repeat(70), 'x'.repeat(3000), '', '-', '--', 'é', "'()+_,./:=?"),
);

const disposition = fc.oneof(
  fc
    .constantFrom('chart', 'chart', 'prov')
    .map((field) => `Content-Disposition: form-data; name="${field}"; filename="x"`),
  fc
    .tuple(
      fc.constantFrom('form-data', 'FORM-DATA', 'attachment', ''),
      fc.constantFrom('; name=chart', '; name="chart', '; name=""', '; name="__proto__"', ''),
      fc.oneof(
        fc.constantFrom('; filename="demo-1.0.0.tgz"', '; filename="../../x"', '; filename=""', ''),
        fc.constantFrom(
          "; filename*=utf-8''x",
          "; filename*=utf-16''%ff",
          "; filename*=nope''%zz",
          '; filename="\\"',
          '; ;',
        ),
        text.map((name) => `; filename="${name}"`),
      ),
    )
    .map((parts) => `Content-Disposition: ${parts.join('')}`),
);
const header = fc.oneof(
  { weight: 6, arbitrary: disposition },
  fc.constantFrom(
    'Content-Type: application/gzip',
    'Content-Type: text/plain; charset=nope',
    'Content-Type: ;;',
    ': x',
    ' folded',
  ),
  fc.constantFrom(
    'Content-Transfer-Encoding: base64',
    'Content-Transfer-Encoding: quoted-printable',
    'no colon',
    '',
  ),
  fc.tuple(text, text).map((pair) => pair.join(': ')),
  fc.integer({ min: 1, max: 200 }).map((count) => Array(count).fill('X: y').join('\r\n')),
  fc.integer({ min: 1, max: 100_000 }).map((length) => `X: ${'y'.repeat(length)}`),
);
const content = fc.oneof(
  fc.constantFrom<Uint8Array | string>(
    upload,
    provenance,
    other,
    '',
    '\r\n',
    '\r\n--a-boundary',
    '--a-boundary--',
  ),
  fc.uint8Array({ maxLength: 100 }),
);
const part = fc
  .tuple(
    fc
      .tuple(
        disposition,
        fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(header, { maxLength: 2 })),
      )
      .map(([first, more]) => [first, ...more]),
    content,
  )
  .map(([headers, body]) =>
    Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`), Buffer.from(body)]),
  );
const parts = fc.oneof(
  { weight: 9, arbitrary: fc.array(part, { maxLength: 4 }) },
  fc.tuple(part, fc.integer({ min: 20, max: 200 })).map(([one, count]) => Array<Buffer>(count).fill(one)),
);

function framed(token: string, all: readonly Buffer[], before: string, end: string): Buffer {
  const pieces = all.flatMap((one) => [Buffer.from(`--${token}\r\n`), one, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(before), ...pieces, Buffer.from(end.replace('TOKEN', token))]);
}

const form = fc
  .tuple(
    boundary,
    parts,
    fc.oneof({ weight: 6, arbitrary: fc.constant('') }, fc.constantFrom('preamble\r\n', '\r\n', '\n')),
    fc.constantFrom('--TOKEN--\r\n', '--TOKEN--\r\n', '--TOKEN--', '--TOKEN', '', '--TOKEN--\r\nepilogue'),
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('; boundary=') },
      fc.constantFrom('; charset=utf-8; boundary=', ';boundary =', '; '),
    ),
  )
  .map(([token, all, before, end, parameter]) => ({
    headers: { 'content-type': `multipart/form-data${parameter}${token}` },
    body: framed(token.replaceAll('"', ''), all, before, end),
  }));

describe('whatever form is uploaded, it is published or refused', () => {
  it('when its parts are odd', async () => {
    const statuses = new Set<number | undefined>();
    const property = fc.asyncProperty(target, form, async (path, sent) => {
      statuses.add(await expectPublishedOrRefused(path, sent));
    });
    await fc.assert(property, runs(1000));
    expect([...statuses]).toEqual(expect.arrayContaining([201, 400]));
  });

  it('when bytes of it are changed', async () => {
    const property = fc.asyncProperty(target, form, mutations, async (path, { headers, body }, mutate) => {
      await expectPublishedOrRefused(path, { headers, body: mutate(body) });
    });
    await fc.assert(property, runs(300));
  });
});

const line = fc.oneof(
  fc.constantFrom(
    'name: demo',
    'version: 1.0.0',
    '...',
    'files:',
    '-----BEGIN PGP SIGNATURE-----',
    'Hash: SHA512',
    '',
  ),
  fc.constantFrom(
    '-----BEGIN PGP SIGNED MESSAGE-----',
    `  demo-1.0.0.tgz: sha256:${'ab'.repeat(32)}`,
    'name: "',
    'version:',
  ),
  fc
    .tuple(
      fc.constantFrom('', 'name: ', 'version: ', '  ', '...'),
      fc.constantFrom(' ', '\t', ':', 'a', ': '),
      fc.nat(60_000),
    )
    .map(([start, unit, count]) => `${start}${unit.repeat(count)}x`),
  text,
);
const lines = fc.tuple(fc.boolean(), fc.array(line, { maxLength: 12 })).map(([begins, all]) => {
  const start = ['-----BEGIN PGP SIGNED MESSAGE-----', 'name: demo', 'version: 1.0.0', '...', 'files:'];
  return Buffer.from([...(begins ? start : []), ...all, '-----BEGIN PGP SIGNATURE-----', ''].join('\n'));
});

describe('whatever provenance file is uploaded, it is kept or refused', () => {
  it('when its lines are odd', async () => {
    const property = fc.asyncProperty(lines, async (body) => {
      await expectPublishedOrRefused('/api/prov', { body });
    });
    await fc.assert(property, runs(300));
  });

  it('when bytes of it are changed', async () => {
    const property = fc.asyncProperty(mutations, async (mutate) => {
      await expectPublishedOrRefused('/api/prov', { body: mutate(provenance) });
    });
    await fc.assert(property, runs(200));
  });
});
