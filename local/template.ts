import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The account and region that everything here pretends to live in. */
export const account = '000000000000';
export const region = 'us-east-1';

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
type JsonObject = { readonly [key: string]: Json };
type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties?: JsonObject }>>;
type Asset = {
  readonly source: { readonly path: string };
  readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
};

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::Region': region,
  'AWS::AccountId': account,
  'AWS::Partition': 'aws',
};

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The name at the end of one of our own ARNs. */
export const nameInArn = (arn: string) => arn.split(/[:/]/).at(-1) ?? arn;

/** A synthesized CloudFormation template whose intrinsic functions are resolved to local names. */
export class Template {
  readonly #resources: Resources;
  readonly #assets: ReadonlyMap<string, string>;

  constructor(resources: Resources, assets: ReadonlyMap<string, string>) {
    this.#resources = resources;
    this.#assets = assets;
  }

  /**
   * Every resource of a type, its properties resolved.
   *
   * @typeParam Properties what the caller reads of them; CloudFormation's own documentation is the contract
   * @throws for an intrinsic function that is not imitated here
   */
  resources<Properties>(type: string): readonly { readonly id: string; readonly properties: Properties }[] {
    return Object.entries(this.#resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties = {} }]) => ({ id, properties: this.#resolve(Properties) as Properties }));
  }

  /** @returns the local path of the file or folder that the deployment would put at that S3 key */
  asset(key: string): string {
    const found = this.#assets.get(key);
    if (found === undefined) throw new Error(`the assembly has no asset ${key}`);
    return found;
  }

  #resolve(value: Json): Json {
    if (Array.isArray(value)) return value.map((item: Json) => this.#resolve(item));
    if (!isObject(value)) return value;
    const [[name, argument] = ['', null], ...others] = Object.entries(value);
    if (others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return this.#call(name, argument);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#resolve(item)]));
  }

  #call(name: string, argument: Json): string {
    if (name === 'Ref') return this.#reference(String(argument));
    if (name === 'Fn::Sub') {
      return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_, each: string) => this.#reference(each));
    }
    const [first = null, second = null]: readonly Json[] = Array.isArray(argument) ? argument : [];
    if (name === 'Fn::GetAtt' && second === 'Arn') return this.#arn(String(first));
    if (name === 'Fn::Join') return [this.#resolve(second)].flat().join(String(first));
    throw new Error(`the local runner does not know ${name} of ${JSON.stringify(argument)}`);
  }

  /** What a resource is called: its logical id, lower-cased for buckets, which allow nothing else. */
  #reference(name: string): string {
    const type = this.#resources[name]?.Type;
    // Secrets are called by their ARN, as CloudFormation's Ref of them is.
    if (type === 'AWS::SecretsManager::Secret') return this.#arn(name);
    const found = type === undefined ? PSEUDO_PARAMETERS[name] : name;
    if (found === undefined) throw new Error(`the template refers to ${name}, which is unknown here`);
    return type === 'AWS::S3::Bucket' ? name.toLowerCase() : found;
  }

  #arn(id: string): string {
    const type = this.#resources[id]?.Type;
    if (type === undefined) throw new Error(`the template refers to ${id}, which is unknown here`);
    if (type === 'AWS::S3::Bucket') return `arn:aws:s3:::${this.#reference(id)}`;
    return `arn:aws:${type.split('::')[1]?.toLowerCase()}:${region}:${account}:${id}`;
  }
}

/** Reads a cloud assembly, the folder that `cdk synth` writes. */
export function readAssembly(directory: string): Template {
  const files = readdirSync(directory);
  const read = (name: string): unknown => JSON.parse(readFileSync(path.join(directory, name), 'utf8'));
  const [template, ...others] = files.filter((name) => name.endsWith('.template.json'));
  if (template === undefined || others.length > 0) throw new Error(`expected one template in ${directory}`);
  const assets = new Map<string, string>();
  for (const name of files.filter((each) => each.endsWith('.assets.json'))) {
    const declared = read(name) as { readonly files: Readonly<Record<string, Asset>> };
    for (const { source, destinations } of Object.values(declared.files)) {
      for (const { objectKey } of Object.values(destinations)) {
        assets.set(objectKey, path.resolve(directory, source.path));
      }
    }
  }
  return new Template((read(template) as { readonly Resources: Resources }).Resources, assets);
}
