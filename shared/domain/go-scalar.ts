/**
 * A YAML scalar as Helm's reader sees it: go.yaml.in/yaml/v2 (resolve.go) behind sigs.k8s.io/yaml. Integers keep
 * all their digits (bigint), floats are 64-bit numbers, timestamps stay text.
 */
export type GoScalar = null | boolean | bigint | number | string;

/** A scalar that does not fit the tag written before it, like `!!int x`. */
export class ScalarTagError extends Error {}

const WORDS: ReadonlyMap<string, GoScalar> = new Map<string, GoScalar>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    (word): [string, GoScalar] => [word, true],
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (word): [string, GoScalar] => [word, false],
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, GoScalar] => [word, null]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, GoScalar] => [word, Number.NaN]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, GoScalar] => [
    word,
    Number.POSITIVE_INFINITY,
  ]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, GoScalar] => [word, Number.NEGATIVE_INFINITY]),
]);

const INTEGER = /^[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
// No group is repeated in these: on a long text that exhausts the stack of the regular expression engine.
const DOT_FLOAT = /^\.[\d_]+([eE][-+]?[\d_]+)?$/;
const STRAY_UNDERSCORE = /(?<!\d)_|_(?!\d)/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const SMALLEST_INT64 = -(2n ** 63n);
const LARGEST_INT64 = 2n ** 63n - 1n;
const LARGEST_UINT64 = 2n ** 64n - 1n;

/**
 * Resolves a plain or a tagged scalar.
 *
 * @param tag short (`!!int`), or empty for a plain scalar without one
 * @throws ScalarTagError
 */
export function resolveScalar(tag: string, text: string): GoScalar {
  if (tag === '!!str') return text;
  if (tag === '!!binary') return decodeBinary(text);
  if (tag === '!!timestamp' && /^\d{4}-/.test(text)) return text;
  if (!['', '!!bool', '!!int', '!!float', '!!null', '!!timestamp'].includes(tag)) return text;
  const value = resolvePlain(text);
  if (tag === '' || tag === tagOf(value)) return value;
  if (tag === '!!float' && typeof value === 'bigint') return Number(value);
  throw new ScalarTagError(`cannot read "${text}" as ${tag}`);
}

function resolvePlain(text: string): GoScalar {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  // After a dot, strconv.ParseFloat itself reads the underscores, and only those between digits.
  if (text.startsWith('.') && !(DOT_FLOAT.test(text) && !STRAY_UNDERSCORE.test(text))) return text;
  // Of "0b-1" resolve.go cuts the "0b" and reads a binary number with its sign.
  const digits = text.replaceAll('_', '').replace(/^0b([+-])/, '$10b');
  return parseInteger(digits) ?? parseFloat64(digits) ?? text;
}

function parseInteger(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const negative = text.startsWith('-');
  const size = BigInt(text.replace(/^[+-]/, '').replace(/^0[oO]?(?=[0-7])/, '0o'));
  const value = negative ? -size : size;
  // ParseUint takes no sign, so +18446744073709551615 is a float.
  const largest = /^[+-]/.test(text) ? LARGEST_INT64 : LARGEST_UINT64;
  return value >= SMALLEST_INT64 && value <= largest ? value : undefined;
}

function parseFloat64(text: string): number | undefined {
  const value = FLOAT.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined; // ParseFloat fails on what overflows
}

function decodeBinary(text: string): string {
  const compact = text.replace(/[\r\n]/g, '');
  if (compact.length % 4 !== 0 || !BASE64.test(compact)) {
    throw new ScalarTagError('!!binary value contains invalid base64 data');
  }
  return Buffer.from(compact, 'base64').toString('utf8');
}

function tagOf(value: GoScalar): string {
  if (value === null) return '!!null';
  if (typeof value === 'boolean') return '!!bool';
  if (typeof value === 'bigint') return '!!int';
  return typeof value === 'number' ? '!!float' : '!!str';
}

/** The text of a scalar where Helm wants text: sigs.k8s.io/yaml converts numbers and booleans. */
export function scalarText(value: Exclude<GoScalar, null>): string {
  return typeof value === 'number' ? formatFloat32(value) : String(value);
}

/**
 * The key of a mapping as text; undefined for those that JSON cannot have (null and integers above 2^63 - 1).
 */
export function keyText(key: GoScalar): string | undefined {
  if (key === null || (typeof key === 'bigint' && key > LARGEST_INT64)) return undefined;
  if (typeof key !== 'number') return String(key);
  const text = formatFloat32(key);
  const special: Record<string, string> = { '+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan' };
  return special[text] ?? text;
}

/** strconv.FormatFloat(value, 'g', -1, 32): the fewest digits that give the same 32-bit float. */
function formatFloat32(value: number): string {
  const float = Math.fround(value);
  if (Number.isNaN(float)) return 'NaN';
  if (!Number.isFinite(float)) return float > 0 ? '+Inf' : '-Inf';
  const sign = Object.is(float, -0) || float < 0 ? '-' : '';
  const [digits, exponent] = shortestDigits(Math.abs(float));
  if (exponent < -4 || exponent >= 6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = digits.slice(exponent + 1);
  return `${sign}${whole}${rest === '' ? '' : `.${rest}`}`;
}

/** The digits d and the exponent e of d.ddd × 10^e. */
function shortestDigits(float: number): [string, number] {
  for (let precision = 0; precision < 9; precision += 1) {
    const text = float.toExponential(precision);
    if (Math.fround(Number(text)) !== float) continue;
    const [mantissa = '0', exponent = '0'] = text.split('e');
    return [mantissa.replace('.', ''), Number(exponent)];
  }
  throw new RangeError(`${float} is not a 32-bit float`); // nine digits always suffice
}
