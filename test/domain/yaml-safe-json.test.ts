import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { yamlSafeJson } from '../../shared/domain/yaml-safe-json.ts';

describe('JSON that is YAML', () => {
  it.each([
    ['DEL', '\u007f', '"\\u007f"'],
    ['a C1 control', '\u0080', '"\\u0080"'],
    ['next line', '\u0085', '"\\u0085"'],
    ['the last C1 control', '\u009f', '"\\u009f"'],
    ['a line separator', '\u2028', '"\\u2028"'],
    ['a paragraph separator', '\u2029', '"\\u2029"'],
    ['a byte order mark', '\ufeff', '"\\ufeff"'],
    ['a non-character', '\ufffe', '"\\ufffe"'],
    ['the other non-character', '\uffff', '"\\uffff"'],
    ['half a surrogate pair', '\ud83d', '"\\ud83d"'],
    ['its other half', 'x\ude00', '"x\\ude00"'],
    ['a key', { '\u2028': 1 }, '{"\\u2028":1}'],
  ])('escapes %s', (_what, value, text) => {
    expect(yamlSafeJson(value)).toBe(text);
  });

  it.each([['é'], ['\u00a0'], ['漢字'], ['😀'], ['\ufffd'], ['"\\u2028"']])('leaves %j alone', (value) => {
    expect(yamlSafeJson(value)).toBe(JSON.stringify(value));
  });

  it('says the same in JSON and in YAML, on one line', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (value) => {
        const rendered = yamlSafeJson(value);
        expect(JSON.parse(rendered)).toEqual({ ...value });
        expect(load(rendered)).toEqual({ ...value });
        expect(rendered).not.toMatch(/[\r\n\u0085\u2028\u2029]/);
      }),
    );
  });
});
