import { Readable } from 'node:stream';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { collect } from '../../shared/async-iteration.ts';
import { type ChartName, parseChartName } from '../../shared/domain/chart-name.ts';
import { isNew } from '../../shared/domain/compose-index.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import {
  compareText,
  type IndexSettings,
  type LiveVersion,
  newestFirst,
  renderEntry,
} from '../../shared/domain/entry.ts';
import {
  countVersions,
  type Fragment,
  type IndexFile,
  indexPieces,
  type Ranges,
  renderFragment,
  renderIndex,
  renderList,
  stretchOf,
} from '../../shared/domain/index-file.ts';
import { blocksOf, readBlocks, readRanges, renderBlocks } from '../../shared/domain/range-blocks.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { spliceIndex } from '../../shared/domain/splice-index.ts';
import { parseChartVersion } from '../../shared/domain/version.ts';
import { yamlSafeJson } from '../../shared/domain/yaml-safe-json.ts';

const json: IndexSettings = { format: 'json', chartUrl: '', contextPath: '' };
const yaml: IndexSettings = { ...json, format: 'yaml' };
const root = parseRepository([]);
const GENERATED = '2026-01-02T03:04:05Z';

type Shape = { name: string; version: string; description: string; createdMs: number };

function liveVersion({ name, version, description, createdMs }: Shape): LiveVersion {
  return {
    name: parseChartName(name),
    version: parseChartVersion(version),
    entry: yamlSafeJson({ name, version, description, apiVersion: 'v2' }),
    digest: digestOf(Buffer.from(`${name} ${version} ${description}`)),
    created: new Date(createdMs).toISOString(),
  };
}

/** A repository's state: chart name -> its live versions. */
type State = Map<ChartName, LiveVersion[]>;

function stateOf(shapes: readonly Shape[]): State {
  const state: State = new Map();
  for (const live of shapes.map(liveVersion)) {
    const others = (state.get(live.name) ?? []).filter(({ version }) => version !== live.version);
    state.set(live.name, [...others, live]);
  }
  return state;
}

function fragmentsOf(state: State, settings: IndexSettings, newest = 0): Fragment[] {
  return [...state].flatMap(([name, live]) => renderFragment(name, live, settings, root, { newest }) ?? []);
}

const rebuild = (state: State, settings: IndexSettings, generated = GENERATED, newest = 0) =>
  renderIndex(fragmentsOf(state, settings, newest), generated, settings);

/** The spliced index, resolved from the bytes of the one before. */
function splice(
  { bytes, ranges: before }: IndexFile,
  changes: ReadonlyMap<ChartName, Fragment | undefined>,
  settings: IndexSettings,
): IndexFile {
  const blocks = readBlocks(renderBlocks(blocksOf(before))) ?? [];
  const { pieces, blocks: after } = spliceIndex(blocks, changes, GENERATED, settings);
  const ranges = readRanges(renderBlocks(after)) ?? [];
  const parts = pieces.map((piece) =>
    isNew(piece) ? piece : bytes.subarray(piece.offset, piece.offset + piece.sizeBytes),
  );
  return { bytes: Buffer.concat(parts), ranges };
}

const anyShape = fc.record({
  name: fc.constantFrom('a', 'a-b', 'a.b', 'B', 'b', '__proto__', 'constructor', 'zz', '0'),
  version: fc.constantFrom('1.0.0', '1.0.0+a', '1.0.0+b', '1.0.1-rc.1', '2.0.0', 'v3.0.0', '10.0.0', '1.2'),
  // What YAML does not take raw is escaped in entries.
  description: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('\u007f\u0085\u2028\ufeff')),
  createdMs: fc.integer({ min: 0, max: 1_800_000_000_000 }),
});

describe.each([
  { format: 'JSON', settings: json },
  { format: 'JSON with a context path', settings: { ...json, contextPath: '/x' } },
  { format: 'block YAML', settings: yaml },
])('an index in $format', ({ settings }) => {
  it('is the same bytes whether it was spliced from any earlier state or rebuilt, however much it lists', () => {
    fc.assert(
      fc.property(fc.array(anyShape), fc.array(anyShape), fc.nat(3), (before, after, newest) => {
        const old = stateOf(before);
        const now = stateOf(after);
        const changed = new Set([...old.keys(), ...now.keys()]);
        const options = { newest };
        const changes = new Map(
          [...changed].map((name) => [
            name,
            renderFragment(name, now.get(name) ?? [], settings, root, options),
          ]),
        );
        const spliced = splice(rebuild(old, settings, 'earlier', newest), changes, settings);
        expect(spliced).toEqual(rebuild(now, settings, GENERATED, newest));
      }),
    );
  });

  it('lists the newest of each chart where it is to list no more, and counts all', () => {
    fc.assert(
      fc.property(fc.array(anyShape), fc.integer({ min: 1, max: 4 }), (shapes, newest) => {
        const state = stateOf(shapes);
        const { bytes, ranges } = rebuild(state, settings, GENERATED, newest);
        const listed = new Map(
          [...state].map(([name, live]) => [name, live.toSorted(newestFirst).slice(0, newest)]),
        );
        // As an index of those alone.
        expect(Buffer.from(bytes).toString()).toBe(Buffer.from(rebuild(listed, settings).bytes).toString());
        expect(countVersions(ranges)).toBe([...state.values()].flat().length);
        expect(readRanges(renderBlocks(blocksOf(ranges)))).toEqual(ranges);
      }),
    );
  });

  it('keeps the charts that did not change, byte for byte', () => {
    fc.assert(
      fc.property(fc.array(anyShape), anyShape, (before, published) => {
        const old = stateOf(before);
        const now = stateOf([...before, published]);
        const name = parseChartName(published.name);
        const fragment = renderFragment(name, now.get(name) ?? [], settings, root);
        const spliced = splice(rebuild(old, settings), new Map([[name, fragment]]), settings);
        expect(spliced).toEqual(rebuild(now, settings));
      }),
    );
  });

  it('has no new bytes but those of the changed charts and what stands around them', () => {
    fc.assert(
      fc.property(fc.array(anyShape), anyShape, (before, published) => {
        const old = stateOf(before);
        const name = parseChartName(published.name);
        const now = stateOf([...before, published]);
        const fragment = renderFragment(name, now.get(name) ?? [], settings, root);
        const { pieces } = spliceIndex(
          blocksOf(rebuild(old, settings).ranges),
          new Map([[name, fragment]]),
          GENERATED,
          settings,
        );
        const sizeBytes = pieces.filter(isNew).reduce((sum, { length }) => sum + length, 0);
        const empty = rebuild(new Map(), settings).bytes.length;
        expect(sizeBytes).toBeLessThanOrEqual((fragment?.bytes.length ?? 0) + empty + 2);
        expect(pieces.length - pieces.filter(isNew).length).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('is the same bytes where its charts come one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyShape), async (shapes) => {
        const state = stateOf(shapes);
        const sorted = fragmentsOf(state, settings).sort((a, b) => compareText(a.name, b.name));
        const ranges: Ranges[number][] = [];
        const pieces = indexPieces(Readable.from(sorted), ranges, () => GENERATED, settings);
        expect({ bytes: Buffer.concat(await collect(pieces)), ranges }).toEqual(rebuild(state, settings));
      }),
    );
  });

  it('does not depend on the order in which charts and versions come', () => {
    fc.assert(
      fc.property(fc.array(anyShape), (shapes) => {
        const state = stateOf(shapes);
        const reversed: State = new Map(
          [...state].reverse().map(([name, live]) => [name, live.toReversed()]),
        );
        expect(rebuild(reversed, settings)).toEqual(rebuild(state, settings));
      }),
    );
  });

  it('reads back as YAML with every version once', () => {
    fc.assert(
      fc.property(fc.array(anyShape), (shapes) => {
        const state = stateOf(shapes);
        const { bytes, ranges } = rebuild(state, settings);
        const index = load(bytes.toString()) as { entries: Record<string, { version: string }[]> };
        const listed = Object.getOwnPropertyNames(index.entries).map((name) => [
          name,
          Object.getOwnPropertyDescriptor(index.entries, name)?.value.length,
        ]);
        expect(new Map(listed as [string, number][])).toEqual(
          new Map([...state].map(([name, live]) => [name, live.length])),
        );
        expect(readRanges(renderBlocks(blocksOf(ranges)))).toEqual(ranges);
      }),
    );
  });
});

/** The list of the charts from one place to before another, out of the versions alone. */
function listOf(state: State, from: number, to: number, settings: IndexSettings): string {
  const charts = [...state].sort(([a], [b]) => compareText(a, b)).slice(from, to);
  const members = charts.map(([name, live]) => {
    const entries = live.toSorted(newestFirst).map((version) => renderEntry(version, settings, root));
    return `${JSON.stringify(name)}:[${entries.join(',')}]`;
  });
  return `{${members.join(',')}}`;
}

describe.each([
  { format: 'JSON', settings: json },
  { format: 'block YAML', settings: { ...yaml, chartUrl: 'https://example.com' } },
])('a list out of an index in $format', ({ settings }) => {
  it('has the entries of any stretch of charts, byte for byte, from the bytes of the stretch alone', () => {
    const place = fc.nat({ max: 10 });
    fc.assert(
      fc.property(fc.array(anyShape), place, place, (shapes, from, to) => {
        const state = stateOf(shapes);
        const { bytes, ranges } = rebuild(state, settings);
        const stretch = stretchOf(ranges, from, to, settings.format);
        const part = bytes.subarray(stretch.offset, stretch.offset + stretch.sizeBytes);
        const list = renderList(stretch, part, settings.format).toString();
        expect(list).toBe(listOf(state, from, to, settings));
      }),
    );
  });
});

describe('an index', () => {
  it('is JSON, one version a line', () => {
    const state = stateOf([
      { name: 'redis', version: '1.0.0', description: 'old', createdMs: 0 },
      { name: 'redis', version: '1.10.0', description: 'new', createdMs: 1 },
      { name: 'nginx', version: '2.0.0+b', description: 'web', createdMs: 2 },
    ]);
    const [nginx] = state.get(parseChartName('nginx')) ?? [];
    const { bytes } = rebuild(state, { ...json, contextPath: '/helm' });
    const lines = bytes.toString().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[2]).toBe(
      `{"name":"nginx","version":"2.0.0+b","description":"web","apiVersion":"v2","urls":["charts/nginx-2.0.0+b.tgz"],"created":"1970-01-01T00:00:00.002Z","digest":"${nginx?.digest}"}`,
    );
    expect(lines.at(-2)).toBe(`},"generated":"${GENERATED}","serverInfo":{"contextPath":"/helm"}}`);
  });

  it('orders versions as Helm does, newest first, and equal ones by their creation', () => {
    const versions = ['1.0.0', '1.0.0+a', '1.0.0+b', '2.0.0-alpha', 'v3.0.0', '9.0.0', '10.0.0'];
    const state = stateOf(
      versions.map((version, n) => ({ name: 'a', version, description: '', createdMs: n % 2 })),
    );
    const index = JSON.parse(rebuild(state, json).bytes.toString());
    expect(index.entries.a.map(({ version }: { version: string }) => version)).toEqual([
      '10.0.0',
      '9.0.0',
      'v3.0.0',
      '2.0.0-alpha',
      '1.0.0+a',
      '1.0.0',
      '1.0.0+b',
    ]);
  });

  it.each([
    { why: 'relative by default', settings: json, path: ['org'], url: 'charts/a-1.0.0.tgz' },
    {
      why: 'below the chart URL',
      settings: { ...json, chartUrl: 'https://example.com/', contextPath: '/x' },
      path: ['org', 'team'],
      url: 'https://example.com/x/org/team/charts/a-1.0.0.tgz',
    },
    {
      why: 'below the chart URL for the root repository',
      settings: { ...json, chartUrl: 'https://example.com' },
      path: [],
      url: 'https://example.com/charts/a-1.0.0.tgz',
    },
  ])('has URLs $why', ({ settings, path, url }) => {
    const live = liveVersion({ name: 'a', version: '1.0.0', description: '', createdMs: 0 });
    const fragment = renderFragment(live.name, [live], settings, parseRepository(path));
    expect(Buffer.from(fragment?.bytes ?? []).toString()).toContain(`"urls":["${url}"]`);
  });

  it('quotes every string in block YAML, so that no reader takes text for a number', () => {
    const live = liveVersion({ name: 'yes', version: '1.2', description: '0o17', createdMs: 0 });
    const { bytes } = renderIndex(
      [renderFragment(live.name, [live], yaml, root) ?? []].flat(),
      GENERATED,
      yaml,
    );
    expect(Buffer.from(bytes).toString()).toContain(
      '  "yes":\n  - name: "yes"\n    version: "1.2"\n    description: "0o17"\n',
    );
  });
});
