import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { endpoints, type Route, routes } from '../shared/routes.ts';
import { routeTable } from './route-table.ts';

type Operation = {
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, unknown>>;
};
type Parameter = { readonly $ref?: string; readonly name?: string; readonly in?: string };
type PathItem = Readonly<Record<string, Operation>> & { readonly parameters?: readonly Parameter[] };
type Document = {
  readonly 'x-operations': Readonly<Record<string, Operation>>;
  readonly paths: Readonly<Record<string, PathItem>>;
};

const file = path.join(import.meta.dirname, '../docs/openapi.yaml');
const document = load(await readFile(file, 'utf8')) as Document;
const operations = document['x-operations'];

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'];

const documented = Object.entries(document.paths).flatMap(([template, item]) =>
  METHODS.flatMap((method) => {
    const operation = item[method];
    return operation === undefined ? [] : [{ method: method.toUpperCase(), template, item, operation }];
  }),
);

const nameOf = ({ $ref, name }: Parameter) => name ?? $ref?.split('/').at(-1) ?? '';
const inPath = (parameters: readonly Parameter[] = []) =>
  parameters
    .filter((parameter) => parameter.in !== 'query')
    .map(nameOf)
    .filter((name) => /^(segment\d|name|version|file|id|account|project|member)$/.test(name));

describe('docs/openapi.yaml', () => {
  it('is OpenAPI', async () => {
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  });

  it('has every route with its endpoint, and no other', () => {
    const idOf = new Map(Object.entries(operations).map(([id, operation]) => [operation, id]));
    const described = documented.map(
      ({ method, template, operation }) => `${method} ${template} ${idOf.get(operation)}`,
    );
    const answered = routes.map(({ method, path, handler }: Route) => `${method} ${path} ${handler}`);
    expect(described.toSorted()).toEqual(answered.toSorted());
  });

  it.each(documented)('names the parameters of $method $template', ({ template, item, operation }) => {
    const wanted = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect([...inPath(item.parameters), ...inPath(operation.parameters)]).toEqual(wanted);
  });

  it.each(Object.entries(endpoints))('asks of %s for its permission', (id, { permission }) => {
    expect(operations[id]?.security).toEqual(
      permission === 'none' ? [] : [{ basic: [permission] }, { bearer: [permission] }],
    );
  });

  it.each(Object.entries(endpoints))('has the statuses of %s that docs/api.md has', async (id, { paths }) => {
    const row = (await routeTable()).find(
      ({ methods, templates }) =>
        methods.join() === endpoints[id as keyof typeof endpoints].methods.join() &&
        templates.includes(paths[0]),
    );
    expect(Object.keys(operations[id]?.responses ?? {})).toEqual(row?.statuses);
  });
});
