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
  'AWS::URLSuffix': 'amazonaws.com',
};

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The name at the end of one of our own ARNs. */
export const nameInArn = (arn: string) => arn.split(/[:/]/).at(-1) ?? arn;

/** What stands before the name in ARNs of these types; not in those of queues. */
const ARN_KINDS: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'table/',
  'AWS::Lambda::Function': 'function:',
  'AWS::Logs::LogGroup': 'log-group:',
  'AWS::SecretsManager::Secret': 'secret:',
};

/** A synthesized CloudFormation template whose intrinsic functions are resolved to local names. */
export class Template {
  readonly #resources: Resources;
  readonly #assets: ReadonlyMap<string, string>;
  readonly #apiUrl: string;

  constructor(resources: Resources, assets: ReadonlyMap<string, string>, apiUrl: string) {
    this.#resources = resources;
    this.#assets = assets;
    this.#apiUrl = apiUrl;
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
    if (name === 'Fn::GetAtt' && second === 'ApiEndpoint') return this.#apiUrl;
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
    const service = type.split('::')[1]?.toLowerCase();
    return `arn:aws:${service}:${region}:${account}:${ARN_KINDS[type] ?? ''}${id}`;
  }
}

/**
 * Reads a cloud assembly, the folder that `cdk synth` writes.
 *
 * @param apiUrl where its API is on this computer
 */
export function readAssembly(directory: string, apiUrl = ''): Template {
  return new Template(readResources(directory), readAssets(directory), apiUrl);
}

/**
 * The resources of an assembly's template and of its nested stacks as if all stood in one. Their names differ, since
 * CDK makes them of what the constructs are called.
 */
export function readResources(directory: string): Resources {
  const templates = readdirSync(directory).filter((name) => name.endsWith('.template.json'));
  const [template, ...others] = templates.filter((name) => !name.endsWith('.nested.template.json'));
  if (template === undefined || others.length > 0) throw new Error(`expected one template in ${directory}`);
  const assets = readAssets(directory);
  const all = Object.entries(readTemplate(directory, template)).flatMap(([id, resource]) => {
    if (resource.Type !== 'AWS::CloudFormation::Stack') return [[id, resource] as const];
    const { TemplateURL: url = null, Parameters: parameters = {} } = resource.Properties ?? {};
    const [key = ''] = /[0-9a-f]{64}\.json/.exec(JSON.stringify(url)) ?? [];
    const nested = readTemplate(directory, assets.get(key) ?? key);
    return Object.entries(withParameters(nested, parameters as JsonObject) as unknown as Resources);
  });
  return Object.fromEntries(all);
}

function readTemplate(directory: string, file: string): Resources {
  const text = readFileSync(path.resolve(directory, file), 'utf8');
  return (JSON.parse(text) as { readonly Resources: Resources }).Resources;
}

/** The local path of each asset, by the key that it would have in S3. */
function readAssets(directory: string): ReadonlyMap<string, string> {
  const assets = new Map<string, string>();
  for (const name of readdirSync(directory).filter((each) => each.endsWith('.assets.json'))) {
    const text = readFileSync(path.join(directory, name), 'utf8');
    const declared = JSON.parse(text) as { readonly files: Readonly<Record<string, Asset>> };
    for (const { source, destinations } of Object.values(declared.files)) {
      for (const { objectKey } of Object.values(destinations)) {
        assets.set(objectKey, path.resolve(directory, source.path));
      }
    }
  }
  return assets;
}

/** Puts the values of a nested stack's parameters in their place. */
function withParameters(value: Json, parameters: JsonObject): Json {
  if (Array.isArray(value)) return value.map((item: Json) => withParameters(item, parameters));
  if (!isObject(value)) return value;
  const given = typeof value['Ref'] === 'string' ? parameters[value['Ref']] : undefined;
  if (given !== undefined) return given;
  const items = Object.entries(value).map(([key, item]) => [key, withParameters(item, parameters)]);
  return Object.fromEntries(items);
}
