import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { parseProvenance } from '../../shared/domain/provenance.ts';

const DIGEST = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const END = '-----END PGP SIGNATURE-----\n';

function provenance(
  change: { head?: string; metadata?: string; files?: string; tail?: string } = {},
): Buffer {
  const {
    head = '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n',
    metadata = 'apiVersion: v2\nname: redis\nversion: 1.2.3\n',
    files = `files:\n  redis-1.2.3.tgz: sha256:${DIGEST}\n`,
    tail = '-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n',
  } = change;
  return Buffer.from(`${head}${metadata}\n...\n${files}${tail}`);
}

describe('a provenance file', () => {
  it('tells the package and its digest', () => {
    const bytes = provenance();
    expect(parseProvenance(bytes)).toEqual({
      name: 'redis',
      version: '1.2.3',
      package: DIGEST,
      digest: digestOf(bytes),
    });
  });

  it('of Helm is read', () => {
    const file = join(import.meta.dirname, '../fixtures/charts/sonarr-16.3.2+build.7.tgz.prov');
    expect(parseProvenance(readFileSync(file))).toMatchObject({ name: 'sonarr', version: '16.3.2+build.7' });
  });

  it.each([
    ['line ends of Windows', provenance().toString().replaceAll('\n', '\r\n')],
    ['quotes', provenance({ metadata: 'name: "redis"\nversion: \'1.2.3\'\n' })],
    [
      'a digest in capitals',
      provenance({ files: `files:\n  redis-1.2.3.tgz: sha256:${DIGEST.toUpperCase()}\n` }),
    ],
    [
      'quotes around file and digest',
      provenance({ files: `files:\n  "redis-1.2.3.tgz": "sha256:${DIGEST}"\n` }),
    ],
    [
      'other files beside',
      provenance({ files: `files:\n  x.tgz: sha256:12\n  redis-1.2.3.tgz: sha256:${DIGEST}\n` }),
    ],
    [
      'a dependency with a name and a version of its own',
      provenance({ metadata: 'dependencies:\n- - name: x\n  version: 9.9.9\nname: redis\nversion: 1.2.3\n' }),
    ],
    ['escapes before any line', provenance({ metadata: '- name: redis\n- version: 1.2.3\n' })],
    ['blanks at the ends of lines', provenance({ metadata: 'name: redis \t\nversion: 1.2.3 \n' })],
    ['no header', provenance({ head: '-----BEGIN PGP SIGNED MESSAGE-----\n\n' })],
    [
      'another message behind it',
      Buffer.concat([provenance(), provenance({ metadata: 'name: other\nversion: 9.9.9\n' })]),
    ],
    [
      'further documents, which Helm does not read',
      provenance({
        files: `files:\n  redis-1.2.3.tgz: sha256:${DIGEST}\n...\nfiles:\n  redis-1.2.3.tgz: sha256:${OTHER}\n`,
      }),
    ],
    ['a second name further down', provenance({ metadata: 'name: redis\nversion: 1.2.3\nname: other\n' })],
  ])('may have %s', (_what, text) => {
    expect(parseProvenance(Buffer.from(text))).toMatchObject({
      name: 'redis',
      version: '1.2.3',
      package: DIGEST,
    });
  });

  it.each([
    ['nothing', Buffer.alloc(0), /does not begin with/],
    [
      'a leading line',
      provenance({ head: '\n-----BEGIN PGP SIGNED MESSAGE-----\n\n' }),
      /does not begin with/,
    ],
    ['no signature', provenance({ tail: '' }), /no PGP SIGNATURE/],
    ['no name', provenance({ metadata: 'version: 1.2.3\n' }), /names no chart/],
    ['no version', provenance({ metadata: 'name: redis\n' }), /no version/],
    ['a name that is a path', provenance({ metadata: 'name: ../x\nversion: 1.2.3\n' }), /not a chart name/],
    ['a version that is none', provenance({ metadata: 'name: redis\nversion: x\n' }), /not a version/],
    [
      'a name in a line of blanks',
      provenance({ metadata: `name: redis${' '.repeat(200_000)}x\nversion: 1.2.3\n` }),
      /not a chart name/,
    ],
    [
      'a file in a line of blanks',
      provenance({ files: `files:\n${' '.repeat(200_000)}redis-1.2.3.tgz\n` }),
      /no sha256 digest/,
    ],
    ['no files', provenance({ files: '' }), /no sha256 digest of redis-1\.2\.3\.tgz/],
    [
      'the digest of another file',
      provenance({ files: `files:\n  x-1.2.3.tgz: sha256:${DIGEST}\n` }),
      /digest of redis/,
    ],
    ['half a digest', provenance({ files: 'files:\n  redis-1.2.3.tgz: sha256:abab\n' }), /no sha256 digest/],
    [
      'another kind of digest',
      provenance({ files: `files:\n  redis-1.2.3.tgz: sha512:${DIGEST}\n` }),
      /no sha256/,
    ],
    [
      'a digest before the line of dots only',
      provenance({
        metadata: `name: redis\nversion: 1.2.3\nfiles:\n  redis-1.2.3.tgz: sha256:${DIGEST}\n`,
        files: '',
      }),
      /no sha256/,
    ],
    [
      'name and version behind the signature',
      provenance({
        metadata: '',
        tail: `-----BEGIN PGP SIGNATURE-----\nname: redis\nversion: 1.2.3\n${END}`,
      }),
      /names no chart/,
    ],
    [
      'name and version above the signed text',
      provenance({ head: '-----BEGIN PGP SIGNED MESSAGE-----\nname: other\nversion: 9.9.9\n\n' }),
      /only "Hash:" and an empty line/,
    ],
    [
      'no empty line above the signed text',
      provenance({ head: '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n' }),
      /only "Hash:"/,
    ],
    [
      'another message inside',
      provenance({
        metadata: '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: redis\nversion: 1.2.3\n',
      }),
      /not escaped/,
    ],
    [
      'a name behind an escape',
      provenance({ metadata: '- - name: redis\nversion: 1.2.3\n' }),
      /names no chart/,
    ],
    [
      'a name behind a carriage return',
      provenance({ metadata: 'description: x\rname: redis\nversion: 1.2.3\n' }),
      /carriage return/,
    ],
    [
      'a name behind a line separator of Unicode',
      provenance({ metadata: 'description: x\u2028name: redis\nversion: 1.2.3\n' }),
      /names no chart/,
    ],
    ['half a signature', provenance({ tail: '-----BEGIN PGP SIGNATURE-----\n\nabc\n' }), /breaks off/],
    [
      'the digest of another list',
      provenance({ files: `files:\n  x.tgz: sha256:12\nimages:\n  redis-1.2.3.tgz: sha256:${DIGEST}\n` }),
      /no sha256/,
    ],
    ['a mark of byte order', Buffer.from(`\uFEFF${provenance()}`), /does not begin with/],
    [
      'what is not UTF-8',
      Buffer.from(
        provenance({ metadata: 'name: redis\nversion: 1.2.3\nhome: \u00e9\n' }).toString(),
        'latin1',
      ),
      /not UTF-8/,
    ],
    [
      'more than 256 KB',
      provenance({ metadata: `# ${'x'.repeat(256 * 1024)}\nname: redis\n` }),
      /larger than 262144/,
    ],
  ])('with %s is refused', (_what, bytes, message) => {
    expect(() => parseProvenance(bytes)).toThrow(
      expect.objectContaining({ code: 'invalid_provenance', message: expect.stringMatching(message) }),
    );
  });

  it('is read in one pass, however many blanks it holds', () => {
    const blanks = ' '.repeat(120 * 1024);
    const bytes = provenance({
      metadata: `name: a${blanks}b\nversion: 1.2.3\n`,
      files: `files:\n${blanks}x\n`,
    });
    expect(() => parseProvenance(bytes)).toThrow(/not a chart name/);
    expect(() => parseProvenance(provenance({ files: `files:\n${blanks}x\n` }))).toThrow(/no sha256 digest/);
  });
});
