import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { ChartName } from '../../shared/domain/chart-name.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import type { IndexSettings, LiveVersion } from '../../shared/domain/entry.ts';
import { type IndexFile, readNewest, renderFragment, renderIndex } from '../../shared/domain/index-file.ts';
import {
  byProject,
  copyPiece,
  frameMerged,
  type MergedPart,
  mergedDigest,
  planMerge,
} from '../../shared/domain/merged-index.ts';
import { parseRepository, type Repository } from '../../shared/domain/repository.ts';
import type { ChartVersion } from '../../shared/domain/version.ts';
import { yamlSafeJson } from '../../shared/domain/yaml-safe-json.ts';
import { names, versions } from './arbitraries.ts';

const json: IndexSettings = { format: 'json', chartUrl: '', contextPath: '' };

type Part = MergedPart & IndexFile;
type Entry = { readonly name: string; readonly urls: readonly string[] };
type Index = { entries: Record<string, Entry[]>; generated: string; serverInfo: unknown };

/** Texts that look like what the merge looks for, and what YAML or JSON writes in another way. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '"urls":["charts/',
    '"urls":["',
    '\n    urls:\n      - "charts/x',
    'a\n  - b',
    ',\n"b":[',
    '],\n',
    '\u0085\u2028\ufeff',
    "it's: #\t",
  ),
);

const shapes = fc.array(
  fc.record({
    name: fc.oneof(names, fc.constantFrom('__proto__', 'constructor', 'urls', 'entries')),
    version: versions,
    description: texts,
    // Where a chart's author may write what they like.
    annotations: fc.dictionary(texts, texts),
    dependencies: fc.constantFrom([], [{ urls: ['charts/x'] }], { urls: ['charts/y'] }),
    createdMs: fc.integer({ min: 0, max: 1_800_000_000_000 }),
  }),
);

const projects = fc
  .uniqueArray(fc.constantFrom('a', 'a-b', 'a.b', 'a0', 'B', 'b', 'library', '__proto__x', '0'), {
    maxLength: 5,
  })
  .map((all) => all.filter((name) => /^[A-Za-z0-9]/.test(name)).map((name) => parseRepository([name])));

const instants = fc
  .integer({ min: 0, max: 2_000_000_000 })
  .map((seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`);

const anyParts = projects.chain((all) =>
  fc.tuple(
    ...all.map((project) => fc.record({ project: fc.constant(project), shapes, generated: instants })),
  ),
);

type Shape = {
  readonly project: Repository;
  readonly shapes: readonly Version[];
  readonly generated: string;
};
type Version = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly annotations: object;
  readonly dependencies: object;
  readonly createdMs: number;
};

function aPart({ project, shapes: all, generated }: Shape, settings: IndexSettings): Part {
  const charts = new Map<LiveVersion['name'], Map<string, LiveVersion>>();
  for (const { createdMs, ...entry } of all) {
    const live = {
      name: entry.name as ChartName,
      version: entry.version as ChartVersion,
      entry: yamlSafeJson({ ...entry, apiVersion: 'v2' }),
      digest: digestOf(Buffer.from(entry.description)),
      created: new Date(createdMs).toISOString(),
    };
    charts.set(live.name, (charts.get(live.name) ?? new Map()).set(live.version, live));
  }
  const fragments = [...charts].flatMap(
    ([name, live]) => renderFragment(name, [...live.values()], settings, project) ?? [],
  );
  const index = renderIndex(fragments, generated, settings);
  return { project, ...index, sizeBytes: index.bytes.length };
}

/** The merged index as it is made by the functions, out of ranges and stretches alone. */
function merge(parts: readonly Part[], settings: IndexSettings, pieceBytes: number): string | undefined {
  const ordered = parts.toSorted((a, b) => byProject(a.project, b.project));
  const plan = planMerge(ordered, settings, pieceBytes);
  const merged = Buffer.alloc(plan.sizeBytes, '?');
  const generated: string[] = [];
  // Pieces arrive in any order.
  for (const piece of plan.pieces.toReversed()) {
    const { offset, sizeBytes } = piece.source;
    const copied = copyPiece(piece, piece.part.bytes.subarray(offset, offset + sizeBytes), merged, settings);
    if (copied === undefined) return undefined;
    if (copied.generated !== undefined) generated.push(copied.generated);
  }
  frameMerged(plan, generated, merged, settings);
  return merged.toString();
}

const own = (record: object): [string, Entry[]][] =>
  Object.getOwnPropertyNames(record).map((key) => [
    key,
    Object.getOwnPropertyDescriptor(record, key)?.value as Entry[],
  ]);

/** The merged index out of the parsed parts: the oracle. */
function expected(parts: readonly Part[], { chartUrl }: IndexSettings): [string, Entry[]][] {
  const all = parts.flatMap(({ project, bytes }) =>
    own((load(bytes.toString()) as Index).entries).map(([chart, entries]): [string, Entry[]] => [
      `${project}/${chart}`,
      entries.map((entry) => ({
        ...entry,
        urls: entry.urls.map((url) => (chartUrl === '' ? `${project}/${url}` : url)),
      })),
    ]),
  );
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}

describe.each([
  { format: 'JSON', settings: json },
  { format: 'JSON with absolute addresses', settings: { ...json, chartUrl: 'https://example.org/x' } },
  { format: 'block YAML', settings: { ...json, format: 'yaml', contextPath: '/y' } as const },
  {
    format: 'block YAML with absolute addresses',
    settings: { ...json, format: 'yaml', chartUrl: 'https://e' } as const,
  },
])('a merged index in $format', ({ settings }) => {
  const pieces = fc.constantFrom(1, 300, 2000, 1_000_000);

  it('is what the parsed parts give together, whatever is in them and however they are cut', () => {
    fc.assert(
      fc.property(anyParts, pieces, (all, pieceBytes) => {
        const parts = all.map((shape) => aPart(shape, settings));
        const text = merge(parts, settings, pieceBytes) ?? '';
        const merged = (settings.format === 'json' ? JSON.parse(text) : load(text)) as Index;
        // No key of it looks like a number, so they are parsed in the order of the text.
        expect(own(merged.entries)).toEqual(expected(parts, settings));
        const newest = all.map(({ generated }) => generated).toSorted();
        expect(merged.generated).toBe(newest.at(-1) ?? '1970-01-01T00:00:00Z');
        expect(merged.serverInfo).toEqual(settings.contextPath === '' ? {} : { contextPath: '/y' });
      }),
    );
  });

  it('is a valid index without entries where there is no project', () => {
    expect(load(merge([], settings, 1) ?? '')).toMatchObject({ apiVersion: 'v1', entries: {} });
  });

  it('has one version a line, as the index has', () => {
    fc.assert(
      fc.property(anyParts, (all) => {
        const parts = all.map((shape) => aPart(shape, settings));
        const versionLines = (text: string | undefined) =>
          (text ?? '').split('\n').filter((line) => /^( {2}- |\{"name")/.test(line)).length;
        const ofParts = parts.map(({ bytes }) => versionLines(bytes.toString()));
        expect(versionLines(merge(parts, settings, 1000))).toBe(
          ofParts.reduce((sum, count) => sum + count, 0),
        );
      }),
    );
  });

  it('is not made of bytes that are not what the ranges say', () => {
    const shape = {
      name: 'redis',
      version: '1.0.0',
      description: '',
      annotations: {},
      dependencies: [],
      createdMs: 0,
    };
    const part = aPart(
      { project: parseRepository(['p']), shapes: [shape], generated: 'x'.repeat(20) },
      settings,
    );
    const broken = (change: (text: string) => string) =>
      merge([{ ...part, bytes: Buffer.from(change(part.bytes.toString())) }], settings, 1000);
    expect(broken((text) => text)).toContain('p/redis');
    expect(broken((text) => text.replace('redis', 'other'))).toBeUndefined();
    expect(broken((text) => text.slice(0, 40))).toBeUndefined();
    expect(broken((text) => text.replace('generated', 'somewhere'))).toBeUndefined();
  });
});

describe.each([json, { ...json, format: 'yaml' } as const])('the newest versions of an index', (settings) => {
  it('are the first that it lists of each chart', () => {
    fc.assert(
      fc.property(shapes, (all) => {
        const part = aPart(
          { project: parseRepository(['p']), shapes: all, generated: 'x'.repeat(20) },
          settings,
        );
        const [piece] = planMerge([part], settings, 1_000_000).pieces;
        const bytes = part.bytes.subarray(piece?.source.offset);
        const newest = readNewest({ charts: part.ranges }, bytes, settings.format) ?? [];
        const listed = own((load(part.bytes.toString()) as Index).entries);
        expect(newest.map(({ name, newest: version }) => [name, version])).toEqual(
          listed.map(([name, [first]]) => [name, first]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
        );
      }),
    );
  });
});

describe('the digest of a merged index', () => {
  const states = [
    { project: parseRepository(['a']), state: '1-x' },
    { project: parseRepository(['b']), state: '2-y' },
  ];

  it('is the same for the same states and settings, and another for each other one', () => {
    const digests = [
      mergedDigest(states, json),
      mergedDigest(states.slice(1), json),
      mergedDigest(states.toReversed(), json),
      mergedDigest(
        states.map((each) => ({ ...each, state: '1-x' })),
        json,
      ),
      mergedDigest(states, { ...json, format: 'yaml' }),
      mergedDigest(states, { ...json, chartUrl: 'https://e' }),
      mergedDigest(states, { ...json, contextPath: '/x' }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    expect(mergedDigest([...states], { ...json })).toBe(digests[0]);
  });
});
