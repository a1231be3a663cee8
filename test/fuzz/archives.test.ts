import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chartTgz, type Member, pax, tar, tgz } from '../domain/tar.ts';
import { expectPublishedOrRefused } from './expectations.ts';
import { mutations } from './mutations.ts';
import { runs } from './runs.ts';

const MINIMAL = 'apiVersion: v2\nname: demo\nversion: 1.2.3\n';
const CHART: Member = { name: 'chart/Chart.yaml', data: MINIMAL };
const upload = (body: Uint8Array) => expectPublishedOrRefused('/api/charts', { body });

const base = chartTgz(MINIMAL, { 'values.yaml': 'a: 1\n', 'templates/a.yaml': 'kind: A\n'.repeat(100) });

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 6 }));
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('chart', 'charts', 'templates', 'x', 'x.tgz', 'x.tgz.prov', '_x') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('values.yaml', 'Chart.yaml', 'Chart.lock', 'README.md', 'C:', 'con'),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '.', '..', '...', '..x', '__proto__', 'a'.repeat(99)) },
  { weight: 1, arbitrary: text },
);
const inChart = fc.array(segment, { minLength: 1, maxLength: 5 }).map((path) => `chart/${path.join('/')}`);
const anywhere = fc.tuple(fc.constantFrom('/', '\\'), fc.array(segment, { maxLength: 5 }));
const memberName = fc.oneof(
  { weight: 6, arbitrary: inChart },
  { weight: 1, arbitrary: anywhere.map(([slash, path]) => path.join(slash)) },
);

const data = fc.oneof(
  fc.constantFrom<string | Uint8Array>(
    '',
    MINIMAL,
    '\0'.repeat(1024),
    base,
    'a: &a [*a]',
    '[',
    'x'.repeat(513),
  ),
  fc.uint8Array({ maxLength: 700 }),
);

// In octal, in base 256 with either sign, and as nonsense.
const size = fc.oneof(
  fc.nat(2000).map((bytes) => bytes.toString(8).padStart(11, '0')),
  fc.constantFrom(
    '\x80\0\0\0\0\0\0\0\0\0\0\x05',
    '\xff'.repeat(12),
    '\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff',
  ),
  fc.constantFrom('77777777777\0', '-1', '9', '            ', '\0'.repeat(12)),
);

const record = fc.oneof(
  fc.tuple(fc.constantFrom('path', 'linkpath'), memberName),
  fc.tuple(
    fc.constantFrom('size', 'mtime', 'GNU.sparse.major', '__proto__', 'constructor', 'mode'),
    fc.oneof(fc.constantFrom('-1', '0', '1', '512', '1e9', 'NaN', '', '99999999999999999999'), text),
  ),
);
const paxMember = fc
  .tuple(fc.array(record, { maxLength: 4 }), fc.constantFrom('x', 'g'))
  .map(([records, type]) => pax(Object.fromEntries(records), type));
const oddPax = fc
  .tuple(
    fc.constantFrom('x', 'g', 'K', 'L'),
    fc.oneof(text, fc.constantFrom('-5 a=b', '0 =', '5 a=', '999 a=b\n')),
  )
  .map(([type, content]): Member => ({ name: 'odd', type, data: content }));

const types = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('0', '\0') },
  fc.constantFrom(
    '1',
    '2',
    '3',
    '4',
    '5',
    '6',
    '7',
    'D',
    'K',
    'L',
    'M',
    'N',
    'S',
    'V',
    'X',
    'g',
    'x',
    ' ',
    '~',
  ),
);
const file = fc
  .record({
    name: memberName,
    data,
    type: types,
    mode: fc.oneof({ weight: 8, arbitrary: fc.constant(0o644) }, fc.nat(0o7777777)),
    link: fc.constantFrom('', '/etc/passwd', 'chart/Chart.yaml'),
    magic: fc.constantFrom('ustar\x0000', 'ustar  \0', '', 'ustar\x00', '\xff\xff'),
    size: fc.option(size, { freq: 8 }),
  })
  .map(({ size, ...member }): Member => (size === null ? member : { ...member, size }));
const members = fc
  .tuple(
    fc.array(fc.oneof({ weight: 5, arbitrary: file }, paxMember, oddPax), { maxLength: 6 }),
    fc.oneof({ weight: 9, arbitrary: fc.nat(6) }, fc.constant(-1)),
  )
  .map(([others, at]) => (at < 0 ? others : others.toSpliced(at, 0, CHART)));
const endMark = fc.constantFrom('\0'.repeat(1024), '\0'.repeat(512), '', '\0'.repeat(5000), 'x'.repeat(512));

describe('whatever archive is uploaded, it is published or refused', () => {
  it('when bytes of the gzip stream are changed', async () => {
    const property = fc.asyncProperty(mutations, async (mutate) => {
      await upload(mutate(base));
    });
    await fc.assert(property, runs(200));
  });

  it('when bytes of the tar are changed', async () => {
    const property = fc.asyncProperty(mutations, async (mutate) => {
      await upload(gzipSync(mutate(gunzipSync(base))));
    });
    await fc.assert(property, runs(200));
  });

  it('when it has odd members', async () => {
    const statuses = new Set<number | undefined>();
    const property = fc.asyncProperty(members, endMark, async (all, end) => {
      statuses.add(await upload(tgz(all, { end })));
    });
    await fc.assert(property, runs(400));
    expect([...statuses]).toEqual(expect.arrayContaining([201, 400]));
  });

  it('when it has odd members and bytes of it are changed', async () => {
    const property = fc.asyncProperty(members, mutations, async (all, mutate) => {
      await upload(gzipSync(mutate(tar(all))));
    });
    await fc.assert(property, runs(200));
  });

  it('when packages lie in packages', async () => {
    const nested = fc.letrec<{ chart: Buffer }>((tie) => ({
      chart: fc.oneof(
        { maxDepth: 14, depthSize: 'max' },
        fc.constantFrom(base, Buffer.from('x'), chartTgz('a: ['), gzipSync('')),
        fc
          .dictionary(
            fc.constantFrom('charts/a.tgz', 'charts/b.tgz', 'charts/c/charts/d.tgz'),
            tie('chart'),
            {
              minKeys: 1,
              maxKeys: 2,
            },
          )
          .map((charts) => chartTgz(MINIMAL, charts)),
      ),
    })).chart;
    await fc.assert(
      fc.asyncProperty(nested, async (bytes) => {
        await upload(bytes);
      }),
      runs(50),
    );
  });

  it('when it has many members', async () => {
    const property = fc.asyncProperty(fc.nat(4000), memberName, async (count, name) => {
      const many = Array.from({ length: count }, (_, at): Member => ({ name: `${name.slice(0, 80)}${at}` }));
      await upload(tgz([CHART, ...many]));
    });
    await fc.assert(property, runs(5));
  });
});
