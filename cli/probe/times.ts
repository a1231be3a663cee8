import { type Check, judged, type Probe } from './check.ts';

const TIMES = 20;

type Timed = { readonly endpoint: string; path(repository: string): string; readonly status: number };

const timed: readonly Timed[] = [
  { endpoint: 'get-health', path: () => '/health', status: 200 },
  { endpoint: 'get-index', path: (repository) => `/${repository}/index.yaml`, status: 200 },
  { endpoint: 'get-chart', path: (repository) => `/api/${repository}/charts/none`, status: 404 },
  { endpoint: 'get-package', path: (repository) => `/${repository}/charts/none-1.0.0.tgz`, status: 404 },
  { endpoint: 'get-chart-index', path: (repository) => `/${repository}/charts/none/index.yaml`, status: 404 },
  { endpoint: 'get-version', path: (repository) => `/api/${repository}/charts/none/1.0.0`, status: 404 },
  { endpoint: 'answer-unknown-route', path: () => '/-/nothing-of-the-probe', status: 404 },
];

/** How long the first request to a function takes, and the next ones. They come first: a function that was asked is warm. */
export const times: readonly Check[] = timed.map(({ endpoint, path, status }) => ({
  name: `\`${endpoint}\`: the first request, and the median of the next ${TIMES}`,
  expected: `${status} each time; how long is told, not judged`,
  async look({ client, repository }: Probe) {
    const send = () => client.send('GET', path(repository));
    const first = await send();
    const next: number[] = [];
    const statuses = new Set([first.status]);
    for (let count = 0; count < TIMES; count++) {
      const answer = await send();
      statuses.add(answer.status);
      next.push(answer.tookMs);
    }
    const median = next.toSorted((a, b) => a - b)[TIMES / 2] ?? 0;
    const isAsExpected = statuses.size === 1 && statuses.has(status);
    const told = `${Math.round(first.tookMs)} ms, then ${Math.round(median)} ms`;
    return judged(isAsExpected, isAsExpected ? told : `${[...statuses].join(', ')}; ${told}`);
  },
}));
