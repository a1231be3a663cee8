import type { IncomingMessage } from 'node:http';
import type { Template } from './template.ts';

/** Which scripts of which origins may do what, as an `AWS::ApiGatewayV2::Api` declares it. */
export type CorsRule = {
  readonly AllowOrigins: readonly string[];
  readonly AllowMethods: readonly string[];
  readonly AllowHeaders: readonly string[];
  readonly ExposeHeaders: readonly string[];
  readonly MaxAge: number;
};

/** The rules of a template's API and bucket, where they have one. */
export type Cors = { readonly api?: CorsRule | undefined; readonly bucket?: CorsRule | undefined };

type BucketCors = {
  readonly CorsConfiguration?: {
    readonly CorsRules: readonly {
      readonly AllowedOrigins: readonly string[];
      readonly AllowedMethods: readonly string[];
      readonly AllowedHeaders: readonly string[];
      readonly ExposedHeaders: readonly string[];
      readonly MaxAge: number;
    }[];
  };
};

/** Reads the rules; of a bucket's only the first is imitated. */
export function corsOf(template: Template): Cors {
  type Api = { readonly CorsConfiguration?: CorsRule };
  const [api] = template.resources<Api>('AWS::ApiGatewayV2::Api');
  const [bucket] = template.resources<BucketCors>('AWS::S3::Bucket');
  const rule = bucket?.properties.CorsConfiguration?.CorsRules[0];
  return {
    api: api?.properties.CorsConfiguration,
    bucket: rule && {
      AllowOrigins: rule.AllowedOrigins,
      AllowMethods: rule.AllowedMethods,
      AllowHeaders: rule.AllowedHeaders,
      ExposeHeaders: rule.ExposedHeaders,
      MaxAge: rule.MaxAge,
    },
  };
}

/** Whether a browser asks what it may ask. */
export const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' &&
  headers.origin !== undefined &&
  headers['access-control-request-method'] !== undefined;

/** What is added to an answer; nothing for an origin that is not allowed, whose browser then refuses it. */
export function corsHeaders(
  request: IncomingMessage,
  rule: CorsRule | undefined,
): Readonly<Record<string, string>> {
  const { origin } = request.headers;
  if (rule === undefined || origin === undefined) return {};
  const allowed = rule.AllowOrigins.find((each) => each === '*' || each === origin);
  if (allowed === undefined) return {};
  if (!isPreflight(request)) {
    return {
      'access-control-allow-origin': allowed,
      'access-control-expose-headers': rule.ExposeHeaders.join(','),
    };
  }
  return {
    'access-control-allow-origin': allowed,
    'access-control-allow-methods': rule.AllowMethods.join(','),
    'access-control-allow-headers': rule.AllowHeaders.join(','),
    'access-control-max-age': String(rule.MaxAge),
  };
}
