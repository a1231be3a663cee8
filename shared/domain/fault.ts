/** Why a request is refused. Each has its status in shared/edge/response.ts. */
export type FaultCode =
  | 'invalid_request'
  | 'invalid_repository'
  | 'invalid_name'
  | 'invalid_version'
  | 'invalid_package'
  | 'invalid_provenance'
  /** Nobody said who they are. */
  | 'unauthorized'
  | 'wrong_credentials'
  | 'forbidden'
  | 'too_many_failures'
  | 'not_found'
  /** Answered as `not_found`: who asks may not know whether it is there. */
  | 'hidden'
  | 'repository_not_found'
  | 'repository_deleted'
  | 'method_not_allowed'
  | 'deleting_is_off'
  | 'chart_not_found'
  | 'version_not_found'
  | 'version_exists'
  | 'provenance_exists'
  | 'label_exists'
  | 'being_published'
  | 'already_exists'
  | 'not_empty'
  | 'storage_full'
  | 'too_large'
  | 'text_body'
  | 'range_not_satisfiable'
  | 'try_again';

// A refusal may repeat what was sent: a name out of an archive can have megabytes.
const MOST_MESSAGE_CHARACTERS = 1000;

type FaultOptions = ErrorOptions & { readonly retryAfterSeconds?: number; readonly challenge?: string };

/**
 * A fault of the client's: the request was understood and refused. The message is shown to the client,
 * names the thing and, where there is one, the way out.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  /** Seconds after which the same request may succeed; becomes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** How else somebody may say who they are; becomes a part of `WWW-Authenticate`. */
  readonly challenge: string | undefined;

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    const isLong = message.length > MOST_MESSAGE_CHARACTERS;
    super(isLong ? `${message.slice(0, MOST_MESSAGE_CHARACTERS)}…` : message, options);
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.challenge = options.challenge;
  }
}
