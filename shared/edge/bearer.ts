import { Fault, type FaultCode } from '../domain/fault.ts';
import { tokenScope } from '../domain/token-claims.ts';
import { type EndpointRoutes, endpoints } from '../routes.ts';
import type { AuthenticateToken, TokenSettings } from '../token-credentials.ts';
import { type Authenticate, NOT_SAID, parseBasic } from './authenticate.ts';
import { asNamed } from './project.ts';
import { type Request, repositoryOf } from './request.ts';
import type { ProtectedEndpointId } from './serve.ts';

/** Whoever sends a token is its bearer and nobody else; the others are who they were. */
export function withTokens(authenticateToken: AuthenticateToken, others: Authenticate): Authenticate {
  return async (request) => {
    const token = tokenOf(request.headers['authorization'] ?? '');
    return token === undefined ? await others(request) : await authenticateToken(token);
  };
}

/**
 * The token in a header: `Bearer <token>`, the bare token, which ChartMuseum takes too, or the password of
 * HTTP Basic, which is all that Helm sends. The user name beside it says nothing: a token names its bearer.
 */
function tokenOf(header: string): string | undefined {
  const borne = /^bearer +(\S+) *$/i.exec(header)?.[1];
  if (borne !== undefined) return borne;
  const password = parseBasic(header)?.password ?? '';
  return [header, password].find(isToken);
}

/** Three parts, the first of them a header that names an algorithm: no other password looks so by chance. */
function isToken(text: string): boolean {
  const [, header] = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.exec(text) ?? [];
  if (header === undefined) return false;
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString());
    return typeof Object(value).alg === 'string';
  } catch {
    return false; // no JSON, so no header
  }
}

const ASKING: ReadonlySet<FaultCode> = new Set(['unauthorized', 'wrong_credentials']);

/**
 * Says with a 401 that a token would do too, and which one, as ChartMuseum does.
 *
 * @param answer what may refuse: the check of who calls, or an endpoint that asks for more itself
 */
export function askingForTokens<Rest extends readonly unknown[], Answer>(
  id: ProtectedEndpointId,
  answer: (request: Request, ...rest: Rest) => Promise<Answer>,
  { realm, audience }: Pick<TokenSettings, 'realm' | 'audience'>,
): (request: Request, ...rest: Rest) => Promise<Answer> {
  return async (request, ...rest) => {
    try {
      return await answer(request, ...rest);
    } catch (error) {
      if (!(error instanceof Fault) || !ASKING.has(error.code)) throw error;
      const scope = scopeOf(id, request);
      const parameters = Object.entries({ realm, service: audience, ...(scope && { scope }) });
      const challenge = `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(',')}`;
      const message = error.message === NOT_SAID ? `${NOT_SAID}, or a bearer token` : error.message;
      throw new Fault(error.code, message, { cause: error, challenge });
    }
  };
}

/** Made of what was sent alone: a project's name is not told to who knows its number. */
function scopeOf(id: ProtectedEndpointId, sent: Request): string | undefined {
  const { permission, everywhere }: EndpointRoutes = endpoints[id];
  if (everywhere || permission === 'account' || permission === 'anyone') return undefined;
  const request = asNamed(sent);
  if (request === undefined) return undefined;
  try {
    return tokenScope(permission, repositoryOf(request));
  } catch (error) {
    if (error instanceof Fault) return undefined; // no repository, so no token for it
    throw error;
  }
}
