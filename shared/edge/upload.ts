import { canaryName } from '../contract.ts';
import { Fault } from '../domain/fault.ts';
import type { Repository } from '../domain/repository.ts';
import type { Taken } from '../upload.ts';
import type { Environment } from './environment.ts';
import type { Request } from './request.ts';
import { count, note } from './run.ts';

/** What a deployment allows uploads. */
export type UploadRules = Pick<Environment, 'maxUploadBytes' | 'formFields'>;

/**
 * Whether the client asks to replace, or to delete, what is there: `?force`, which `helm cm-push` sends without a value.
 * ChartMuseum takes `force=false` for yes; we do not.
 */
export function asksForForce({ query }: Request): boolean {
  const force = query.get('force');
  return force !== null && !['false', '0'].includes(force.toLowerCase());
}

/**
 * The body as the bytes that the client sent.
 *
 * @throws Fault `text_body` if the gateway took them for text: packages are destroyed by that
 */
export function binaryBody({ body, bodyIsText, headers }: Request): Uint8Array {
  if (!bodyIsText) return body;
  throw new Fault(
    'text_body',
    `a body of type ${headers['content-type'] ?? 'text'} is read as text, which destroys a package: ` +
      'send it as curl -H "Content-Type: application/octet-stream" --data-binary @chart.tgz',
  );
}

/** Has the line about the request tell what was published. */
export function noteTaken(taken: Taken | undefined): void {
  if (taken === undefined) return;
  note({ chart: taken.id.name, chartVersion: taken.id.version });
  if (taken.what === 'package' && taken.id.repository !== canaryName) count({ Published: 1 });
}

/** @throws Fault `invalid_request` for nothing at all, `too_large` above the deployment's limit */
export function checkSize(
  file: Uint8Array,
  what: 'package' | 'provenance file',
  { maxUploadBytes, repository }: Pick<UploadRules, 'maxUploadBytes'> & { readonly repository: Repository },
): void {
  if (file.length === 0) {
    throw new Fault(
      'invalid_request',
      `the ${what} is empty: send a file's bytes, as curl --data-binary @file does`,
    );
  }
  if (file.length > maxUploadBytes) {
    // In full: below Harbor's addresses, where it may have been sent to, there is no such path.
    const uploads = `/api${repository === '' ? '' : `/${repository}`}/uploads`;
    throw new Fault(
      'too_large',
      `the ${what} has ${file.length} bytes, and an upload may have ${maxUploadBytes}: ` +
        `ask POST …${uploads} for a way past this limit, or name in .helmignore what the chart does not need`,
    );
  }
}
