import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { checkSignature, Refusal, type Secrets } from './sigv4.ts';

type Condition = readonly [kind: string, name: string | number, wanted: string | number];
type Policy = {
  readonly expiration: string;
  readonly conditions: readonly (Condition | Readonly<Record<string, string>>)[];
};

/** The fields of a browser's upload form, names in lower case. */
type PostForm = ReadonlyMap<string, string>;

// Fields that a policy need not mention.
const FREE = /^(policy|x-amz-signature|file|x-ignore-.*)$/;

const denied = (why: string) => new Refusal(403, 'AccessDenied', `Invalid according to Policy: ${why}`);

/** Reads an upload form; what follows its file is ignored, as S3 does. */
export async function readPostForm(body: Buffer, contentType: string) {
  const fields = new Map<string, string>();
  const files: Promise<Buffer>[] = [];
  const form = busboy({ headers: { 'content-type': contentType } });
  form.on('field', (name, value) => files.length > 0 || fields.set(name.toLowerCase(), value));
  form.on('file', (_, file) => files.push(buffer(file)));
  await pipeline(Readable.from([body]), form);
  const file = await files[0];
  if (file === undefined) throw new Refusal(400, 'InvalidArgument', 'POST requires exactly one file upload.');
  return { fields, file };
}

/**
 * Checks a form's signature and that its policy allows these fields and this file.
 *
 * @returns the access key of who signed it
 */
export function checkPolicy(fields: PostForm, file: Buffer, bucket: string, secrets: Secrets): string {
  const text = fields.get('policy');
  if (text === undefined) throw new Refusal(403, 'AccessDenied', 'Access Denied');
  const credential = fields.get('x-amz-credential') ?? '';
  const signer = checkSignature(fields.get('x-amz-signature') ?? '', text, credential, secrets);
  const policy = JSON.parse(Buffer.from(text, 'base64').toString()) as Policy;
  if (!(Date.parse(policy.expiration) > Date.now())) throw denied('Policy expired.');
  const conditions = policy.conditions.flatMap((condition): readonly Condition[] =>
    isList(condition)
      ? [condition]
      : Object.entries(condition).map(([name, value]) => ['eq', `$${name}`, value]),
  );
  const values = new Map([...fields, ['bucket', bucket]]);
  const covered = new Set(conditions.map((condition) => checkCondition(condition, values, file.length)));
  const extra = [...fields.keys()].find((name) => !covered.has(name) && !FREE.test(name));
  if (extra !== undefined) throw denied(`Extra input fields: ${extra}`);
  return signer;
}

const isList = (condition: Policy['conditions'][number]): condition is Condition => Array.isArray(condition);

/** @returns the name of the field that the condition is about */
function checkCondition([kind, name, wanted]: Condition, values: PostForm, sizeBytes: number): string {
  if (kind === 'content-length-range') {
    if (sizeBytes > Number(wanted)) throw new Refusal(400, 'EntityTooLarge', 'The file is too large');
    if (sizeBytes < Number(name)) throw new Refusal(400, 'EntityTooSmall', 'The file is too small');
    return 'file';
  }
  const field = String(name).slice(1).toLowerCase();
  const value = values.get(field) ?? '';
  const holds = kind === 'starts-with' ? value.startsWith(String(wanted)) : kind === 'eq' && value === wanted;
  if (!holds) throw denied(`Policy Condition failed: ["${kind}", "${name}", "${wanted}"]`);
  return field;
}
