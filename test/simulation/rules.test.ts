import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutants, without } from './rules.ts';

const root = path.join(import.meta.dirname, '..', '..');

describe('the rules that npm run mutants takes out', () => {
  it.each(mutants)('$rule: is in its file, once', (mutant) => {
    const source = readFileSync(path.join(root, mutant.file), 'utf8');
    expect(without(mutant, source)).not.toBe(source);
  });

  it('have a name each', () => {
    expect(new Set(mutants.map(({ rule }) => rule)).size).toBe(mutants.length);
  });
});
