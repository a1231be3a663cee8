import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, send } from './http.ts';
import type { Answer, Exchange, Row, Setup } from './row.ts';
import { type Server, startChartMuseum, startChartroom } from './servers.ts';
import { tables } from './table.ts';

const binary = process.env['CHARTMUSEUM'];

/** The table takes minutes of two cores: CI holds Chartroom to it. */
const isAsked = process.env['PARITY'] === 'whole';

const repositories = (tenant: string) => ['', tenant, `${tenant}/team`, `${tenant}/team/repo`] as const;

/** Empties the root repository, which all rows share. What may not be deleted stays. */
async function clear(origin: string): Promise<void> {
  const list = await send(origin, { method: 'GET', path: '/api/charts' }, '');
  if (list.status !== 200) return;
  const charts = JSON.parse(list.body.toString()) as Record<string, { version: string }[]>;
  for (const [name, versions] of Object.entries(charts)) {
    for (const { version } of versions) {
      const path = `/api/charts/${encodeURIComponent(name)}/${encodeURIComponent(version)}`;
      await send(origin, { method: 'DELETE', path }, '');
    }
  }
}

function hold(answered: Answered, answer: Answer, { ownWords }: { readonly ownWords: boolean }): void {
  const { status, headers = {}, json, text, error } = answer;
  const body = answered.body.toString();
  expect(answered.status, body).toBe(status);
  for (const [name, value] of Object.entries(headers)) {
    if (value instanceof RegExp) expect(answered.headers[name], name).toMatch(value);
    else expect(answered.headers[name], name).toBe(value);
  }
  if (json !== undefined) expect(JSON.parse(body)).toEqual(json);
  if (text instanceof RegExp) expect(body).toMatch(text);
  else if (text !== undefined) expect(body).toBe(text);
  if (error === undefined) return;
  const { error: said } = JSON.parse(body) as { error: unknown };
  const wanted = ownWords ? /./ : error;
  expect(said).toEqual(wanted instanceof RegExp ? expect.stringMatching(wanted) : wanted);
}

type Column = {
  readonly name: 'chartroom' | 'chartmuseum';
  readonly start: (setup: Setup) => Promise<Server>;
  readonly check: (answered: Answered, exchange: Exchange) => void;
};

const chartroom: Column = {
  name: 'chartroom',
  start: startChartroom,
  check: (answered, { chartMuseum, chartroom: own }) =>
    hold(answered, own?.answer ?? chartMuseum, { ownWords: own === undefined }),
};

const chartMuseum = (program: string): Column => ({
  name: 'chartmuseum',
  start: async (setup) => startChartMuseum(program, setup),
  check: (answered, exchange) => hold(answered, exchange.chartMuseum, { ownWords: false }),
});

async function run(origin: string, { before, exchanges }: Row, repository: string, column: Column) {
  if (repository === '') await clear(origin);
  for (const call of before.filter(({ only = column.name }) => only === column.name)) {
    const { status, body } = await send(origin, call, repository);
    expect(status, `before: ${call.method} ${call.path}: ${body}`).toBeLessThan(300);
  }
  for (const exchange of exchanges) column.check(await send(origin, exchange.call, repository), exchange);
}

function describeTables(column: Column): void {
  describe.each(tables)('with $setup', ({ setup, rows }) => {
    let server: Server;
    beforeAll(async () => {
      server = await column.start(setup);
    });
    afterAll(() => server.stop());

    for (const [number, whole] of rows.entries()) {
      for (const depth of whole.depths) {
        it(`${whole.id}, depth ${depth}`, async () => {
          const repository = repositories(`org${number}`)[depth];
          await run(await server.origin(depth), whole, repository, column);
        });
      }
    }
  });
}

if (isAsked) describe('Chartroom', () => describeTables(chartroom));
else {
  console.info('Chartroom is not held to the table of parity: PARITY is not set to "whole"');
  describe('Chartroom', () => it.todo('runs where PARITY is "whole", as in CI'));
}

if (binary === undefined) {
  console.info('ChartMuseum is not held to the table: CHARTMUSEUM is not set');
  describe('ChartMuseum', () => it.todo('runs where CHARTMUSEUM names its binary'));
} else describe('ChartMuseum', () => describeTables(chartMuseum(binary)));

describe('the table', () => {
  it('says each thing once, and why where the two differ', () => {
    const rows = tables.flatMap((table) => table.rows);
    const ids = rows.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    const whys = rows.flatMap(({ exchanges }) => exchanges.map(({ chartroom: own }) => own?.why));
    expect(whys.filter((why) => why === '')).toEqual([]);
  });
});
