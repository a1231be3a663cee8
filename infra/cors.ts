import { Duration } from 'aws-cdk-lib';
import { CorsHttpMethod, type CorsPreflightOptions } from 'aws-cdk-lib/aws-apigatewayv2';
import { type CorsRule, HttpMethods } from 'aws-cdk-lib/aws-s3';
import { routes } from '../shared/routes.ts';

// Long enough to spare most requests a preflight; Chrome keeps it for two hours at most.
const maxAge = Duration.hours(1);

/**
 * What the API lets scripts of an origin do: everything, with the password that they send. No cookie is ever
 * needed.
 */
export function apiCors(origin: string): CorsPreflightOptions {
  return {
    allowOrigins: [origin],
    allowMethods: [...new Set(routes.map(({ method }) => CorsHttpMethod[method]))],
    allowHeaders: ['Authorization', 'Content-Type', 'If-None-Match', 'If-Range', 'Range', 'X-Request-Id'],
    exposeHeaders: [
      'Accept-Ranges',
      'Content-Range',
      'ETag',
      'Location',
      'Retry-After',
      'WWW-Authenticate',
      'X-Request-Id',
    ],
    maxAge,
  };
}

/**
 * What the bucket lets scripts do that the API redirected to it. Whatever the API allows, the bucket sees
 * `Origin: null`: that is what a browser sends after a redirect to another origin. Its protection is the
 * signed URL.
 */
export const bucketCors: CorsRule = {
  allowedOrigins: ['*'],
  allowedMethods: [HttpMethods.GET, HttpMethods.HEAD, HttpMethods.POST],
  allowedHeaders: ['*'],
  exposedHeaders: ['Accept-Ranges', 'Content-Range', 'ETag'],
  maxAge: maxAge.toSeconds(),
};
