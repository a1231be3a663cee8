import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { Fault } from '../domain/fault.ts';
import type { EndpointId, endpoints } from '../routes.ts';
import type { Authenticate } from './authenticate.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { logError } from './log.ts';
import { represent } from './representation.ts';
import { type Request, readRequest } from './request.ts';
import { errorResponse, internalError, type Response, withoutBody } from './response.ts';

/** What one endpoint does: parse, call, answer. It throws a Fault to refuse. */
export type Endpoint = (request: Request) => Promise<Response>;

export type Handler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

// Lambda refuses answers above 6 MB, and the gateway then says nothing useful. Headers need some room.
const MOST_ANSWER_BYTES = 6 * 1024 * 1024 - 64 * 1024;

/**
 * Builds a handler during init on Lambda, which costs nobody's request, and at the first call elsewhere, so
 * that a test can import the file without an environment.
 */
export function buildOnce(build: (environment: Environment) => Handler): Handler {
  const fromEnvironment = () => build(readEnvironment(process.env));
  let handler = process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined ? undefined : fromEnvironment();
  return (event) => {
    handler ??= fromEnvironment();
    return handler(event);
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
  return buildOnce((environment) => serve(id, make(environment)));
}

/**
 * Joins an endpoint to HTTP: who may call it, what refusals look like, which form of an answer was asked for,
 * what HEAD leaves out.
 *
 * @param authenticate throws Fault `unauthorized`; everybody may call when it is left out
 */
export function serve(id: EndpointId, endpoint: Endpoint, authenticate?: Authenticate): Handler {
  return async (event) => {
    const request = readRequest(event);
    const response = await answer(id, request, async () => {
      await authenticate?.(request);
      const answered = await endpoint(request);
      return isRead(request) ? represent(request, answered) : answered;
    });
    return result(request, response);
  };
}

const isRead = ({ method }: Request) => method === 'GET' || method === 'HEAD';

async function answer(
  endpoint: EndpointId,
  { id: requestId, method, path }: Request,
  respond: () => Promise<Response>,
): Promise<Response> {
  try {
    return await respond();
  } catch (error) {
    if (error instanceof Fault) return errorResponse(error);
    // Neither headers nor body: they hold passwords, and what is not ours to keep.
    logError('a request failed', error, { endpoint, requestId, method, path });
    return internalError();
  }
}

function result(request: Request, response: Response): APIGatewayProxyStructuredResultV2 {
  if (sentBytes(asText(response)) > MOST_ANSWER_BYTES) {
    return result(request, errorResponse(answerTooLarge()));
  }
  const sent = request.method === 'HEAD' ? withoutBody(response) : response;
  return {
    statusCode: sent.status,
    headers: { ...sent.headers, 'x-request-id': request.id },
    body: asText(sent),
    isBase64Encoded: typeof sent.body !== 'string',
  };
}

const asText = ({ body }: Response): string =>
  typeof body === 'string' ? body : Buffer.from(body).toString('base64');

/** The answer travels as a JSON string, where quotes and line ends take two bytes. */
function sentBytes(text: string): number {
  return text.length * 6 <= MOST_ANSWER_BYTES ? text.length : Buffer.byteLength(JSON.stringify(text));
}

const answerTooLarge = () =>
  new Fault(
    'too_large',
    'the answer is larger than 6 MB: ask for less by limit and offset, or get the package',
  );
