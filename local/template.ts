import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The account and region that everything here pretends to live in. */
export const account = '000000000000';
export const region = 'us-east-1';

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
type JsonObject = { readonly [key: string]: Json };
type TemplateFile = {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: JsonObject }>>;
};
type Destination = { readonly objectKey: string };
type Asset = {
  readonly source: { readonly path: string };
  readonly destinations: Record<string, Destination>;
};
type AssetFile = { readonly files: Readonly<Record<string, Asset>> };

export type Resource<Properties> = { readonly id: string; readonly properties: Properties };

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::Region': region,
  'AWS::AccountId': account,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'local',
};

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a resource is called: its logical id, lower-cased for buckets, which allow nothing else. */
const physicalName = (id: string, type: string) => (type === 'AWS::S3::Bucket' ? id.toLowerCase() : id);

/** The name at the end of one of our own ARNs. */
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
      .filter(([, { Type }]) => types.includes(Type))
      .map(([id, { Properties = {} }]) => ({ id, properties: this.#resolve(Properties) as Properties }));
  }

  /** @returns the local path of the file or folder that the deployment would put at that S3 key */
  asset(key: string): string {
    const found = this.#assets.get(key);
    if (found === undefined) throw new Error(`the assembly has no asset ${key}`);
    return found;
  }

  /** @returns nothing for `AWS::NoValue`, which leaves a property out */
  #resolve(value: Json): Json | undefined {
    if (Array.isArray(value)) {
      return value.map((item: Json) => this.#resolve(item)).filter((item) => item !== undefined);
    }
    if (!isObject(value)) return value;
    const [[name, argument] = ['', null], ...others] = Object.entries(value);
    if (others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return this.#call(name, argument);
    const resolved = Object.entries(value).map(([key, item]) => [key, this.#resolve(item)] as const);
    return Object.fromEntries(resolved.filter((entry): entry is [string, Json] => entry[1] !== undefined));
  }

  #call(name: string, argument: Json): Json | undefined {
    const [first = null, second = null]: readonly Json[] = Array.isArray(argument) ? argument : [argument];
    const text = (item: Json) => String(this.#resolve(item));
    const texts = (item: Json) => [this.#resolve(item) ?? []].flat().map(String);
    switch (name) {
      case 'Ref':
        return this.#reference(String(argument));
      case 'Fn::GetAtt':
        return this.#attribute(Array.isArray(argument) ? argument.join('.') : String(argument));
      case 'Fn::Join':
        return texts(second).join(text(first));
      case 'Fn::Split':
        return text(second).split(text(first));
      case 'Fn::Select':
        return texts(second)[Number(first)];
      case 'Fn::Sub':
        return this.#substitute(String(first), second);
      default:
        throw new Error(`the local runner does not know ${name}`);
    }
  }

  #substitute(pattern: string, values: Json): string {
    return pattern.replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      const given = isObject(values) ? values[name] : undefined;
      if (given !== undefined) return String(this.#resolve(given));
      return (name.includes('.') ? this.#attribute(name) : this.#reference(name)) ?? '';
    });
  }

  #reference(name: string): string | undefined {
    if (name === 'AWS::NoValue') return undefined;
    const type = this.#file.Resources[name]?.Type;
    // Secrets are called by their ARN, as CloudFormation's Ref of them is.
    if (type === 'AWS::SecretsManager::Secret') return this.#attribute(`${name}.Arn`);
    const found = type === undefined ? PSEUDO_PARAMETERS[name] : physicalName(name, type);
    if (found === undefined) throw new Error(`the template refers to ${name}, which is unknown here`);
    return found;
  }

  #attribute(reference: string): string {
    const [id = '', attribute] = reference.split('.');
    const type = this.#file.Resources[id]?.Type ?? '';
    if (type === 'AWS::ApiGatewayV2::Api' && attribute === 'ApiEndpoint') return this.#apiUrl;
    if (type === '' || attribute !== 'Arn') throw new Error(`the attribute ${reference} is unknown here`);
    if (type === 'AWS::S3::Bucket') return `arn:aws:s3:::${physicalName(id, type)}`;
    return `arn:aws:${type.split('::')[1]?.toLowerCase()}:${region}:${account}:${id}`;
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
  const [template, ...others] = files.filter((name) => name.endsWith('.template.json'));
  if (template === undefined || others.length > 0) throw new Error(`expected one template in ${directory}`);
  const assets = files
    .filter((name) => name.endsWith('.assets.json'))
    .flatMap((name) => Object.values((read(name) as AssetFile).files))
    .flatMap(({ source, destinations }) =>
      Object.values(destinations).map(
        ({ objectKey }) => [objectKey, path.resolve(directory, source.path)] as const,
      ),
    );
  return new Template(read(template) as TemplateFile, new Map(assets), apiUrl);
}
