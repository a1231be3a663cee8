import { Fault } from './fault.ts';
import { numberOf } from './project.ts';
import type { Repository } from './repository.ts';

/** What a label says, which may change. */
export type LabelWish = {
  readonly name: string;
  readonly description: string;
  /** As a client wrote it, mostly `#rrggbb`. */
  readonly color: string;
};

/** A word that can be attached to versions, as Harbor has them. */
export type Label = LabelWish & {
  /** 31 bits and positive, which clients made from Harbor's description can read. */
  readonly id: number;
  /** The project whose versions may have it; left out where those of every project may. */
  readonly project?: Repository;
  /** RFC 3339 in UTC, as the next one. */
  readonly created: string;
  readonly updated: string;
  /** Another one after each change. */
  readonly revision: string;
};

/** The largest number of 31 bits, and so the largest id. */
export const MOST_ID = 2 ** 31 - 1;

/** How many labels a version may have: their names are shown with every list of versions. */
export const MOST_LABELS = 50;

/** How many labels a project may have, and everybody: all of them are read to show those of a version. */
export const MOST_TOGETHER = 500;

// Harbor's columns are as wide, but for the description, of which it keeps any length.
const MOST_CHARACTERS = { name: 128, description: 1024, color: 16 } as const;

/**
 * Reads what a label is to say, from JSON. Clients send back all that they were shown, so the rest is passed over.
 *
 * @throws Fault `invalid_request`
 */
export function parseLabelWish(value: unknown): LabelWish {
  const { name, description, color }: Record<string, unknown> = Object(value);
  const wish = {
    name: parseText('name', name),
    description: parseText('description', description ?? ''),
    color: parseText('color', color ?? ''),
  };
  if (wish.name.trim() === '') throw new Fault('invalid_request', '"name" must not be empty');
  return wish;
}

function parseText(key: keyof typeof MOST_CHARACTERS, value: unknown): string {
  const most = MOST_CHARACTERS[key];
  // Half a surrogate pair is in no UTF-8: it would come back as something else.
  if (typeof value === 'string' && value.length <= most && !/[\p{Cc}\p{Cs}]/u.test(value)) return value;
  throw new Fault(
    'invalid_request',
    `"${key}" must be a text of at most ${most} characters, without line ends and other control characters`,
  );
}

/**
 * Reads whose a label is, or whose labels are asked for.
 *
 * @returns the number of a project; undefined for everybody's
 * @throws Fault `invalid_request`
 */
export function parseLabelScope(scope: unknown, project: unknown): number | undefined {
  if (scope === 'g') return undefined;
  if (scope === 'p' && isId(project)) return project;
  throw new Fault(
    'invalid_request',
    '"scope" must be "g" for the labels of all projects, or "p" for those of one, with its number as "project_id"',
  );
}

/**
 * Reads which label is meant, from JSON.
 *
 * @throws Fault `invalid_request`
 */
export function parseLabelChoice(value: unknown): number {
  const { id }: Record<string, unknown> = Object(value);
  if (isId(id)) return id;
  throw new Fault('invalid_request', 'say which label, by its number, as {"id": 1}');
}

/** @returns undefined for what is nobody's id */
export function readLabelId(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  return isId(id) ? id : undefined;
}

const isId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST_ID;

/** A label as Harbor's API shows it. */
export const shownLabel = ({ id, name, description, color, project, created, updated }: Label) => ({
  id,
  name,
  description,
  color,
  scope: project === undefined ? 'g' : 'p',
  project_id: project === undefined ? 0 : numberOf(project),
  creation_time: created,
  update_time: updated,
  deleted: false,
});

/** In the order in which they are shown: by name, and of one name everybody's first. */
export function inLabelOrder(a: Label, b: Label): number {
  return compare(a.name, b.name) || compare(a.project ?? '', b.project ?? '');
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
