import { describe, expect, it } from 'vitest';
import { runCanary } from '../shared/canary.ts';
import { systemClock } from '../shared/clock.ts';

/** What a run that failed says where everything is answered so. */
async function toldOf(body: string): Promise<string> {
  const outcome = await runCanary({
    clock: systemClock,
    open: async () => undefined,
    fetch: async () => new Response(body, { status: 403, headers: { 'x-request-id': 'id-1' } }),
    address: 'https://charts.example.com',
  });
  expect(outcome).toMatchObject({ succeeded: false, step: 'publish' });
  return outcome.succeeded ? '' : String(outcome.error);
}

describe('a canary that is refused', () => {
  it.each([
    { by: 'Chartroom', body: '{"error":"no room","errors":[{"code":"X"}]}', says: '403 no room' },
    {
      by: 'S3',
      body: '<?xml version="1.0"?>\n<Error><Code>InvalidToken</Code><Token-0>a-secret</Token-0></Error>',
      says: '403 InvalidToken',
    },
    { by: 'S3 in no words of its', body: '<Error><Code>a-secret here</Code></Error>', says: '403' },
    { by: 'API Gateway', body: '{"message":"a-secret"}', says: '403' },
    { by: 'a page of a proxy', body: '<html>a-secret</html>', says: '403' },
    { by: 'something with an error that is no text', body: '{"error":{"token":"a-secret"}}', says: '403' },
    { by: 'what is no object', body: 'null', says: '403' },
    { by: 'nothing', body: '', says: '403' },
  ])('by $by says so, and repeats nothing else of the answer', async ({ body, says }) => {
    const told = await toldOf(body);
    expect(told).toBe(`Error: POST /api/chartroom-canary/charts: ${says} (request id-1)`);
  });

  it('repeats no more than the beginning of a long word', async () => {
    expect((await toldOf(JSON.stringify({ error: 'x'.repeat(1000) }))).length).toBeLessThan(400);
  });
});
