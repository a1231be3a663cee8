import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chartTgz } from '../domain/tar.ts';
import { expectPublishedOrRefused } from './expectations.ts';
import { mutations } from './mutations.ts';
import { runs } from './runs.ts';

const HEAD = 'apiVersion: v2\nname: demo\nversion: 1.2.3\n';
const upload = (body: Uint8Array) => expectPublishedOrRefused('/api/charts', { body });

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom(
    '\u0085',
    '\u2028',
    '\ufeff',
    '\ufffe',
    '\x7f',
    '\x00',
    '\x1b',
    '\u200b',
    '😀',
    '\u{10ffff}',
    '\t',
  ),
);
const plain = fc.oneof(
  fc.constantFrom(
    '~',
    'null',
    'yes',
    'off',
    'y',
    '0x1F',
    '0b-1',
    '0o17',
    '017',
    '1_000',
    '.5',
    '.1_1',
    '1e400',
  ),
  fc.constantFrom(
    '.inf',
    '-.INF',
    '.nan',
    '12345678901234567890',
    '-9223372036854775809',
    '1:30',
    '2026-01-02',
    '<<',
  ),
  fc.constantFrom(
    '',
    '-',
    '?',
    ':',
    '%',
    '@',
    '`',
    '#',
    '!',
    '&',
    '*',
    '|',
    '>',
    '---',
    '...',
    '%YAML 1.1',
    '=',
    '"',
  ),
  fc.constantFrom(
    'demo',
    '1.2.3',
    '1.20',
    'v1',
    'application',
    'library',
    'https://x.example/?a=b#c',
    '__proto__',
  ),
  odd,
);
const escapes = fc.constantFrom(
  '\\u2028',
  '\\x7f',
  '\\0',
  '\\U0001F600',
  '\\ud83d',
  '\\ufeff',
  '\\N',
  '\\_',
  '\\/',
  '\\q',
  '\\\n',
);
const quoted = fc.oneof(
  fc.array(fc.oneof(escapes, odd), { maxLength: 4 }).map((parts) => `"${parts.join('')}"`),
  odd.map((text) => `'${text}'`),
  odd.map((text) => JSON.stringify(text)),
);
const block = fc
  .tuple(fc.constantFrom('|', '>', '|-', '>+', '|2', '|9', '>-1'), fc.array(odd, { maxLength: 3 }))
  .map(([style, lines]) => `${style}\n${lines.map((line) => `      ${line}`).join('\n')}\n`);

const anchors = fc.constantFrom('a', 'b', 'é');
const properties = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: anchors.map((name) => `&${name} `) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '!!str ',
      '!!int ',
      '!!float ',
      '!!bool ',
      '!!null ',
      '!!binary ',
      '!!timestamp ',
      '! ',
      '!x ',
      '!<tag:yaml.org,2002:str> ',
      '!!map ',
      '!!set ',
      '!e!x ',
    ),
  },
);
const fields = fc.constantFrom(
  'name',
  'version',
  'apiVersion',
  'type',
  'description',
  'keywords',
  'sources',
  'home',
  'icon',
  'maintainers',
  'dependencies',
  'annotations',
  'deprecated',
  'tags',
  'condition',
  'appVersion',
  'kubeVersion',
  'Name',
  'VERSION',
  'alias',
  'email',
  'repository',
  'import-values',
  'enabled',
  '\u212aeywords',
);

// Flow style, so that one text fits into another anywhere.
const { node } = fc.letrec<{ node: string; list: string; map: string }>((tie) => ({
  node: fc
    .tuple(
      properties,
      fc.oneof(
        { maxDepth: 5, depthSize: 'small' },
        fc.oneof(
          { weight: 6, arbitrary: plain },
          { weight: 4, arbitrary: quoted },
          { weight: 1, arbitrary: anchors.map((name) => `*${name} `) },
        ),
        tie('list'),
        tie('map'),
      ),
    )
    .map((parts) => parts.join('')),
  list: fc.array(tie('node'), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`),
  map: fc
    .array(fc.tuple(fc.oneof(fields, fc.constant('<<'), tie('node')), tie('node')), { maxLength: 4 })
    .map((pairs) => `{${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')}}`),
}));

const line = fc
  .tuple(fc.oneof({ weight: 5, arbitrary: fields }, node), fc.oneof({ weight: 4, arbitrary: node }, block))
  .map(([key, value]) => `${key}: ${value}\n`);
const document = fc
  .tuple(
    fc.constantFrom(
      '',
      '\ufeff',
      '---\n',
      '%YAML 1.1\n---\n',
      '%YAML 1.2\n---\n',
      '%TAG !e! tag:e.org:\n---\n',
      '# x\n',
    ),
    fc.array(line, { maxLength: 4 }),
    fc.constantFrom('', HEAD),
    fc.constantFrom('', '---\nname: other\n', '...\n', '...\n[', '\0'),
  )
  .map((parts) => parts.flat().join(''));

/** Where a text that repeats itself can stand. */
const places: readonly ((text: string) => string)[] = [
  (text) => `description: ${text}`,
  (text) => `description: "${text}"`,
  (text) => `description: |\n  ${text}`,
  (text) => `? ${text}\n: x`,
  (text) => `"${text}": x`,
  (text) => `annotations: {a: ${text}}`,
  (text) => `keywords: [${text}]`,
  (text) => `dependencies: [{name: ${text}}]`,
  (text) => `description: !!binary ${text}`,
  (text) => `description: !${text} x`,
  (text) => `description: &${text} x`,
  (text) => `description: *${text}`,
  (text) => `appVersion: ${text}`,
  (text) => `version: 1.2.3-${text}`,
  (text) => `name: ${text}`,
  (text) => `# ${text}`,
  (text) => text,
];
const unit = fc.oneof(
  fc.constantFrom(
    'a',
    '1',
    '9',
    '.1',
    '_1',
    'a.',
    '-',
    '- ',
    '[',
    '{',
    '{a: ',
    '? ',
    ': ',
    '! ',
    '&a ',
    '*a',
    'QUFB',
  ),
  fc.constantFrom(
    ' ',
    '\t',
    '\n',
    '\n ',
    '\r',
    '"',
    "''",
    '\\',
    '\\n',
    '#',
    ' #',
    ',',
    'a,',
    '&a [*a],',
    '0x',
    '1e',
    'é',
    '😀',
  ),
  fc.string({ minLength: 1, maxLength: 3 }),
);
const repeated = fc
  .tuple(
    fc.constantFrom('', '.', '0x', '0b', '1.', '"'),
    unit,
    fc.integer({ min: 1, max: 200_000 }),
    fc.constantFrom('', 'x', '!'),
  )
  .map(([before, text, count, after]) => `${before}${text.repeat(count / text.length)}${after}`);

describe('whatever Chart.yaml says, the chart is published or refused', () => {
  it('when it is YAML of every kind', async () => {
    const statuses = new Set<number | undefined>();
    const property = fc.asyncProperty(document, async (text) => {
      statuses.add(await upload(chartTgz(text)));
    });
    await fc.assert(property, runs(800));
    expect([...statuses]).toEqual(expect.arrayContaining([201, 400]));
  });

  it('when values.yaml and the locks are YAML of every kind', async () => {
    const names = fc.constantFrom('values.yaml', 'Chart.lock', 'requirements.yaml', 'requirements.lock');
    const property = fc.asyncProperty(names, document, async (name, text) => {
      await upload(chartTgz(HEAD, { [name]: text }));
    });
    await fc.assert(property, runs(400));
  });

  it('when bytes of it are changed', async () => {
    const property = fc.asyncProperty(document, mutations, async (text, mutate) => {
      await upload(chartTgz(mutate(Buffer.from(HEAD + text))));
    });
    await fc.assert(property, runs(300));
  });

  it('when a part of it is huge', async () => {
    const property = fc.asyncProperty(repeated, fc.constantFrom(...places), async (text, place) => {
      const yaml = `${HEAD}${place(text)}\n`;
      await upload(chartTgz(yaml));
      await upload(chartTgz(HEAD, { 'values.yaml': `${place(text)}\n` }));
    });
    await fc.assert(property, runs(60));
  });
});
