import { load } from 'js-yaml';
import { expect } from 'vitest';
import { type Answer, aChartroom, type Chartroom, contents } from '../functions/chartroom.ts';
import type { Sent } from '../functions/events.ts';

// A refusal is for people: whatever was sent, it stays readable.
const MOST_REFUSAL_BYTES = 16 * 1024;

/** What every answer keeps to, whatever was asked: no fault of ours, and refusals in both envelopes. */
export function expectAnswer(answer: Answer, { method = 'GET' } = {}): void {
  const { status = 0, headers, body } = answer;
  expect(status, body).toBeGreaterThanOrEqual(200);
  expect(status, body).toBeLessThan(500);
  // Nothing that ends a header, nor what Node's HTTP server or the gateway would refuse to send.
  for (const value of Object.values(headers)) expect(String(value)).toMatch(/^[\x20-\x7e]*$/);
  if (method === 'HEAD') expect(body).toBe('');
  else if (status >= 400) expectRefusal(answer);
}

function expectRefusal({ headers, body }: Answer): void {
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(Buffer.byteLength(body)).toBeLessThan(MOST_REFUSAL_BYTES);
  const { error } = JSON.parse(body);
  expect(JSON.parse(body)).toEqual({
    error: expect.stringMatching(/./),
    errors: [{ code: expect.stringMatching(/^[A-Z_]+$/), message: error }],
  });
}

/**
 * Uploads to a Chartroom that holds nothing: either nothing is stored, or the version can be read in every way.
 *
 * @returns the status
 */
export async function expectPublishedOrRefused(path: string, sent: Sent): Promise<number | undefined> {
  const chartroom = aChartroom();
  const nothing = contents(chartroom);
  const answer = await chartroom.send('POST', path, sent);
  expectAnswer(answer);
  if (answer.status === 201) await expectReadable(chartroom);
  else expect(contents(chartroom)).toEqual(nothing);
  return answer.status;
}

type Entry = { readonly name: string; readonly version: string; readonly digest: string };

/** Every version that the table holds is listed, can be downloaded, and does the index no harm. */
async function expectReadable(chartroom: Chartroom): Promise<void> {
  const get = async (path: string, statuses: readonly number[]) => {
    const answer = await chartroom.send('GET', path);
    expectAnswer(answer);
    expect(statuses).toContain(answer.status);
    return answer;
  };
  const index = (await get('/index.yaml', [200])).body;
  const { entries } = JSON.parse(index);
  // What YAML does not allow raw (Helm before 3.13 would refuse the whole repository).
  expect(index).not.toMatch(/(?![\t\n])\p{Cc}|[\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/u);
  expect(load(index)).toEqual(JSON.parse(index));
  expect(JSON.parse((await get('/api/charts', [200])).body)).toEqual(entries);
  const listed = Object.values<Entry[]>(entries).flat();
  const live = chartroom.versions.items().filter((item) => item.live !== undefined);
  expect(listed.map(({ name, version }) => [name, version])).toEqual(
    live.map(({ name, version }) => [name, version]),
  );
  for (const entry of listed) {
    const { name, version } = entry;
    const encoded = encodeURIComponent(version);
    const one = await get(`/api/charts/${name}/${encoded}`, [200]);
    expect(JSON.parse(one.body)).toEqual(entry);
    await get(`/charts/${name}-${encoded}.tgz`, [302]);
    await get(`/api/charts/${name}/${encoded}/values`, [200, 404, 413]);
    await get(`/api/charts/${name}/${encoded}/templates`, [200, 413]);
  }
}
