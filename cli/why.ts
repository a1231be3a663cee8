/** The codes of Node.js for a certificate whose signer is not known here. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const FOR_ANOTHER_NAME_OR_TIME = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** What went wrong, without the address that Node's own messages name. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return code;
  // `fetch` says of a lost connection that it failed, and why in the cause.
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

/** Why an address gave no answer at all, and what helps. */
export function noAnswer(address: URL, error: unknown): Error {
  const at = address.href.replace(/\/+$/, '');
  const reason = reasonOf(error);
  if (UNTRUSTED.has(reason)) {
    const way = 'name the PEM file of the CA that signed it in NODE_EXTRA_CA_CERTS';
    return new Error(`the certificate of ${at} is not trusted here (${reason}): ${way}`, { cause: error });
  }
  const what = FOR_ANOTHER_NAME_OR_TIME.has(reason)
    ? `the certificate of ${at} is not good`
    : `nobody answers at ${at}`;
  return new Error(`${what}: ${reason}`, { cause: error });
}

/** What an answer says is wrong, in Chartroom's words or the gateway's; empty where it says nothing. */
export function errorIn(body: string): string {
  const [, text = ''] = /"(?:error|message)":\s*"((?:[^"\\]|\\.)*)"/.exec(body) ?? [];
  return text;
}

/** What to do where a Chartroom does not know who asks. @param refused its status and its words */
export const whoAsks = (refused: string): string =>
  `who asks? ${refused}: give --user NAME, and its password in CHARTROOM_PASSWORD`;
