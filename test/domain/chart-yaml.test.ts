import { describe, expect, it } from 'vitest';
import { checkLock, indexFields, readMetadata, validateMetadata } from '../../shared/domain/chart-yaml.ts';

const MINIMAL = 'name: a\nversion: 1.2.3\n';

/** The entry that these lines make, read back from JSON. */
function entry(chartYaml: string, requirements?: string): Record<string, unknown> {
  const chart = readMetadata(Buffer.from(chartYaml), 'Chart.yaml');
  const all =
    requirements === undefined ? chart : readMetadata(Buffer.from(requirements), 'requirements.yaml', chart);
  return JSON.parse(JSON.stringify(indexFields(validateMetadata(all))));
}

const fault = (message: RegExp, code = 'invalid_package') =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describe('Chart.yaml', () => {
  it('gives its fields in the order of an index, and drops what Helm does not know', () => {
    const all = `
unknown: x
engine: gotpl
tillerVersion: 2
type: library
dependencies: [{alias: q, name: m, version: 1.50, repository: r, condition: c, tags: [t], enabled: yes, import-values: [i], x: 1}]
kubeVersion: ">=1"
annotations: {b: 1.50, a: yes}
deprecated: true
appVersion: 1.20
tags: t
condition: c
apiVersion: v2
icon: i
maintainers: [{url: u, email: e, name: m, x: 1}]
keywords: [k]
description: d
version: 1.2.3
sources: [s]
home: h
name: a`;
    const result = entry(all);
    expect(Object.keys(result)).toEqual(
      'name home sources version description keywords maintainers icon apiVersion condition tags appVersion deprecated annotations kubeVersion dependencies type'.split(
        ' ',
      ),
    );
    expect(result).toMatchObject({
      appVersion: '1.2',
      annotations: { a: 'true', b: '1.5' },
      maintainers: [{ name: 'm', email: 'e', url: 'u' }],
      dependencies: [
        {
          name: 'm',
          version: '1.5',
          repository: 'r',
          condition: 'c',
          tags: ['t'],
          enabled: true,
          'import-values': ['i'],
          alias: 'q',
        },
      ],
    });
    const [dependency = {}] = result['dependencies'] as object[];
    expect(Object.keys(dependency)).toEqual(
      'name version repository condition tags enabled import-values alias'.split(' '),
    );
    const [maintainer = {}] = result['maintainers'] as object[];
    expect(Object.keys(maintainer)).toEqual(['name', 'email', 'url']);
  });

  it.each([
    [
      'what is empty',
      'home: ""\nkeywords: []\nannotations: {}\ndeprecated: false\nmaintainers: []\nicon:',
      {},
    ],
    ['nulls', 'home: ~\nkeywords: ~\nannotations: ~\ndeprecated: ~\nmaintainers: ~\ntype: ~', {}],
  ])('leaves out %s', (_what, more, fields) => {
    expect(entry(MINIMAL + more)).toEqual({ name: 'a', version: '1.2.3', apiVersion: 'v1', ...fields });
  });

  it.each<[string, string, Record<string, unknown>]>([
    ['apiVersion v1 where none is named', '', { apiVersion: 'v1' }],
    ['any apiVersion', 'apiVersion: v9', { apiVersion: 'v9' }],
    ['names of fields in any case', 'APPVERSION: 1', { appVersion: '1' }],
    ['the exact name after another case', 'appVersion: 1\nAPPVERSION: 2', { appVersion: '1' }],
    ['letters that fold to ASCII', '\u212aeyword\u017f: [x]', { keywords: ['x'] }],
    ['nulls in lists of text', 'keywords: [a, ~]', { keywords: ['a', ''] }],
    ['nulls in annotations', 'annotations: {a: ~}', { annotations: { a: '' } }],
    ['annotations by any name', 'annotations: {constructor: x}', { annotations: { constructor: 'x' } }],
    [
      'a dependency without name or repository',
      'dependencies: [{}]',
      { dependencies: [{ name: '', repository: '' }] },
    ],
    ['a maintainer without anything', 'maintainers: [{}]', { maintainers: [{}] }],
    [
      'import-values of any shape',
      'dependencies: [{name: x, import-values: [a, {child: 1.50, parent: yes}, ~, [1]]}]',
      {
        dependencies: [
          { name: 'x', repository: '', 'import-values': ['a', { child: 1.5, parent: true }, null, [1]] },
        ],
      },
    ],
    [
      'white space as blanks',
      'description: "a\\tb\\nc\\u00a0d\\u2028e\\x85f"',
      { description: 'a b c d e f' },
    ],
    [
      'no characters that cannot be printed',
      'description: "a\\u200bb\\ufeffc\\x07d\\x7fe"',
      { description: 'abcde' },
    ],
    ['other characters', 'description: "é 漢 😀"', { description: 'é 漢 😀' }],
    ['annotations as they are', 'annotations: {a: "x\\ty"}', { annotations: { a: 'x\ty' } }],
    [
      'clean texts everywhere',
      'keywords: ["a\\tb"]\nmaintainers: [{name: "a\\tb"}]\ndependencies: [{name: "a\\tb", tags: ["a\\tb"]}]',
      {
        keywords: ['a b'],
        maintainers: [{ name: 'a b' }],
        dependencies: [{ name: 'a b', repository: '', tags: ['a b'] }],
      },
    ],
  ])('has %s', (_what, more, fields) => {
    expect(entry(MINIMAL + more)).toMatchObject(fields);
  });

  it('may call an annotation and a chart __proto__', () => {
    const result = entry('name: __proto__\nversion: 1\nannotations: {__proto__: x}');
    expect(result['name']).toBe('__proto__');
    expect(Object.entries(result['annotations'] ?? {})).toEqual([['__proto__', 'x']]);
    expect({}).not.toHaveProperty('x');
  });

  it.each([
    ['nothing', '', /names no chart/, 'invalid_name'],
    ['no name', 'version: 1', /names no chart/, 'invalid_name'],
    ['a name of invisible characters', 'name: "\\u200b"\nversion: 1', /names no chart/, 'invalid_name'],
    ['a path as name', 'name: a/b\nversion: 1', /"a\/b" is not a chart name/, 'invalid_name'],
    ['two dots as name', 'name: ..\nversion: 1', /is not a chart name/, 'invalid_name'],
    ['no version', 'name: a', /has no version/, 'invalid_version'],
    ['a word as version', 'name: a\nversion: latest', /"latest" is not a version/, 'invalid_version'],
    ['an unknown type', `${MINIMAL}type: plugin`, /type .* not "plugin"/, undefined],
    ['a null maintainer', `${MINIMAL}maintainers: [~]`, /maintainers .* empty entry/, undefined],
    ['a null dependency', `${MINIMAL}dependencies: [~]`, /dependencies .* empty entry/, undefined],
    [
      'an alias with a dot',
      `${MINIMAL}dependencies: [{name: a, alias: a.b}]`,
      /cannot be an alias/,
      undefined,
    ],
    [
      'two dependencies of one name',
      `${MINIMAL}dependencies: [{name: a}, {name: a}]`,
      /more than one .*"a"/,
      undefined,
    ],
    [
      'an alias that is another name',
      `${MINIMAL}dependencies: [{name: a}, {name: b, alias: a}]`,
      /more than one/,
      undefined,
    ],
    ['a list', '[a]', /must be a mapping, not a list/, undefined],
    ['text alone', 'x', /must be a mapping/, undefined],
    [
      'a list as text',
      `${MINIMAL}appVersion: [a]`,
      /^Chart\.yaml cannot be read: appVersion must be text/,
      undefined,
    ],
    ['a mapping as text', `${MINIMAL}home: {a: b}`, /home must be text, not a mapping/, undefined],
    ['text as a list', `${MINIMAL}keywords: a`, /keywords must be a list/, undefined],
    ['text as a flag', `${MINIMAL}deprecated: "true"`, /deprecated must be true or false/, undefined],
    ['a list as annotations', `${MINIMAL}annotations: [a]`, /annotations must be a mapping/, undefined],
    ['text as a maintainer', `${MINIMAL}maintainers: [a]`, /maintainers\[0\] must be a mapping/, undefined],
    ['what JSON cannot say, in an unknown field', `${MINIMAL}x: {y: [.nan]}`, /x holds NaN/, undefined],
  ])('with %s is refused', (_what, text, message, code) => {
    expect(() => entry(text)).toThrow(fault(message, code));
  });

  it('may name one chart twice under two aliases', () => {
    const { dependencies } = entry(`${MINIMAL}dependencies: [{name: a}, {name: a, alias: b}]`);
    expect(dependencies).toHaveLength(2);
  });
});

describe('requirements.yaml', () => {
  it('gives the dependencies', () => {
    const dependencies = [{ name: 'x', version: '1', repository: '' }];
    expect(entry(MINIMAL, 'dependencies: [{name: x, version: 1.0}]')).toMatchObject({ dependencies });
  });

  it('is decoded over Chart.yaml, item by item, as encoding/json does it', () => {
    const chart = `${MINIMAL}annotations: {a: 1}\ndependencies: [{name: x, condition: c}, {name: y}]`;
    const result = entry(chart, 'home: h\nannotations: {b: 2}\ndependencies: [{version: 2}]');
    expect(result).toMatchObject({ home: 'h', annotations: { a: '1', b: '2' } });
    expect(result['dependencies']).toEqual([{ name: 'x', version: '2', repository: '', condition: 'c' }]);
  });

  it('may be empty', () => {
    expect(entry(MINIMAL, '')).toEqual(entry(MINIMAL));
  });

  it('is refused when Helm cannot read it', () => {
    expect(() => entry(MINIMAL, 'dependencies: [~]')).toThrow(fault(/empty entry/));
    expect(() => entry(MINIMAL, 'dependencies: x')).toThrow(fault(/^requirements\.yaml cannot be read/));
    expect(() => entry(MINIMAL, 'apiVersion: ""')).toThrow(fault(/no apiVersion/));
  });
});

describe('Chart.lock', () => {
  it.each([
    [''],
    [
      'dependencies:\n- name: a\n  version: 1.0.0\n  repository: r\ndigest: sha256:1\ngenerated: "2021-08-25T12:00:00.123+02:00"',
    ],
    ['generated: 2021-08-25T12:00:00Z'],
    ['generated: ~'],
  ])('%j is read', (text) => {
    expect(() => checkLock(Buffer.from(text), 'Chart.lock')).not.toThrow();
  });

  it.each([
    ['[a]'],
    ['generated: yesterday'],
    ['generated: 2021-08-25'],
    ['generated: 12'],
    ['dependencies: a'],
    ['a: ['],
  ])('%j is refused', (text) => {
    expect(() => checkLock(Buffer.from(text), 'Chart.lock')).toThrow(fault(/^Chart\.lock/));
  });
});
