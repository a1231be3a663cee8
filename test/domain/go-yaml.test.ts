import { describe, expect, it } from 'vitest';
import { scalarText } from '../../shared/domain/go-scalar.ts';
import { type GoYaml, isList, isMap, parseGoYaml } from '../../shared/domain/go-yaml.ts';

const read = (text: string) => parseGoYaml(Buffer.from(text), 'x.yaml');
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'invalid_package', message: expect.stringMatching(message) });

// Go's answers, from a program that unmarshals each scalar with sigs.k8s.io/yaml into a string.
describe('a bare scalar becomes the text that Helm makes of it', () => {
  it.each([
    ['1.20', '1.2'],
    ['1.10', '1.1'],
    ['1.0', '1'],
    ['1e3', '1000'],
    ['12e03', '12000'],
    ['1.5e-7', '1.5e-07'],
    ['1e21', '1e+21'],
    ['1234567.8', '1.2345678e+06'],
    ['123456.7', '123456.7'],
    ['0.0001', '0.0001'],
    ['0.00001', '1e-05'],
    ['16777217.0', '1.6777216e+07'],
    ['1_000', '1000'],
    ['0x1F', '31'],
    ['-0x1F', '-31'],
    ['0b101', '5'],
    ['0b-1', '-1'],
    ['0o17', '15'],
    ['017', '15'],
    ['08', '8'],
    ['.5', '0.5'],
    ['.5_0', '0.5'],
    ['5.', '5'],
    ['+1', '1'],
    ['-0', '0'],
    ['-0.0', '-0'],
    ['.inf', '+Inf'],
    ['-.inf', '-Inf'],
    ['.nan', 'NaN'],
    ['1e39', '+Inf'],
    ['1e400', '1e400'],
    ['12345678901234567890', '12345678901234567890'],
    ['18446744073709551616', '1.8446744e+19'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['-9223372036854775809', '-9.223372e+18'],
    ['+12345678901234567890', '1.2345679e+19'],
    ['123456789012345678901234567890', '1.2345679e+29'],
    ['yes', 'true'],
    ['on', 'true'],
    ['y', 'true'],
    ['TRUE', 'true'],
    ['no', 'false'],
    ['off', 'false'],
    ['n', 'false'],
    ['yEs', 'yEs'],
    ['2024-01-02', '2024-01-02'],
    ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05Z'],
    ['1:30', '1:30'],
    ['=', '='],
    ['<<', '<<'],
    ['._5', '._5'],
    ['"1.20"', '1.20'],
    ["'yes'", 'yes'],
    ['!!str 1.20', '1.20'],
    ['!!int "3"', '3'],
    ['!!float 3', '3'],
    ['!!binary aGk=', 'hi'],
    ['!!timestamp 2024-01-02', '2024-01-02'],
    ['!<tag:yaml.org,2002:str> 1', '1'],
    ['!custom 1.20', '1.20'],
    ['! 1.20', '1.20'],
  ])('%s as %s', (written, text) => {
    const value = read(written);
    if (value === undefined || value === null || isList(value) || isMap(value))
      throw new Error('not a scalar');
    expect(scalarText(value)).toBe(text);
  });

  it.each([['~'], ['null'], ['NULL'], ['!!null ~'], ['---'], ['""'.slice(2)]])('%j as nothing', (written) => {
    expect(read(written) ?? null).toBeNull();
  });

  it.each([
    ['!!int x'],
    ['!!int 3.5'],
    ['!!bool 1'],
    ['!!null x'],
    ['!!binary a'],
    ['!!timestamp x'],
    ['@x'],
    ['`x'],
  ])('%s is refused', (written) => {
    expect(() => read(written)).toThrow(refusal(/^x\.yaml cannot be read: /));
  });
});

describe('a document', () => {
  const map = (entries: Record<string, GoYaml>) => new Map(Object.entries(entries));

  it.each<[string, string, GoYaml]>([
    ['the last of two equal keys', 'a: 1\na: 2', map({ a: 2n })],
    ['keys as text', 'yes: 1\n1.50: 2\n0x10: 3\n.inf: 4', map({ true: 1n, '1.5': 2n, '16': 3n, '.inf': 4n })],
    ['the first document only', 'a: 1\n---\nb: 2', map({ a: 1n })],
    ['what an alias names', 'a: &x [1]\nb: *x', map({ a: [1n], b: [1n] })],
    ['the latest anchor of a name', 'a: &x 1\nb: &x 2\nc: *x', map({ a: 1n, b: 2n, c: 2n })],
    [
      'merged mappings',
      'a: &x {b: 1, c: 1}\nd:\n  <<: *x\n  c: 2',
      map({ a: map({ b: 1n, c: 1n }), d: map({ b: 1n, c: 2n }) }),
    ],
    ['a merge over what stands before it', 'd:\n  c: 2\n  <<: {c: 1}', map({ d: map({ c: 1n }) })],
    ['the first of several merged mappings', '<<: [{a: 1}, {a: 2, b: 2}]', map({ a: 1n, b: 2n })],
    ['a merge key tagged as text as a key', '!!str <<: 1', map({ '<<': 1n })],
    ['a quoted merge key as a key', '"<<": 1', map({ '<<': 1n })],
    ['lists and mappings of any tag', 'a: !!set {b: 1}\nc: !x [1]', map({ a: map({ b: 1n }), c: [1n] })],
    ['its own tag handles', '%TAG !e! tag:yaml.org,2002:\n---\na: !e!int "1"', map({ a: 1n })],
    ['a byte order mark', '\ufeffa: 1', map({ a: 1n })],
    ['line ends of Windows', 'a: 1\r\nb: 2\r\n', map({ a: 1n, b: 2n })],
    ['__proto__ as a key like any other', '__proto__: 1', new Map([['__proto__', 1n]])],
    ['escaped characters', '"\\u0d83f \\ud7ff \\x41"', '\u0d83f \ud7ff A'],
  ])('may have %s', (_what, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    ['a list as a key', '? [a]\n: 1', /cannot be a key/],
    ['null as a key', '~: 1', /cannot be a key/],
    ['an integer of more than 63 bits as a key', '18446744073709551615: 1', /cannot be a key/],
    ['an unknown anchor', 'a: *x', /unknown anchor 'x'/],
    ['an anchor within itself', 'a: &x [*x]', /'x' value contains itself/],
    ['an anchor within itself that was another before', 'a: &x 1\nb: &x [*x]', /contains itself/],
    ['a merge of no mapping', '<<: 1', /merge requires map/],
    ['a tab as indentation', 'a:\n\tb: 1', /line 2/],
    ['another version of YAML', '%YAML 1.2\n---\na: 1', /YAML 1\.1 only/],
    ['the escape that only JSON has', '"a\\/b"', /unknown escape/],
    ['half a surrogate pair', '"\\ud83d"', /unknown escape/],
    ['half a surrogate pair in the long form', '"\\U0000DE00"', /unknown escape|invalid|escape/],
    ['too deep nesting', `${'['.repeat(501)}${']'.repeat(501)}`, /nesting/],
  ])('with %s is refused', (_what, text, message) => {
    expect(() => read(text)).toThrow(refusal(message));
  });

  it('that is not UTF-8 is refused', () => {
    expect(() => parseGoYaml(Buffer.from('a: \xe9', 'latin1'), 'x.yaml')).toThrow(refusal(/not UTF-8/));
    expect(() => parseGoYaml(Buffer.from('a: b', 'utf16le'), 'x.yaml')).toThrow(refusal(/./));
  });
});

describe('what a document may grow to', () => {
  const levels = (count: number, width: number) =>
    Array.from({ length: count }, (_, level) => {
      const item = level === 0 ? 'x' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array(width).fill(item).join(',')}]`;
    }).join('\n');

  it('follows the rule of Go: 99% of a small document may come of aliases', () => {
    expect(read(levels(3, 9))).toBeDefined();
    expect(() => read(levels(9, 9))).toThrow(refusal(/excessive aliasing/));
  });

  it('is refused quickly, whatever it would grow to', () => {
    const started = performance.now();
    expect(() => read(levels(100, 50))).toThrow(refusal(/aliasing|too large/));
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('is bounded in bytes as well as in nodes', () => {
    const text = `a: &a "${'x'.repeat(1_000_000)}"\nb: [${'*a,'.repeat(50)}]`;
    expect(() => read(text)).toThrow(refusal(/too large/));
  });

  it('is bounded in depth as well as in nodes', () => {
    const chain = Array.from({ length: 6 }, (_, level) => {
      return `a${level}: &a${level} ${'['.repeat(100)}${level ? `*a${level - 1}` : 1}${']'.repeat(100)}`;
    });
    expect(read(chain.slice(0, 4).join('\n'))).toBeDefined();
    expect(() => read(chain.join('\n'))).toThrow(refusal(/too large/));
  });

  it.each([
    ['binary text', `!!binary ${'QUFB'.repeat(1_000_000)}`, 'AAA'.repeat(1_000_000)],
    ['a float', `.${'1'.repeat(4_000_000)}`, 1 / 9],
    ['a float with underscores', `.1${'_1'.repeat(2_000_000)}`, 1 / 9],
    ['an integer', '9'.repeat(4_000_000), '9'.repeat(4_000_000)],
  ])('leaves room for %s of megabytes', (_what, text, value) => {
    expect(read(text) === value).toBe(true);
  });

  it('is bounded before it is parsed', () => {
    expect(() => read(`[${'x,'.repeat(600_000)}]`)).toThrow(refusal(/more than 500000 values/));
  });
});
