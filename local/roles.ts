import { nameInArn, type Template } from './template.ts';

type Values = string | readonly string[];
/** What a role allows, as it stands in a template. */
export type Statement = {
  readonly Effect: string;
  readonly Action: Values;
  readonly Resource: Values;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Values>>>>;
};
type Policy = { readonly PolicyDocument: { readonly Statement: readonly Statement[] } };
type RoleProperties = { readonly Policies?: readonly Policy[] };

/** One thing that somebody is about to do. */
export type Act = {
  /** `s3:GetObject` */
  readonly action: string;
  /** An ARN. */
  readonly resource: string;
  /** What conditions may ask for, by its key in IAM; left out where AWS would leave it out. */
  readonly context: Readonly<Record<string, readonly string[]>>;
};

/** Whether a function may do something, by its logical id. */
export type Roles = (functionId: string, act: Act) => boolean;

const listed = (values: Values): readonly string[] => (typeof values === 'string' ? [values] : values);

/** IAM's `*` stands for any text; nothing of ours holds a `?`. */
const isLike = (pattern: string, text: string): boolean => {
  const [first = '', ...others] = pattern.split('*');
  if (others.length === 0) return pattern === text;
  const last = others.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let rest = text.slice(first.length, text.length - last.length);
  for (const part of others.slice(0, -1)) {
    const at = rest.indexOf(part);
    if (at === -1) return false;
    rest = rest.slice(at + part.length);
  }
  return true;
};

const isLikeAny = (patterns: Values, text: string) => listed(patterns).some((each) => isLike(each, text));

/** The operators that the template uses, and no other: `ForAllValues` holds for what is not there at all. */
const OPERATORS: Readonly<Record<string, (given: readonly string[] | undefined, wanted: Values) => boolean>> =
  {
    StringLike: (given, wanted) => given?.length === 1 && isLikeAny(wanted, given[0] ?? ''),
    'ForAllValues:StringLike': (given = [], wanted) => given.every((each) => isLikeAny(wanted, each)),
  };

const allows = ({ Action, Resource, Condition = {} }: Statement, { action, resource, context }: Act) =>
  isLikeAny(Action, action) &&
  isLikeAny(Resource, resource) &&
  Object.entries(Condition).every(([name, keys]) => {
    const holds = OPERATORS[name];
    if (holds === undefined) throw new Error(`the local runner does not know IAM's ${name}`);
    return Object.entries(keys).every(([key, wanted]) => holds(context[key], wanted));
  });

/** What the role of each function of a template says, in itself and in policies beside it. */
export function statementsOf(template: Template): ReadonlyMap<string, readonly Statement[]> {
  const beside = template.resources<Policy & { readonly Roles?: readonly string[] }>('AWS::IAM::Policy');
  const roles = new Map(
    template.resources<RoleProperties>('AWS::IAM::Role').map(({ id, properties: { Policies = [] } }) => {
      const others = beside
        .map(({ properties }) => properties)
        .filter(({ Roles = [] }) => Roles.includes(id));
      const statements = [...Policies, ...others].flatMap(({ PolicyDocument: { Statement } }) => Statement);
      if (statements.some(({ Effect }) => Effect !== 'Allow')) throw new Error(`${id} denies something`);
      return [id, statements];
    }),
  );
  return new Map(
    template
      .resources<{ readonly Role: string }>('AWS::Lambda::Function')
      .map(({ id, properties: { Role } }) => [id, roles.get(nameInArn(Role)) ?? []]),
  );
}

/** What the functions with these roles may do. */
export function rolesOf(functions: ReadonlyMap<string, readonly Statement[]>): Roles {
  return (functionId, act) => (functions.get(functionId) ?? []).some((statement) => allows(statement, act));
}
