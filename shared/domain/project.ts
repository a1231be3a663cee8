import { createHash } from 'node:crypto';
import type { Role } from './access.ts';
import { Fault } from './fault.ts';
import type { KnownRepository } from './known-repository.ts';
import { parseRepository, type Repository } from './repository.ts';
import type { AllRepositorySettings } from './settings.ts';

/** Whether Harbor's clients see a repository as a project: the name of one is a single segment. */
export const isProject = (repository: Repository): boolean => repository !== '' && !repository.includes('/');

/**
 * The number by which Harbor's clients ask for something that we know by name. It is made of the name, so that
 * nothing has to be counted or kept; of two names with the same number, neither is found by it. 31 bits: clients
 * made from Harbor's description read it into a signed 32-bit number.
 */
export function numberOf(name: string): number {
  const number = createHash('sha256').update(name).digest().readUInt32BE(0) >>> 1;
  return number === 0 ? 1 : number;
}

/** What a project says of itself that is made by Harbor's API: its users publish again what is there. */
export const newProjectSettings = (isPublic: boolean): Partial<AllRepositorySettings> => ({
  anonymousRead: isPublic,
  allowOverwrite: true,
  publishersReplace: true,
});

// As Harbor has it; with our own rules for the names of repositories, at most 128 characters.
const PROJECT_NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** Whether Harbor's API could make a project of this name. */
export const isProjectName = (repository: Repository): boolean => PROJECT_NAME.test(repository);

/** @throws Fault `invalid_request` for a name that Harbor refuses, `invalid_repository` for one that no repository can have */
export function parseProjectName(value: unknown): Repository {
  if (typeof value !== 'string') {
    throw new Fault(
      'invalid_request',
      '"project_name" is missing, or is no text: send {"project_name": "…"} with the name of the project',
    );
  }
  if (!PROJECT_NAME.test(value)) {
    throw new Fault(
      'invalid_request',
      `${shown(value)} cannot name a project: send "project_name" in lower case, of letters and digits with single ".", "_" or "-" between them`,
    );
  }
  return parseRepository([value]);
}

/** What a project is to be, as far as it is the same here. */
export type ProjectWish = {
  /** Whether everybody may read; undefined where nothing is said. */
  readonly isPublic: boolean | undefined;
};

/**
 * Reads what a project is to be, from JSON: `metadata.public`, or `public` of Harbor 1.x. What has no meaning here is
 * left out, as Harbor does with what it does not know.
 *
 * @throws Fault `invalid_request`
 */
export function parseProjectWish(value: unknown): ProjectWish {
  const { metadata, public: older, registry_id: registry }: Record<string, unknown> = Object(value);
  if (registry !== undefined && registry !== null && registry !== 0) {
    throw new Fault(
      'invalid_request',
      'a project that passes on what another registry has ("registry_id") cannot be made: leave it out',
    );
  }
  const said = parseMetadata(metadata)['public'] ?? older ?? undefined;
  return { isPublic: said === undefined || said === '' ? undefined : parsePublic(said) };
}

function parseMetadata(value: unknown): Record<string, unknown> {
  const metadata = value ?? {};
  if (typeof metadata === 'object' && !Array.isArray(metadata)) return { ...metadata };
  throw new Fault('invalid_request', `"metadata" is an object, not ${shown(metadata)}`);
}

function parsePublic(value: unknown): boolean {
  // Harbor's first clients send numbers.
  if ([true, 'true', 1, '1'].some((yes) => yes === value)) return true;
  if ([false, 'false', 0, '0'].some((no) => no === value)) return false;
  throw new Fault('invalid_request', `"public" is "true" or "false", not ${shown(value)}`);
}

const shown = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 80);

/** Which projects a list is asked for. */
export type ProjectFilter = {
  readonly isNamed: (name: string) => boolean;
  /** Those that everybody may read, or the others; undefined for both. */
  readonly isPublic: boolean | undefined;
};

/**
 * Reads which projects a list is asked for: a part of the name by `name`, `public`, and the same by `q`
 * (`name=~part`, `name=exactly`, `public=true`, with commas between them). What else can be asked of a Harbor is no
 * filter here.
 *
 * @throws Fault `invalid_request`
 */
export function parseProjectFilter(query: URLSearchParams): ProjectFilter {
  const terms = (query.get('q') ?? '').split(',').flatMap((term) => {
    const [, key, fuzzy, value] = /^(\w+)=(~?)(.*)$/.exec(term.trim()) ?? [];
    return key === undefined ? [] : [{ key, isPart: fuzzy === '~', value: value ?? '' }];
  });
  const part = query.get('name') ?? '';
  const names = terms.filter(({ key }) => key === 'name');
  const said = query.get('public') ?? terms.find(({ key }) => key === 'public')?.value ?? '';
  return {
    isNamed: (name) =>
      name.includes(part) &&
      names.every(({ isPart, value }) => (isPart ? name.includes(value) : name === value)),
    isPublic: said === '' ? undefined : parsePublic(said),
  };
}

/**
 * A repository as Harbor's API shows a project.
 *
 * @param owner empty for who is not told
 */
export const shownProject = (
  { path, created }: Pick<KnownRepository, 'path' | 'created'>,
  {
    isPublic,
    charts,
    owner,
    role,
  }: { isPublic: boolean; charts: number; owner: string; role: Role | undefined },
) => ({
  project_id: numberOf(path),
  owner_id: owner === '' ? 0 : numberOf(owner),
  owner_name: owner,
  name: path,
  creation_time: created,
  update_time: created,
  deleted: false,
  chart_count: charts,
  repo_count: 0,
  current_user_role_id: role === undefined ? 0 : harborRoles[role].id,
  current_user_role_ids: role === undefined ? [] : [harborRoles[role].id],
  metadata: { public: String(isPublic) },
});

/** What Harbor calls our roles. */
const harborRoles: Readonly<Record<Role, { readonly id: number; readonly name: string }>> = {
  reader: { id: 3, name: 'guest' },
  publisher: { id: 2, name: 'developer' },
  maintainer: { id: 4, name: 'maintainer' },
  admin: { id: 1, name: 'projectAdmin' },
};

/** What a member gets who is given one of Harbor's roles. */
export type RoleWish = {
  readonly role: Role;
  /** The role that whoever has it keeps. */
  readonly stays: Role | undefined;
};

/** Harbor's project admin is a maintainer here, unless an admin has made him more; a limited guest is a guest. */
const givenRoles: ReadonlyMap<unknown, Role> = new Map([
  [1, 'maintainer'],
  [2, 'publisher'],
  [3, 'reader'],
  [4, 'maintainer'],
  [5, 'reader'],
]);

/** @throws Fault `invalid_request` */
export function parseRoleId(value: unknown): RoleWish {
  const role = givenRoles.get(value);
  if (role !== undefined) return { role, stays: value === harborRoles.admin.id ? 'admin' : undefined };
  throw new Fault(
    'invalid_request',
    `"role_id" is 1 (project admin) or 4 (maintainer), 2 (developer), 3 or 5 (guest), not ${shown(value)}`,
  );
}

/** Somebody with a role in a project, as Harbor's API shows a member. */
export const shownMember = (project: Repository, { name, role }: { name: string; role: Role }) => ({
  id: numberOf(name),
  project_id: numberOf(project),
  entity_name: name,
  role_name: harborRoles[role].name,
  role_id: harborRoles[role].id,
  entity_id: numberOf(name),
  entity_type: 'u',
});
