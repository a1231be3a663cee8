import { Fault } from './fault.ts';

// What an operator copies into the inbox goes by its file's name, so a '+' may be in it.
const UPLOAD_ID = /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,250}$/;

/** Words at the end of other routes of that length; an upload so called would give a URL two readings. */
const RESERVED = new Set(['charts', 'prov', 'uploads', 'index.yaml', 'artifacthub-repo.yml']);

export function isUploadId(text: string): boolean {
  return UPLOAD_ID.test(text) && !RESERVED.has(text);
}

/**
 * The name of an upload through the bucket: its object's in the inbox, without `.tgz`.
 *
 * @throws Fault `invalid_request`
 */
export function parseUploadId(text: string): string {
  if (isUploadId(text)) return text;
  throw new Fault('invalid_request', `"${text.slice(0, 60)}" is no upload: POST …/uploads gives its name`);
}
