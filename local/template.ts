import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The account and region that everything here pretends to live in. */
export const account = '000000000000';
export const region = 'us-east-1';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };
type Declared = { readonly Type: string; readonly Properties?: JsonObject };
type TemplateFile = {
  readonly Resources: Readonly<Record<string, Declared>>;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: string }>>;
};
type AssetFile = {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path: string };
        readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
      }
    >
  >;
};

export type Resource<Properties> = { readonly id: string; readonly properties: Properties };

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a resource is called: its logical id, lower-cased for buckets, which allow nothing else. */
const physicalName = (id: string, type: string) => (type === 'AWS::S3::Bucket' ? id.toLowerCase() : id);

/** The logical id or bucket name at the end of one of our own ARNs. */
export const nameInArn = (arn: string) => arn.split(/[:/]/).at(-1) ?? arn;

/** A synthesized CloudFormation template whose intrinsic functions are resolved to local names. */
export class Template {
  readonly #file: TemplateFile;
  readonly #assets: ReadonlyMap<string, string>;
  readonly #apiUrl: string;

  constructor(file: TemplateFile, assets: ReadonlyMap<string, string>, apiUrl: string) {
    this.#file = file;
    this.#assets = assets;
    this.#apiUrl = apiUrl;
  }

  /**
   * Every resource of the types, its properties resolved.
   *
   * @typeParam Properties what the caller reads of them; CloudFormation's own documentation is the contract
   * @throws for an intrinsic function that is not imitated here
   */
  resources<Properties>(...types: readonly string[]): readonly Resource<Properties>[] {
    return Object.entries(this.#file.Resources)
      .filter(([, declared]) => types.includes(declared.Type))
      .map(([id, declared]) => ({
        id,
        properties: (this.#resolve(declared.Properties ?? {}) ?? {}) as Properties,
      }));
  }

  /** @returns the local path of the file or folder that the deployment would put at that S3 key */
  asset(key: string): string {
    const found = this.#assets.get(key);
    if (found === undefined) throw new Error(`the assembly has no asset ${key}`);
    return found;
  }

  #resolve(value: Json): Json | undefined {
    if (Array.isArray(value)) {
      return value.map((item: Json) => this.#resolve(item)).filter((item) => item !== undefined);
    }
    if (!isObject(value)) return value;
    const [[name, argument] = ['', null], ...others] = Object.entries(value);
    if (others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return this.#call(name, argument);
    const resolved: Record<string, Json> = {};
    for (const [key, item] of Object.entries(value)) {
      const result = this.#resolve(item);
      if (result !== undefined) resolved[key] = result; // AWS::NoValue leaves the property out
    }
    return resolved;
  }

  #call(name: string, argument: Json): Json | undefined {
    const list = Array.isArray(argument) ? argument : [argument];
    const text = (item: Json | undefined) => String(this.#resolve(item ?? null));
    const texts = (item: Json | undefined) => [this.#resolve(item ?? null) ?? []].flat().map(String);
    switch (name) {
      case 'Ref':
        return this.#reference(String(argument));
      case 'Fn::GetAtt':
        return this.#attribute(list.map(String).join('.'));
      case 'Fn::Join':
        return texts(list[1]).join(text(list[0]));
      case 'Fn::Split':
        return text(list[1]).split(text(list[0]));
      case 'Fn::Select':
        return texts(list[1])[Number(list[0])];
      case 'Fn::Sub':
        return this.#substitute(String(list[0]), list[1] ?? {});
      default:
        throw new Error(`the local runner does not know ${name}`);
    }
  }

  #substitute(pattern: string, values: Json): string {
    return pattern.replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      const given = isObject(values) ? values[name] : undefined;
      if (given !== undefined) return String(this.#resolve(given));
      return name.includes('.') ? this.#attribute(name) : (this.#reference(name) ?? '');
    });
  }

  #reference(name: string): string | undefined {
    const pseudo: Readonly<Record<string, string>> = {
      'AWS::Region': region,
      'AWS::AccountId': account,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': 'local',
      'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/local/0`,
    };
    if (name === 'AWS::NoValue') return undefined;
    const type = this.#file.Resources[name]?.Type;
    // These two are called by their ARN, as CloudFormation's Ref of them is.
    if (type === 'AWS::SecretsManager::Secret' || type === 'AWS::SNS::Topic')
      return this.#attribute(`${name}.Arn`);
    const found = type === undefined ? pseudo[name] : physicalName(name, type);
    const answer = found ?? this.#file.Parameters?.[name]?.Default;
    if (answer === undefined) throw new Error(`the template refers to ${name}, which is not in it`);
    return answer;
  }

  #attribute(reference: string): string {
    const [id = '', ...rest] = reference.split('.');
    const type = this.#file.Resources[id]?.Type;
    if (type === undefined) throw new Error(`the template refers to ${id}, which is not in it`);
    const name = physicalName(id, type);
    if (rest.join('.') === 'ApiEndpoint') return this.#apiUrl;
    if (rest.join('.') !== 'Arn')
      throw new Error(`the local runner does not know the attribute ${reference}`);
    const service = (type.split('::')[1] ?? '').toLowerCase();
    if (service === 's3') return `arn:aws:s3:::${name}`;
    return `arn:aws:${service}:${region}:${account}:${service === 'dynamodb' ? `table/${name}` : name}`;
  }
}

/**
 * Reads a cloud assembly, the folder that `cdk synth` writes.
 *
 * @param apiUrl what the API's `ApiEndpoint` attribute gives
 */
export function readAssembly(directory: string, apiUrl: string): Template {
  const files = readdirSync(directory);
  const read = (name: string): unknown => JSON.parse(readFileSync(path.join(directory, name), 'utf8'));
  const [template, ...others] = files.filter((name) => /(?<!\.nested)\.template\.json$/.test(name));
  if (template === undefined || others.length > 0) {
    throw new Error(
      `expected one stack in ${directory}, found ${others.length ? others.length + 1 : 'none'}`,
    );
  }
  const assets = new Map<string, string>();
  for (const name of files.filter((file) => file.endsWith('.assets.json'))) {
    for (const file of Object.values((read(name) as AssetFile).files)) {
      for (const { objectKey } of Object.values(file.destinations)) {
        assets.set(objectKey, path.resolve(directory, file.source.path));
      }
    }
  }
  return new Template(read(template) as TemplateFile, assets, apiUrl);
}
