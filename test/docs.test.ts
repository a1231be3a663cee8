import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { internalError } from '../shared/edge/response.ts';
import { metrics } from '../shared/metrics.ts';
import { routes } from '../shared/routes.ts';
import { headings } from './headings.ts';
import { routeTable } from './route-table.ts';

const root = path.join(import.meta.dirname, '..');
const read = (file: string) => readFile(path.join(root, file), 'utf8');
const readme = await read('README.md');

/** The first cells of a Markdown table, found by its heading row, as the names in backquotes. */
function firstCells(text: string, heading: string): string[] {
  const table = text.slice(text.indexOf(`\n| ${heading} |`)).split('\n\n')[0] ?? '';
  const cells = table.split('\n').map((row) => row.split('|')[1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

describe('docs/api.md', () => {
  it('names every route and no other', async () => {
    const answered = routes.map(({ method, path, permission }) => `${method} ${path} ${permission}`);
    const documented = (await routeTable()).flatMap(({ methods, templates, permission }) =>
      methods.flatMap((method) => templates.map((template) => `${method} ${template} ${permission}`)),
    );
    expect(documented.toSorted()).toEqual(answered.toSorted());
  });
});

describe('README.md', () => {
  it('names every option of npm start and no other', async () => {
    const usage = await read('local/main.ts');
    const options = [...usage.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option);
    const named = firstCells(readme, 'option').map((option) => option.split(' ')[0]);
    expect(named.toSorted()).toEqual(options.toSorted());
  });

  it('names every setting and no other', async () => {
    const { context } = JSON.parse(await read('cdk.json')) as { context: { chartroom: object } };
    expect(firstCells(readme, 'setting').toSorted()).toEqual(Object.keys(context.chartroom).toSorted());
  });

  it('names every output of a deployment and no other', async () => {
    const template = path.join(inject('assemblies').closed, 'Chartroom.template.json');
    const { Outputs } = JSON.parse(await readFile(template, 'utf8')) as { Outputs: object };
    expect(firstCells(readme, 'output').toSorted()).toEqual(Object.keys(Outputs).toSorted());
  });
});

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'docs/api.md',
  'docs/architecture.md',
  'docs/deploying.md',
  'docs/from-chartmuseum.md',
  'docs/leaving.md',
  'docs/operations.md',
  'docs/reliability.md',
  'docs/runbook.md',
  'docs/scaling.md',
  'docs/security.md',
  'docs/testing.md',
  'docs/tokens.md',
];
const decisions = (await readdir(path.join(root, 'docs/decisions'))).map((file) => `docs/decisions/${file}`);

it('docs/operations.md names every metric and no other, with its unit', async () => {
  const rows = (await read('docs/operations.md')).matchAll(/^\| (`\w+`(?:, `\w+`)*) \| (\w+) \|/gm);
  const named = [...rows].flatMap(([, names = '', unit]) =>
    [...names.matchAll(/\w+/g)].map(([name]) => `${name} ${unit}`),
  );
  const written = Object.entries(metrics).map(([name, unit]) => `${name} ${unit.toLowerCase()}`);
  expect(named.toSorted()).toEqual(written.toSorted());
});

it('docs/runbook.md knows a 500 by the words that clients see', async () => {
  const { error } = JSON.parse(String(internalError('…').body)) as { error: string };
  expect(await read('docs/runbook.md')).toContain(`| 500 "${error}" |`);
});

it('docs/runbook.md has something on every finding', async () => {
  const [runbook, source] = [await read('docs/runbook.md'), await read('shared/findings.ts')];
  const kinds = [...source.matchAll(/kind: ('[^;]*');/g)].flatMap(([, names = '']) =>
    [...names.matchAll(/'(\w+)'/g)].map(([, name]) => name),
  );
  expect(kinds.length).toBeGreaterThan(10);
  for (const kind of kinds) expect(runbook).toContain(`\`${kind}\``);
});

describe.each([...documents, ...decisions])('%s', (document) => {
  it('links to what is there', async () => {
    const text = await read(document);
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    for (const link of links.filter((each) => !each.startsWith('https://'))) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? document : path.join(path.dirname(document), file);
      if (anchor === undefined) {
        // A directory is a target too.
        await expect(
          readFile(path.join(root, target)).catch(({ code }) => code),
          link,
        ).resolves.not.toBe('ENOENT');
      } else {
        expect(headings(await read(target)), link).toContain(anchor);
      }
    }
  });
});
