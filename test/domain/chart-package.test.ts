import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { helmLimits, readPackage } from '../../shared/domain/chart-package.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { chartTgz, type Member, pax, tar, tgz } from './tar.ts';

const MINIMAL = 'apiVersion: v2\nname: a\nversion: 1.2.3\n';
const CHART: Member = { name: 'chart/Chart.yaml', data: MINIMAL };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const fault = (message: RegExp, code = 'invalid_package') =>
  expect.objectContaining({ name: 'Fault', code, message: expect.stringMatching(message) });

describe('a package', () => {
  it('tells name, version, digest, size and entry', async () => {
    const bytes = chartTgz(`${MINIMAL}description: "x\\u2028\\x7f"\nannotations: {b: "\\u2028", a: 1}`);
    expect(await readPackage(bytes)).toMatchObject({
      name: 'a',
      version: '1.2.3',
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      entry:
        '{"name":"a","version":"1.2.3","description":"x ","apiVersion":"v2","annotations":{"a":"1","b":"\\u2028"}}',
    });
  });

  it('shows its files', async () => {
    const values = '\ufeff# words\na: 1.50\nb: [1, 12345678901234567890, yes]\n__proto__: {c: ~}\n';
    const bytes = chartTgz(MINIMAL, {
      'values.yaml': values,
      'README.md': '# Read me',
      'values.schema.json': '{broken',
      'templates/x.yaml': 'x: {{ y',
      'templates/tests/t.yaml': 't',
      'charts/sub/Chart.yaml': MINIMAL,
      'charts/sub/templates/s.yaml': 's',
      '.helmignore': '*.md',
      'crds/c.yaml': 'kind: X',
    });
    const { files } = await readPackage(bytes);
    expect(files).toMatchObject({
      readme: base64('# Read me'),
      schema: base64('{broken'),
      templates: [
        { name: 'templates/x.yaml', data: base64('x: {{ y') },
        { name: 'templates/tests/t.yaml', data: base64('t') },
      ],
    });
    expect(files.values?.text).toBe(base64(values));
    expect(JSON.stringify(files.values?.parsed)).toBe(
      '{"a":1.5,"b":[1,12345678901234567000,true],"__proto__":{"c":null}}',
    );
    expect(files.files).toHaveLength(10);
    expect(files.files).toContainEqual({ path: 'crds/c.yaml', sizeBytes: 7 });
  });

  it('may have nothing but a Chart.yaml', async () => {
    const { files } = await readPackage(chartTgz(MINIMAL));
    expect(files).toEqual({
      chart: base64(MINIMAL),
      templates: [],
      files: [{ path: 'Chart.yaml', sizeBytes: MINIMAL.length }],
    });
  });

  it('may have an empty values.yaml', async () => {
    const { files } = await readPackage(chartTgz(MINIMAL, { 'values.yaml': '# nothing' }));
    expect(files.values).toEqual({ text: base64('# nothing'), parsed: {} });
  });

  it('takes dependencies from requirements.yaml, wherever it lies in the archive', async () => {
    const requirements = { name: 'chart/requirements.yaml', data: 'dependencies: [{name: x, version: 1.0}]' };
    const { entry } = await readPackage(tgz([requirements, { ...CHART, data: 'name: a\nversion: 1.2.3' }]));
    expect(JSON.parse(entry)).toEqual({
      name: 'a',
      version: '1.2.3',
      apiVersion: 'v1',
      dependencies: [{ name: 'x', version: '1', repository: '' }],
    });
  });

  const MANY_RECORDS: Member = {
    name: 'pax',
    type: 'g',
    data: Array.from({ length: 250_000 }, (_, at) => `13 ${at + 1_000_000}==\n`).join(''),
  };
  const MANY_HEADERS = Array<Member>(10_000).fill(pax({ mtime: '1' }));
  const LONG = `templates/${'d/'.repeat(80)}x.yaml`;
  it.each<[string, Buffer]>([
    [
      'directories',
      tgz([{ name: 'chart/', type: '5', mode: 0o755 }, { name: 'chart/templates/', type: '5' }, CHART]),
    ],
    [
      'a directory whose header tells of bytes',
      tgz([{ name: 'chart/', type: '5', size: '00000000001' }, CHART]),
    ],
    ['a directory that only its mode tells', tgz([{ name: 'chart/x', mode: 0o40755 }, CHART])],
    ['the mode of a plain file', tgz([{ ...CHART, mode: 0o100644 }])],
    ['a name of backslashes', tgz([{ ...CHART, name: 'chart\\Chart.yaml' }])],
    ['dots in a path', tgz([{ ...CHART, name: 'chart/./Chart.yaml' }])],
    ['a byte order mark in Chart.yaml', chartTgz(`\ufeff${MINIMAL}`)],
    ['a header of before POSIX', tgz([{ ...CHART, magic: '' }])],
    ['a header of GNU', tgz([{ ...CHART, magic: 'ustar  \0' }])],
    ['a pax header', tgz([pax({ path: 'chart/Chart.yaml', mtime: '1.5' }), { ...CHART, name: 'short' }])],
    ['a global pax header', tgz([pax({ comment: 'abc' }, 'g'), CHART])],
    [
      'a path in a global pax header, which Go forgets',
      tgz([pax({ path: '../x' }, 'g'), pax({ mtime: '1' }), CHART]),
    ],
    ['a long global pax header before many others', tgz([MANY_RECORDS, ...MANY_HEADERS, CHART])],
    [
      'a long name by GNU',
      tgz([CHART, { name: '././@LongLink', type: 'L', data: `chart/${LONG}\0` }, { name: 'chart/x' }]),
    ],
    ['an end mark cut short', tgz([CHART], { end: '\0'.repeat(512) })],
    ['no end mark', tgz([CHART], { end: '' })],
    ['a long end mark', tgz([CHART], { end: '\0'.repeat(10240) })],
    [
      'two gzip members',
      Buffer.concat([gzipSync(tar([CHART]).subarray(0, 700)), gzipSync(tar([CHART]).subarray(700))]),
    ],
    ['a directory by another name', tgz([{ ...CHART, name: 'other/Chart.yaml' }])],
    ['a broken template', chartTgz(MINIMAL, { 'templates/x.yaml': '{{' })],
    ['things in charts/ that are no charts', chartTgz(MINIMAL, { 'charts/_x/y': '', 'charts/.x': '' })],
    ['a packed subchart', chartTgz(MINIMAL, { 'charts/sub-1.tgz': chartTgz('name: sub\nversion: 1') })],
    ['a provenance file in charts/', chartTgz(MINIMAL, { 'charts/sub-1.tgz.prov': 'x' })],
    [
      'subcharts in subcharts',
      chartTgz(MINIMAL, { 'charts/b/Chart.yaml': MINIMAL, 'charts/b/charts/c/Chart.yaml': MINIMAL }),
    ],
    [
      'a subchart by a name that we would refuse',
      chartTgz(MINIMAL, { 'charts/b/Chart.yaml': 'name: a b\nversion: 1-x' }),
    ],
    ['a Chart.lock', chartTgz(MINIMAL, { 'Chart.lock': 'generated: "2021-08-25T12:00:00Z"' })],
  ])('may have %s', async (_what, bytes) => {
    expect(await readPackage(bytes)).toMatchObject({ name: 'a', version: '1.2.3' });
  });

  const good = chartTgz(MINIMAL);
  it.each<[string, Buffer, RegExp]>([
    ['nothing', Buffer.alloc(0), /empty or cut off/],
    ['something else', Buffer.from('<html>'), /not gzipped; send the \.tgz/],
    ['half of it', good.subarray(0, good.length / 2), /cut off/],
    ['half of the tar', gzipSync(tar([CHART]).subarray(0, 600)), /cut off/],
    ['no tar inside', gzipSync('hello'.repeat(200)), /cannot be unpacked/],
    ['an empty tar', tgz([]), /holds no files/],
    ['directories alone', tgz([{ name: 'chart/', type: '5' }]), /holds no files/],
    ['a wrong checksum', corrupted(good, -8), /incorrect data check/],
    ['a wrong length', corrupted(good, -1), /incorrect length check/],
    ['garbage behind it', Buffer.concat([good, Buffer.from('garbage')]), /follows the end of the gzip data/],
    ['zeros behind it', Buffer.concat([good, Buffer.alloc(512)]), /follows the end of the gzip data/],
    [
      'a second tar behind it',
      gzipSync(Buffer.concat([tar([CHART]), tar([CHART])])),
      /continues after its end/,
    ],
    [
      'a member after one empty block',
      gzipSync(Buffer.concat([tar([CHART], { end: '\0'.repeat(512) }), tar([CHART])])),
      /continues after its end/,
    ],
    [
      'an empty pax header that makes tar-stream pass over the next member',
      tgz(
        [
          { name: 'pax', type: 'x' },
          { ...CHART, data: MINIMAL.padEnd(1025, '#') },
          { ...CHART, data: MINIMAL.replace('1.2.3', '2.0.0') },
        ],
        { end: '\0'.repeat(513) },
      ),
      /not every member begins at a block/,
    ],
    [
      'an empty long name that makes tar-stream read a member inside another',
      tgz([
        { name: 'name', type: 'L' },
        { ...CHART, data: MINIMAL.padEnd(1025, '#') },
        {
          name: 'chart/x',
          data: Buffer.concat([Buffer.alloc(513), tar([{ name: 'chart/y' }], { end: '' })]),
        },
      ]),
      /not every member begins at a block/,
    ],
    ['garbage in the tar', tgz([CHART], { end: 'x'.repeat(512) }), /cannot be unpacked/],
    ['no Chart.yaml', tgz([{ name: 'chart/values.yaml' }]), /Chart\.yaml is missing/],
    [
      'the Chart.yaml of a subchart alone',
      tgz([{ ...CHART, name: 'chart/charts/b/Chart.yaml' }]),
      /Chart\.yaml is missing/,
    ],
    ['a Chart.yaml at the root', tgz([{ ...CHART, name: 'Chart.yaml' }]), /outside the chart's directory/],
    ['./ before its directory', tgz([{ ...CHART, name: './chart/Chart.yaml' }]), /Chart\.yaml is missing/],
    [
      'two directories',
      tgz([CHART, { ...CHART, name: 'other/Chart.yaml' }]),
      /several top directories: "chart" and "other"/,
    ],
    ['an empty second directory', tgz([CHART, { name: 'other/', type: '5' }]), /several top directories/],
    ['a name of both slashes', tgz([CHART, { name: 'chart/x\\Chart.yaml' }]), /several top directories/],
    ['an absolute path', tgz([CHART, { name: '/chart/x' }]), /absolute path/],
    ['an absolute path inside', tgz([CHART, { name: 'chart//etc/passwd' }]), /absolute path/],
    ['a drive', tgz([CHART, { name: 'C:\\chart\\x' }]), /absolute path/],
    ['a drive inside', tgz([CHART, { name: 'chart/c:/x' }]), /absolute path/],
    ['a way out', tgz([CHART, { name: 'chart/../../x' }]), /parent directory/],
    ['a way out with backslashes', tgz([CHART, { name: 'chart\\..\\..\\x' }]), /parent directory/],
    [
      'a way out in a pax header',
      tgz([CHART, pax({ path: '../x' }), { name: 'chart/x' }]),
      /parent directory/,
    ],
    [
      'a directory that is a way out',
      tgz([CHART, { name: 'chart/../../x/', type: '5' }]),
      /parent directory/,
    ],
    ['a name that begins with two dots', tgz([CHART, { name: 'chart/..x' }]), /parent directory/],
    [
      'a symbolic link',
      tgz([CHART, { name: 'chart/x', type: '2', link: '/etc/passwd' }]),
      /neither a file nor/,
    ],
    [
      'a hard link',
      tgz([CHART, { name: 'chart/x', type: '1', link: 'chart/Chart.yaml' }]),
      /neither a file nor/,
    ],
    ['a device', tgz([CHART, { name: 'chart/x', type: '3' }]), /neither a file nor/],
    ['a pipe', tgz([CHART, { name: 'chart/x', type: '6' }]), /neither a file nor/],
    [
      'a link that only its mode tells',
      tgz([CHART, { name: 'chart/x', mode: 0o120777 }]),
      /neither a file nor/,
    ],
    ['a sparse file by GNU', tgz([CHART, { name: 'chart/x', type: 'S' }]), /neither a file nor/],
    ['a sparse file by pax', tgz([CHART, pax({ 'GNU.sparse.major': '1' }), { name: 'chart/x' }]), /sparse/],
    ['a Chart.yaml that is no YAML', chartTgz('a: ['), /^Chart\.yaml cannot be read/],
    [
      'a values.yaml that is no YAML',
      chartTgz(MINIMAL, { 'values.yaml': 'a: [' }),
      /^values\.yaml cannot be read/,
    ],
    [
      'a values.yaml that is a list',
      chartTgz(MINIMAL, { 'values.yaml': '[a]' }),
      /values\.yaml must hold a mapping/,
    ],
    ['NaN in values.yaml', chartTgz(MINIMAL, { 'values.yaml': 'a: .nan' }), /holds NaN/],
    ['a broken Chart.lock', chartTgz(MINIMAL, { 'Chart.lock': 'a: [' }), /^Chart\.lock/],
    [
      'a broken requirements.lock',
      chartTgz(MINIMAL, { 'requirements.lock': 'digest: [1]' }),
      /^requirements\.lock/,
    ],
    [
      'a file in charts/ that is no chart',
      chartTgz(MINIMAL, { 'charts/README.md': 'x' }),
      /charts\/README\.md: Chart/,
    ],
    [
      'a subchart without Chart.yaml',
      chartTgz(MINIMAL, { 'charts/b/values.yaml': '' }),
      /charts\/b: Chart\.yaml is missing/,
    ],
    [
      'a subchart with broken values',
      chartTgz(MINIMAL, { 'charts/b/Chart.yaml': MINIMAL, 'charts/b/values.yaml': '[' }),
      /charts\/b: values/,
    ],
    [
      'a subchart with a bad version',
      chartTgz(MINIMAL, { 'charts/b/Chart.yaml': 'name: b\nversion: x' }),
      /charts\/b: "x" is not/,
    ],
    [
      'a packed subchart that is none',
      chartTgz(MINIMAL, { 'charts/b-1.tgz': 'x' }),
      /charts\/b-1\.tgz: not a chart package/,
    ],
    [
      'a link in a packed subchart',
      chartTgz(MINIMAL, { 'charts/b-1.tgz': tgz([CHART, { name: 'chart/x', type: '2' }]) }),
      /charts\/b-1\.tgz: .*neither/,
    ],
  ])('with %s is refused', async (_what, bytes, message) => {
    await expect(readPackage(bytes)).rejects.toEqual(fault(message));
  });

  it.each([
    ['an unfit name', 'name: a b\nversion: 1', 'invalid_name'],
    ['a reserved name', 'name: charts\nversion: 1', 'invalid_name'],
    ['a name of 251 characters', `name: ${'a'.repeat(251)}\nversion: 1`, 'invalid_name'],
    ['an unfit version', 'name: a\nversion: 1-rc', 'invalid_version'],
  ])('with %s is refused, though Helm takes it', async (_what, chartYaml, code) => {
    await expect(readPackage(chartTgz(chartYaml))).rejects.toEqual(fault(/./, code));
  });

  it('is read whole or refused with a fault, wherever it is damaged', async () => {
    const whole = readFileSync(join(import.meta.dirname, '../fixtures/charts/mailhog-5.8.0.tgz'));
    const plain = gunzipSync(whole).subarray(0, 4096);
    await fc.assert(
      fc.asyncProperty(fc.nat(4095), fc.nat(255), async (at, byte) => {
        const damaged = Buffer.from(plain);
        damaged[at] = byte;
        const outcome = await readPackage(gzipSync(damaged)).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(Fault);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the limits on a package', () => {
  const zeros = (size: number) => Buffer.alloc(size);

  it.each<[string, Partial<typeof helmLimits>, Record<string, Uint8Array | string>, RegExp]>([
    ['packed bytes', { packedBytes: 100 }, {}, /larger than 100 bytes/],
    ['unpacked bytes', { unpackedBytes: 8192 }, { x: zeros(5000), y: zeros(5000) }, /more than 8192 bytes/],
    ['bytes of one file', { fileBytes: 1000 }, { x: zeros(1001) }, /"chart\/x" is larger than 1000 bytes/],
    ['members', { members: 3 }, { x: '', y: '', z: '' }, /too many members/],
    [
      'YAML in all',
      { yamlBytes: 600 },
      { 'charts/b/Chart.yaml': MINIMAL, 'charts/b/values.yaml': `#${'x'.repeat(600)}` },
      /too large together/,
    ],
    [
      'unpacked bytes, with packed subcharts',
      { unpackedBytes: 8192 },
      { 'charts/b-1.tgz': chartTgz(MINIMAL, { x: zeros(5000) }) },
      /more than \d+ bytes/,
    ],
    [
      'members, with packed subcharts',
      { members: 3 },
      { 'charts/b-1.tgz': chartTgz(MINIMAL, { x: '' }) },
      /too many members/,
    ],
  ])('hold for %s', async (_what, limits, files, message) => {
    const bytes = chartTgz(MINIMAL, files);
    await expect(readPackage(bytes, { ...helmLimits, ...limits })).rejects.toEqual(fault(message));
    expect(await readPackage(bytes)).toMatchObject({ name: 'a' });
  });

  it('hold for packages inside packages', async () => {
    const nest = (depth: number): Buffer =>
      chartTgz(MINIMAL, depth === 0 ? {} : { 'charts/b-1.tgz': nest(depth - 1) });
    expect(await readPackage(nest(3), { ...helmLimits, nestedPackages: 3 })).toMatchObject({ name: 'a' });
    await expect(readPackage(nest(4), { ...helmLimits, nestedPackages: 3 })).rejects.toEqual(
      fault(/too deep/),
    );
  });

  it('let a file of 5 MiB pass, and none that is larger', async () => {
    const MIB5 = 5 * 1024 * 1024;
    expect(await readPackage(chartTgz(MINIMAL, { x: zeros(MIB5) }))).toMatchObject({ name: 'a' });
    await expect(readPackage(chartTgz(MINIMAL, { x: zeros(MIB5 + 1) }))).rejects.toEqual(
      fault(/larger than 5242880/),
    );
  });

  it('let an entry of 128 KB pass, and none that is larger, counted as it is rendered', async () => {
    const entry = async (size: number) => (await readPackage(annotated('x'.repeat(size)))).entry;
    const rest = (await entry(1)).length - 1;
    const most = 128 * 1024 - rest;
    expect(await entry(most)).toHaveLength(128 * 1024);
    await expect(entry(most + 1)).rejects.toEqual(fault(/more than 131072 bytes in the index/));
    // three bytes in Chart.yaml, six in the index
    await expect(readPackage(annotated('\u2028'.repeat(most / 5)))).rejects.toEqual(fault(/131072 bytes/));
  });

  it('stop a bomb after a fraction of it', async () => {
    const bomb = gzipSync(Buffer.concat([tar([CHART], { end: '' }), Buffer.alloc(300 * 1024 * 1024)]));
    const before = process.memoryUsage().rss;
    await expect(readPackage(bomb)).rejects.toEqual(fault(/more than 104857600 bytes/));
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });
});

function annotated(text: string): Buffer {
  return chartTgz(`${MINIMAL}annotations: {a: "${text}"}`);
}

/** A copy with one byte changed, counted from the end. */
function corrupted(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8((copy.at(at) ?? 0) ^ 0xff, copy.length + at);
  return copy;
}
