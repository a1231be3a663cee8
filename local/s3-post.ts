import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { checkSignature, Refusal, type Secrets } from './sigv4.ts';

type Condition = readonly [string, string, string] | readonly ['content-length-range', number, number];
type Policy = {
  readonly expiration: string;
  readonly conditions: readonly (Condition | Readonly<Record<string, string>>)[];
};

/** The fields of a browser's upload form, names in lower case. */
export type PostForm = ReadonlyMap<string, string>;

// Fields that a policy need not mention.
const FREE = /^(policy|x-amz-signature|file|x-ignore-.*)$/;

const denied = (why: string) => new Refusal(403, 'AccessDenied', `Invalid according to Policy: ${why}`);

/**
 * Reads an upload form; the file must be its last field.
 *
 * @param receive called with the fields before the file and the file's bytes
 */
export async function readPostForm<Result>(
  request: Readable,
  contentType: string,
  receive: (fields: PostForm, file: Readable) => Promise<Result>,
): Promise<{ fields: PostForm; result: Result }> {
  const fields = new Map<string, string>();
  const results: Promise<Result>[] = [];
  const form = busboy({ headers: { 'content-type': contentType } });
  form.on('field', (name, value) => fields.set(name.toLowerCase(), value));
  form.on('file', (_, file) => {
    const result = receive(fields, file);
    result.catch(() => file.resume()); // read on to the end of a form whose file is refused
    results.push(result);
  });
  await pipeline(request, form);
  const result = await results[0];
  if (result === undefined)
    throw new Refusal(400, 'InvalidArgument', 'POST requires exactly one file upload.');
  return { fields, result };
}

/** Checks a form's signature and all of its policy but the file's size. @returns the bounds of that */
export function checkPolicy(
  fields: PostForm,
  bucket: string,
  secrets: Secrets,
): { least: number; most: number } {
  const text = fields.get('policy');
  if (text === undefined) throw new Refusal(403, 'AccessDenied', 'Access Denied');
  checkSignature(fields.get('x-amz-signature') ?? '', text, fields.get('x-amz-credential') ?? '', secrets);
  const policy = JSON.parse(Buffer.from(text, 'base64').toString()) as Policy;
  if (!(Date.parse(policy.expiration) > Date.now())) throw denied('Policy expired.');
  const conditions = policy.conditions.flatMap<Condition>((condition) =>
    Array.isArray(condition)
      ? [condition as Condition]
      : Object.entries(condition).map(([name, value]) => ['eq', `$${name}`, value] as const),
  );
  const values = new Map([...fields, ['bucket', bucket]]);
  let bounds = { least: 0, most: Number.POSITIVE_INFINITY };
  const covered = new Set(['bucket']);
  for (const [kind, name, wanted] of conditions) {
    if (kind === 'content-length-range') bounds = { least: Number(name), most: Number(wanted) };
    else covered.add(checkCondition(kind, String(name).slice(1).toLowerCase(), String(wanted), values));
  }
  const extra = [...fields.keys()].find((name) => !covered.has(name) && !FREE.test(name));
  if (extra !== undefined) throw denied(`Extra input fields: ${extra}`);
  return bounds;
}

/** @returns the name of the field that the condition is about */
function checkCondition(kind: string, name: string, wanted: string, values: PostForm): string {
  const value = values.get(name) ?? '';
  const holds =
    kind.toLowerCase() === 'starts-with' ? value.startsWith(wanted) : kind === 'eq' && value === wanted;
  if (!holds) throw denied(`Policy Condition failed: ["${kind}", "$${name}", "${wanted}"]`);
  return name;
}
