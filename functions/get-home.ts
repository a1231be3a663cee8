import type { IndexSettings } from '../shared/domain/entry.ts';
import { parseRepository } from '../shared/domain/repository.ts';
import { type Environment, versions } from '../shared/edge/environment.ts';
import { renderHomePage } from '../shared/edge/home-page.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import type { Request } from '../shared/edge/request.ts';
import { html } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type ReadableChart, readCharts } from '../shared/read-charts.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'ofRepository'>;
  readonly settings: IndexSettings;
  readonly access: Environment['access'];
};

// A page that a person still reads; whoever wants all asks the API.
const CHARTS_SHOWN = 200;

const ROOT = parseRepository([]);

/** GET / and /charts: what this is, how to begin, and the charts of the root repository. */
export function getHome({ versions, settings, access }: Dependencies): Endpoint {
  return async (request) => {
    const charts: ReadableChart[] = [];
    const page = { offset: 0, limit: CHARTS_SHOWN + 1 };
    for await (const chart of readCharts(versions, ROOT, page)) charts.push(chart);
    const body = renderHomePage({
      baseUrl: `${originOf(request)}${settings.contextPath}`,
      contextPath: settings.contextPath,
      access,
      charts: charts.slice(0, CHARTS_SHOWN),
      hasMore: charts.length > CHARTS_SHOWN,
    });
    return html(body, {
      'cache-control': 'no-cache',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'x-content-type-options': 'nosniff',
    });
  };
}

/** Where the client reached us. What is no host name is not repeated: it would stand in a shell command. */
function originOf({ headers }: Request): string {
  const host = headers['host'] ?? '';
  const scheme = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https';
  return `${scheme}://${/^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : 'charts.example.com'}`;
}

export const handler = lambdaHandler('get-home', (environment) =>
  getHome({
    versions: versions(environment),
    settings: environment.indexSettings,
    access: environment.access,
  }),
);
