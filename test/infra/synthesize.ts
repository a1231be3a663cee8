import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { chartroomApp } from '../../infra/chartroom-app.ts';
import { functionIds } from '../../infra/functions.ts';
import { readResources } from '../../local/template.ts';

/** A resource of a template, as far as tests look at it. */
export type Resource = {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
};

/** One right of a function: an action, what on, and under which condition. */
export type Right = { readonly action: string; readonly on: string; readonly condition: unknown };

/**
 * The template of a deployment with these settings, its bundles empty ones, with the resources of its nested stacks
 * as if they stood in it.
 *
 * @throws SettingsError when the settings cannot be used
 */
export const synthesize = (context: Record<string, unknown> = {}): Template => deployment(context).template;

/** How many resources each stack of a deployment has, the nested ones too, by the name of its template. */
export const resourceCounts = (): Readonly<Record<string, number>> => deployment({}).resourceCounts;

/** The logical IDs of the nested stacks themselves. */
export const nestedStackIds = (context: Record<string, unknown> = {}): readonly string[] =>
  deployment(context).nestedStackIds;

type Deployment = {
  readonly template: Template;
  readonly resourceCounts: Readonly<Record<string, number>>;
  readonly nestedStackIds: readonly string[];
};

function deployment(context: Record<string, unknown>): Deployment {
  const settings = JSON.stringify(context);
  const known = synthesized.get(settings);
  if (known !== undefined) return known;
  const made = withAssembly(context, ({ directory, stacks: [stack] }) => {
    if (stack === undefined) throw new Error('the app has no stack');
    const own = (stack.template as { Resources: Record<string, Resource> }).Resources;
    return {
      // Template also refuses resources that wait for each other.
      template: Template.fromJSON({ ...stack.template, Resources: readResources(directory) }),
      resourceCounts: countsIn(directory),
      nestedStackIds: Object.keys(own).filter((id) => own[id]?.Type === 'AWS::CloudFormation::Stack'),
    };
  });
  synthesized.set(settings, made);
  return made;
}

/** Many files look at the same: nobody changes them. */
const synthesized = new Map<string, Deployment>();

function countsIn(directory: string): Readonly<Record<string, number>> {
  const templates = readdirSync(directory).filter((name) => name.endsWith('.template.json'));
  return Object.fromEntries(
    templates.map((name) => {
      const { Resources }: { Resources: object } = JSON.parse(readFileSync(join(directory, name), 'utf8'));
      return [name.replace(/(\.nested)?\.template\.json$/, ''), Object.keys(Resources).length];
    }),
  );
}

/**
 * What the checkers of templates look at, with CDK's own validation in it.
 *
 * @param read is called while the folder of the assembly is there
 */
export function withCheckedApp<Result>(
  context: Record<string, unknown>,
  read: (assembly: CloudAssembly, app: App) => Result,
): Result {
  const before = process.env['CDK_VALIDATION'];
  delete process.env['CDK_VALIDATION'];
  try {
    return withAssembly(context, read);
  } finally {
    process.env['CDK_VALIDATION'] = before;
  }
}

function withAssembly<Result>(
  context: Record<string, unknown>,
  read: (assembly: CloudAssembly, app: App) => Result,
): Result {
  const folder = mkdtempSync(join(tmpdir(), 'chartroom-synth-'));
  try {
    const bundles = join(folder, 'bundles');
    for (const id of functionIds) {
      mkdirSync(join(bundles, id), { recursive: true });
      writeFileSync(join(bundles, id, 'index.mjs'), 'export const handler = async () => undefined;\n');
    }
    const app = chartroomApp({ bundles, context, outdir: join(folder, 'out') });
    return read(app.synth(), app);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every resource of the template, or of one type in it, by its logical ID. */
export function resourcesOf(template: Template, type?: string): Map<string, Resource> {
  const all = Object.entries(template.toJSON()['Resources'] as Record<string, Resource>);
  return new Map(all.filter(([, resource]) => type === undefined || resource.Type === type));
}

/** The one resource of a type, whose logical ID begins with the construct's path where there are several. */
export function resource(template: Template, type: string, logicalIdBegins = ''): [string, Resource] {
  const beginning = [...resourcesOf(template, type)].filter(([id]) => id.startsWith(logicalIdBegins));
  // What follows a construct's id mostly begins with a capital: get-project is not get-project-version.
  const own = beginning.filter(([id]) => !/^[a-z]/.test(id.slice(logicalIdBegins.length)));
  const found = own.length > 0 ? own : beginning;
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`${found.length} resources of ${type} begin with "${logicalIdBegins}"`);
  }
  return first;
}

/** CDK leaves all but letters and digits out of logical IDs. */
export const logicalPrefix = (functionId: string): string => functionId.replaceAll('-', '');

/** What a function's role allows, one row for each action and resource. */
export function rightsOf(template: Template, functionId: string): readonly Right[] {
  const [roleId, role] = resource(template, 'AWS::IAM::Role', logicalPrefix(functionId));
  // What CDK adds by itself comes in a policy beside the role.
  const beside = [...resourcesOf(template, 'AWS::IAM::Policy').values()].filter(({ Properties }) =>
    (Properties['Roles'] as readonly unknown[]).some((each) => textOf(each) === `<${roleId}>`),
  );
  const inside = (role.Properties['Policies'] ?? []) as readonly Policy[];
  const policies = [...inside, ...beside.map(({ Properties }) => Properties as Policy)];
  const statements = policies.flatMap(({ PolicyDocument: { Statement } }) => Statement);
  return statements.flatMap(({ Action, Resource, Condition }) =>
    listed(Action).flatMap((action) =>
      listed(Resource).map((on) => ({ action: String(action), on: textOf(on), condition: Condition })),
    ),
  );
}

type Policy = { readonly PolicyDocument: { readonly Statement: readonly Statement[] } };
type Statement = { readonly Action: unknown; readonly Resource: unknown; readonly Condition?: unknown };

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** CloudFormation's functions as text: `<LogicalId>` stands for what a resource is called in the end. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const {
    Ref: ref,
    'Fn::GetAtt': attribute,
    'Fn::Join': join,
  } = value as {
    Ref?: string;
    'Fn::GetAtt'?: readonly [string, string];
    'Fn::Join'?: readonly [string, readonly unknown[]];
  };
  if (ref !== undefined) return `<${ref}>`;
  if (attribute !== undefined) return `<${attribute[0]}>`;
  if (join !== undefined) return join[1].map(textOf).join(join[0]);
  throw new Error(`not a text: ${JSON.stringify(value)}`);
}

/** The environment variables that the template gives a function. */
export function environmentOf(template: Template, functionId: string): Record<string, unknown> {
  const [, found] = resource(template, 'AWS::Lambda::Function', logicalPrefix(functionId));
  return (found.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
}
