import { afterEach, expect, it, vi } from 'vitest';
import { troubleIn } from '../../local/trouble.ts';
import { logError, logInfo } from '../../shared/edge/log.ts';
import { inRun } from '../../shared/edge/run.ts';
import { watchLog } from '../log-lines.ts';

afterEach(() => vi.restoreAllMocks());

it('says what somebody must look at in words, without what is for CloudWatch', async () => {
  const log = watchLog();
  const run = {
    endpoint: 'index-repositories',
    requestId: 'r',
    gatewayRequestId: 'g',
    function_request_id: 'f',
  };
  await inRun(run, async () => {
    logInfo('an index was made current', {}, { Refreshed: 1 });
    logError(
      'no index',
      Object.assign(new Error('full'), { stack: 'Error: full\n    at disk' }),
      { marks: 2 },
      { RefreshFailed: 1 },
    );
  });
  const told = log.text().trim().split('\n').map(troubleIn);
  expect(told).toEqual([
    undefined,
    'index-repositories: no index requestId=r marks=2\n  Error: full\n    at disk',
  ]);
});

it('says what an error was caused by, and that in turn', async () => {
  const log = watchLog();
  await inRun({ endpoint: 'get-index' }, async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), {
      stack: 'Error: connect ECONNREFUSED',
    });
    const socket = Object.assign(new Error('no socket', { cause: refused }), { stack: 'Error: no socket' });
    const failed = new TypeError('fetch failed', { cause: socket });
    logError('unexpected error', Object.assign(failed, { stack: 'TypeError: fetch failed' }));
  });
  expect(troubleIn(log.text().trim())).toBe(
    [
      'get-index: unexpected error',
      'TypeError: fetch failed',
      'caused by Error: no socket',
      'caused by Error: connect ECONNREFUSED',
    ].join('\n  '),
  );
});

it.each([
  {
    why: 'a function that ended',
    line: '{"level":"error","message":"timed out","function":"GetIndex"}',
    said: 'GetIndex: timed out',
  },
  { why: 'what is no JSON', line: '{"level": "error", broken', said: '{"level": "error", broken' },
  { why: 'a line of no level', line: '{"message":"\\"error\\""}', said: undefined },
])('says of $why: $said', ({ line, said }) => {
  expect(troubleIn(line)).toBe(said);
});
