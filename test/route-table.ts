import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** A row of the table of routes in docs/api.md. */
export type DocumentedRoute = {
  readonly methods: readonly string[];
  /** At every depth, in the notation of shared/routes.ts. */
  readonly templates: readonly string[];
  readonly permission: string;
  /** Of success and failures, ascending. */
  readonly statuses: readonly string[];
};

/** Reads the table of routes in docs/api.md. */
export async function routeTable(): Promise<DocumentedRoute[]> {
  const api = await readFile(path.join(import.meta.dirname, '../docs/api.md'), 'utf8');
  const [table = ''] = /\| method \| path[\s\S]*?\n\n/.exec(api) ?? [];
  const rows = table.matchAll(/^\| ([A-Z, ]+) \| (.+?) \| (\w+) \| (.*) \|$/gm);
  return Array.from(rows, ([, methods = '', paths = '', permission = '', answers = '']) => ({
    methods: methods.split(', '),
    templates: [...paths.matchAll(/`([^`]+)`/g)].flatMap(([, template = '']) => everyDepth(template)),
    permission,
    statuses: [...new Set(Array.from(answers.matchAll(/\b[2-5]\d\d\b/g), ([status]) => status))].toSorted(),
  }));
}

function everyDepth(template: string): string[] {
  if (!template.includes('{repository}')) return [template];
  const segments = ['/{segment1}', '/{segment2}', '/{segment3}'];
  return [0, 1, 2, 3].map((depth) => template.replace('{repository}', segments.slice(0, depth).join('')));
}
