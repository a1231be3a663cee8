import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { isSendable } from '../answer-limit.ts';
import { type Caller, EVERYWHERE } from '../domain/access.ts';
import { Fault } from '../domain/fault.ts';
import type { EndpointId, endpoints } from '../routes.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { represent } from './representation.ts';
import { isRead, type Request, readRequest } from './request.ts';
import { errorResponse, internalError, type Response, withoutBody, withSecurity } from './response.ts';
import { type Fields, inRun } from './run.ts';
import { tellOfChange, tellOfRefusal } from './tell.ts';

/** What one endpoint does: parse, call, answer. It throws a Fault to refuse. */
export type Endpoint = (request: Request, caller: Caller) => Promise<Response>;

/** Says who calls, and of which repository, or throws a Fault if they may not. */
export type Authorize = (request: Request) => Promise<Admitted>;

type Admitted = {
  readonly caller: Caller;
  /** The request with its repository found, where the path names it in words of somebody else's. */
  readonly request: Request;
};

/** With open access everybody may do everything. */
export const everybody: Caller = { kind: 'anyone', grants: [{ role: 'admin', on: EVERYWHERE }] };

/** What Lambda tells of an invocation, as far as it is of use here; nothing in a test. */
type Invocation = Pick<Context, 'awsRequestId'>;

export type Handler = (
  event: APIGatewayProxyEventV2,
  invocation?: Invocation,
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * Builds a handler during init on Lambda, which costs nobody's request, and at the first call elsewhere, so
 * that a test can import the file without an environment.
 */
export function buildOnce(build: (environment: Environment) => Handler): Handler {
  const fromEnvironment = () => build(readEnvironment(process.env));
  let handler = process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined ? undefined : fromEnvironment();
  return (event, invocation) => {
    handler ??= fromEnvironment();
    return handler(event, invocation);
  };
}

/** The endpoints whose caller must show who they are when access is closed. */
export type ProtectedEndpointId = {
  [Id in keyof typeof endpoints]: (typeof endpoints)[Id]['permission'] extends 'none' ? never : Id;
}[keyof typeof endpoints];

/**
 * The handler of an endpoint that everybody may call in every mode: it holds nothing that reads passwords.
 * Unknown paths are such, as they are in ChartMuseum.
 */
export function openHandler(
  id: Exclude<EndpointId, ProtectedEndpointId>,
  make: (environment: Environment) => Endpoint,
): Handler {
  return buildOnce((environment) =>
    serve(id, make(environment), undefined, environment.indexSettings.contextPath),
  );
}

/**
 * Joins an endpoint to HTTP: who may call it, what refusals look like, which form of an answer was asked for,
 * what HEAD leaves out.
 *
 * @param authorize everybody may do everything when it is left out
 * @param contextPath what stands before the paths of the routes in clients' URLs
 */
export function serve(
  id: EndpointId,
  endpoint: Endpoint,
  authorize?: Authorize,
  contextPath?: string,
): Handler {
  return (event, invocation) => {
    const request = readRequest(event, contextPath);
    return inRun(fieldsOf(id, request, invocation), async () => {
      const answered = await answer(id, request, async () => {
        const admitted = (await authorize?.(request)) ?? { caller: everybody, request };
        const answered = await endpoint(admitted.request, admitted.caller);
        // Before HEAD loses its body: it says what GET says.
        const response = isRead(request) ? represent(request, answered) : answered;
        if (!isSendable(response.body)) throw answerTooLarge();
        return response;
      });
      const secure = withSecurity(answered, request.headers['x-forwarded-proto'] === 'https');
      return result(request, request.method === 'HEAD' ? withoutBody(secure) : secure);
    });
  };
}

/** Neither headers nor body: they hold passwords, and what is not ours to keep. */
function fieldsOf(
  endpoint: EndpointId,
  { id: requestId, gatewayId: gatewayRequestId, method, path }: Request,
  invocation: Invocation | undefined,
): Fields {
  const fields = { endpoint, requestId, gatewayRequestId, method, path };
  // As Powertools calls it, and everybody's queries.
  return { ...fields, function_request_id: invocation?.awsRequestId };
}

async function answer(
  endpoint: EndpointId,
  request: Request,
  respond: () => Promise<Response>,
): Promise<Response> {
  try {
    const response = await respond();
    if (!isRead(request)) await tellOfChange(request, response);
    return response;
  } catch (error) {
    if (error instanceof Fault) {
      const response = errorResponse(error);
      await tellOfRefusal(endpoint, request, error, response);
      return response;
    }
    (await import('./log.ts')).logError('a request failed', error);
    return internalError(request.id);
  }
}

function result(request: Request, response: Response): APIGatewayProxyStructuredResultV2 {
  const { status, headers, body } = response;
  const isBase64Encoded = typeof body !== 'string';
  return {
    statusCode: status,
    headers: { ...headers, 'x-request-id': request.id },
    body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
    isBase64Encoded,
  };
}

const answerTooLarge = () =>
  new Fault('too_large', 'the answer is larger than 6 MB: get the index, or the package');
