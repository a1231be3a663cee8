import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleFunctions } from '../../infra/bundle.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chartroom-bundle-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const bundle = (...ids: readonly string[]) => bundleFunctions({ from: folder, to: join(folder, 'out'), ids });
const bundled = (id: string) => join(folder, 'out', id, 'index.mjs');

describe('bundling the functions', () => {
  it('makes one loadable file of each, with what it imports', async () => {
    write('greeting.ts', 'export const greeting: string = "ahoy";');
    write('greet.ts', 'import { greeting } from "./greeting.ts"; export const handler = () => greeting;');
    bundle('greet');
    expect(readdirSync(join(folder, 'out', 'greet'))).toEqual(['index.mjs']);
    const module: { handler(): string } = await import(pathToFileURL(bundled('greet')).href);
    expect(module.handler()).toBe('ahoy');
  });

  it("lets a CommonJS dependency require Node's modules", async () => {
    write('old.cjs', 'module.exports = require("node:path").sep;');
    write('uses-old.ts', 'import sep from "./old.cjs"; export const handler = () => sep;');
    bundle('uses-old');
    const module: { handler(): string } = await import(pathToFileURL(bundled('uses-old')).href);
    expect(module.handler()).toBe('/');
  });

  it('leaves a file alone that is the same already', () => {
    write('greet.ts', 'export const handler = () => "ahoy";');
    bundle('greet');
    const before = statSync(bundled('greet'));
    bundle('greet');
    expect(statSync(bundled('greet')).ino).toBe(before.ino);
  });

  it('replaces a file whose source changed', () => {
    write('greet.ts', 'export const handler = () => "ahoy";');
    bundle('greet');
    write('greet.ts', 'export const handler = () => "farewell";');
    bundle('greet');
    expect(readFileSync(bundled('greet'), 'utf8')).toContain('farewell');
  });

  it('does nothing where nothing changed, and everything where something may have', () => {
    const minuteAgo = new Date(Date.now() - 60_000);
    const written = (name: string, text: string) => {
      write(name, text);
      utimesSync(join(folder, name), minuteAgo, minuteAgo);
    };
    written('word.ts', 'export const word = "ahoy";');
    written('greet.ts', 'import { word } from "./word.ts"; export const handler = () => word;');
    bundle('greet');
    writeFileSync(bundled('greet'), 'kept');
    bundle('greet');
    expect(readFileSync(bundled('greet'), 'utf8')).toBe('kept');

    write('word.ts', 'export const word = "farewell";');
    bundle('greet');
    expect(readFileSync(bundled('greet'), 'utf8')).toContain('farewell');

    rmSync(bundled('greet'));
    bundle('greet');
    expect(readFileSync(bundled('greet'), 'utf8')).toContain('farewell');
  });

  it('leaves no half-written files behind', () => {
    write('greet.ts', 'export const handler = () => "ahoy";');
    bundle('greet');
    write('greet.ts', 'export const handler = () => "farewell";');
    bundle('greet');
    expect(readdirSync(join(folder, 'out', 'greet'))).toEqual(['index.mjs']);
  });

  describe('of which some are split', () => {
    const split = (...ids: readonly string[]) =>
      bundleFunctions({ from: folder, to: join(folder, 'out'), ids, split: ['greet'] });
    const files = (id: string) => readdirSync(join(folder, 'out', id)).filter((name) => name !== 'index.mjs');
    const greeting = (word: string) => {
      write('word.ts', `export const word = "${word}";`);
      write('greet.ts', 'export const handler = async () => (await import("./word.ts")).word;');
      write('other.ts', 'export { handler } from "./greet.ts";');
      split('greet', 'other');
    };

    it('puts what one loads later into a file beside it, and leaves the others whole', async () => {
      greeting('ahoy');
      expect(files('greet')).toHaveLength(1);
      expect(readFileSync(bundled('greet'), 'utf8')).not.toContain('ahoy');
      const module: { handler(): Promise<string> } = await import(pathToFileURL(bundled('greet')).href);
      expect(await module.handler()).toBe('ahoy');
      expect(files('other')).toEqual([]);
      expect(readFileSync(bundled('other'), 'utf8')).toContain('ahoy');
    });

    it('keeps nothing of an earlier bundle', () => {
      greeting('ahoy');
      const before = files('greet');
      greeting('farewell');
      expect(files('greet')).toHaveLength(1);
      expect(files('greet')).not.toEqual(before);
    });
  });

  it('names the handler that is missing', () => {
    expect(() => bundle('absent')).toThrow(/absent\.ts/);
  });
});
