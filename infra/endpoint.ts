import { Duration } from 'aws-cdk-lib';
import { type HttpApi, HttpMethod, HttpRoute, HttpRouteKey } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Construct } from 'constructs';
import { type EndpointId, fallback, type Route, routes } from '../shared/routes.ts';
import { BundledFunction } from './bundled-function.ts';

export type EndpointProps = {
  readonly api: HttpApi;
  readonly endpoint: EndpointId;
  readonly bundles: string;
  readonly environment: Record<string, string>;
  readonly memoryMegabytes: number;
  /** Whether what is below `/api` is answered. */
  readonly apiEnabled: boolean;
};

/**
 * One function, and the routes that lead to it: one integration and one invoke permission, however many
 * routes there are, so that the stack stays far from the limit of resources.
 */
export class Endpoint extends BundledFunction {
  constructor(scope: Construct, id: string, props: EndpointProps) {
    const { api, endpoint, bundles, environment, memoryMegabytes, apiEnabled } = props;
    super(scope, id, {
      functionId: endpoint,
      bundles,
      description: endpoint === fallback ? 'Whatever no route matches' : describe(endpoint),
      environment,
      memoryMegabytes,
      // The API's own limit is 30 s; a function that ends before it can still say what happened.
      timeout: Duration.seconds(29),
    });
    const integration = new HttpLambdaIntegration('Integration', this.function, {
      // The permission for a whole API ends in /*/*/*, which the shorter ARN of $default does not match.
      scopePermissionToRoute: endpoint === fallback,
    });
    for (const key of routeKeys(endpoint, apiEnabled)) {
      new HttpRoute(this, key.key, { httpApi: api, routeKey: key, integration });
    }
  }
}

const routesOf = (endpoint: EndpointId): readonly Route[] =>
  routes.filter((route) => route.handler === endpoint);

function routeKeys(endpoint: EndpointId, apiEnabled: boolean): readonly HttpRouteKey[] {
  if (endpoint === fallback) return [HttpRouteKey.DEFAULT];
  const deployed = routesOf(endpoint).filter(({ path }) => apiEnabled || !path.startsWith('/api/'));
  return deployed.map((route) => HttpRouteKey.with(route.path, HttpMethod[route.method]));
}

function describe(endpoint: EndpointId): string {
  const [first] = routesOf(endpoint);
  return first === undefined ? endpoint : `${first.method} ${first.path}`;
}
