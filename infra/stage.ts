import { RemovalPolicy } from 'aws-cdk-lib';
import { CfnStage, type HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { CloudSettings } from './cloud-settings.ts';

/**
 * A line of the access log. No headers and no query, where passwords and signatures are, and no path: it names
 * repositories and charts that not everybody who reads logs may know.
 */
const LINE = {
  requestId: '$context.requestId',
  routeKey: '$context.routeKey',
  status: '$context.status',
  responseLength: '$context.responseLength',
  responseLatency: '$context.responseLatency',
  integrationError: '$context.integrationErrorMessage',
  sourceIp: '$context.identity.sourceIp',
};

export type StageProps = Pick<CloudSettings, 'accessLog' | 'throttleRate' | 'throttleBurst'>;

/** What the API's one stage logs, and how many requests it takes. */
export function configureStage(api: HttpApi, { accessLog, throttleRate, throttleBurst }: StageProps): void {
  const stage = api.defaultStage?.node.defaultChild;
  if (!(stage instanceof CfnStage)) throw new Error('the API has no stage of its own');
  if (accessLog) {
    const logs = new LogGroup(api, 'AccessLog', { removalPolicy: RemovalPolicy.DESTROY });
    stage.accessLogSettings = { destinationArn: logs.logGroupArn, format: JSON.stringify(LINE) };
  }
  if (throttleRate > 0) {
    stage.defaultRouteSettings = {
      throttlingRateLimit: throttleRate,
      throttlingBurstLimit: throttleBurst,
    };
  }
}
