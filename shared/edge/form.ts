import { buffer } from 'node:stream/consumers';
import busboy from 'busboy';
import { Fault } from '../domain/fault.ts';
import { mediaTypeOf, type Request } from './request.ts';

/** The files of an upload by form, each at most once. */
export type UploadForm = { readonly chart?: Uint8Array; readonly prov?: Uint8Array };

/** The fields that a deployment takes files from, besides `chart` and `prov`. */
export type FormFields = { readonly chart: string; readonly prov: string };

// Far above what any client sends; the gateway bounds the whole body already.
const LIMITS = { parts: 32, headerPairs: 32, fieldSize: 64 * 1024 };

/** Whether the body is a form. The media type counts in any case (RFC 9110, 8.3.1). */
export function isForm(request: Request): boolean {
  return mediaTypeOf(request) === 'multipart/form-data';
}

/**
 * Reads the fields `chart` and `prov` of a form, or those that the deployment names. Of two parts of one name the first counts, and a part
 * without a file name is no file: so does ChartMuseum.
 *
 * @throws Fault `invalid_request` for a form that cannot be read, or that has neither
 */
export async function readForm(request: Request, fields: FormFields): Promise<UploadForm> {
  const files = await readFiles(request);
  const chart = files.get('chart') ?? files.get(fields.chart);
  const prov = files.get('prov') ?? files.get(fields.prov);
  if (chart === undefined && prov === undefined) {
    throw new Fault(
      'invalid_request',
      `no package or provenance file found in form fields ${fields.chart} and ${fields.prov}`,
    );
  }
  return { ...(chart && { chart }), ...(prov && { prov }) };
}

type FormFile = { readonly name: string; readonly filename: string | undefined; readonly bytes: Uint8Array };

function readFiles({ headers, body }: Request): Promise<ReadonlyMap<string, Uint8Array>> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown) => reject(unreadable(cause));
    const parts: Promise<FormFile>[] = [];
    const form = openForm(headers);
    form.on('file', (name, stream, { filename }) => {
      const part = buffer(stream).then((bytes) => ({ name, filename, bytes }));
      part.catch(refuse);
      parts.push(part);
    });
    form.on('partsLimit', () => refuse(new Error(`more than ${LIMITS.parts} parts`)));
    form.on('error', refuse);
    form.on('close', () => Promise.all(parts).then((all) => resolve(firstOfEachName(all)), refuse));
    // Not end(): busboy would wait for ever for a file that is open where the form ends.
    form.write(body, () => form.destroy());
  });
}

function firstOfEachName(all: readonly FormFile[]): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const { name, filename, bytes } of all) if (filename && !files.has(name)) files.set(name, bytes);
  return files;
}

function openForm(headers: Request['headers']): busboy.Busboy {
  try {
    return busboy({ headers, limits: LIMITS });
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(cause: unknown): Fault {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Fault('invalid_request', `the multipart form cannot be read: ${reason}`, { cause });
}
