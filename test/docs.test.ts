import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { routes } from '../shared/routes.ts';

const api = await readFile(path.join(import.meta.dirname, '../docs/api.md'), 'utf8');

/** The rows of the table of routes: `GET, HEAD | /a and /b | permission`, one `method path permission` each. */
function documented(): Set<string> {
  const [table = ''] = /\| method \| path[\s\S]*?\n\n/.exec(api) ?? [];
  const rows = [...table.matchAll(/^\| ([A-Z, ]+) \| (.+?) \| (\w+) \|/gm)];
  const all = rows.flatMap(([, methods = '', paths = '', permission = '']) =>
    methods
      .split(', ')
      .flatMap((method) =>
        [...paths.matchAll(/`([^`]+)`/g)].flatMap(([, template = '']) =>
          everyDepth(template).map((each) => `${method} ${each} ${permission}`),
        ),
      ),
  );
  return new Set(all);
}

function everyDepth(template: string): string[] {
  if (!template.includes('{repository}')) return [template];
  const segments = ['/{segment1}', '/{segment2}', '/{segment3}'];
  return [0, 1, 2, 3].map((depth) => template.replace('{repository}', segments.slice(0, depth).join('')));
}

it('docs/api.md names every route and no other', () => {
  const answered = new Set(routes.map(({ method, path, permission }) => `${method} ${path} ${permission}`));
  expect(documented()).toEqual(answered);
});
