import { type Caller, may } from '../shared/domain/access.ts';
import { parseRepository } from '../shared/domain/repository.ts';
import { indexDependencies } from '../shared/edge/bucket-environment.ts';
import type { Environment } from '../shared/edge/environment.ts';
import { renderHomePage } from '../shared/edge/home-page.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import type { Request } from '../shared/edge/request.ts';
import { html } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { readCharts } from '../shared/list-charts.ts';
import type { IndexDependencies } from '../shared/refresh.ts';

// A page that a person still reads; whoever wants all asks the API.
const CHARTS_SHOWN = 200;

const ROOT = parseRepository([]);

/** GET / and /charts: what this is, how to begin, and the charts of the root repository. */
export function getHome(
  dependencies: IndexDependencies,
  { apiEnabled }: Pick<Environment, 'apiEnabled'>,
): Endpoint {
  const { contextPath } = dependencies.settings;
  return async (request, caller) => {
    const charts = await readCharts(dependencies, ROOT, { offset: 0, limit: CHARTS_SHOWN + 1 });
    const body = renderHomePage({
      baseUrl: `${originOf(request)}${contextPath}`,
      contextPath,
      reader: caller.name,
      publisher: publisherOf(caller),
      apiEnabled,
      charts: charts.slice(0, CHARTS_SHOWN),
      hasMore: charts.length > CHARTS_SHOWN,
    });
    return html(body, {
      'cache-control': 'no-cache',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    });
  };
}

/** Who reads without an account needs one to publish, unless access is open. */
function publisherOf(caller: Caller): string | undefined {
  return caller.name ?? (may(caller, 'publish', ROOT) ? undefined : 'USER');
}

/** Where the client reached us. What is no host name is not repeated: it would stand in a shell command. */
function originOf({ headers }: Request): string {
  const host = headers['host'] ?? '';
  const scheme = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https';
  return `${scheme}://${/^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : 'charts.example.com'}`;
}

export const handler = lambdaHandler('get-home', (environment) =>
  getHome(indexDependencies(environment), environment),
);
