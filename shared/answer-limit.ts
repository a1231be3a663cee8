/** Lambda refuses answers above 6 MB, and the gateway then says nothing useful. Headers need some room. */
export const MOST_ANSWER_BYTES = 6 * 1024 * 1024 - 64 * 1024;

/**
 * Whether Lambda carries an answer with this body. It travels as a JSON string: there bytes are base64,
 * and the quotes and line ends of a text take two bytes.
 */
export function isSendable(body: string | Uint8Array): boolean {
  if (typeof body !== 'string') return Math.ceil(body.length / 3) * 4 <= MOST_ANSWER_BYTES;
  // Most texts need not be looked at: no character takes more than six bytes.
  return body.length * 6 <= MOST_ANSWER_BYTES || Buffer.byteLength(JSON.stringify(body)) <= MOST_ANSWER_BYTES;
}
