import { Fault } from './fault.ts';

/**
 * What one repository may be told. A deployment says it for all of its repositories, and a repository for
 * itself; what a repository does not say is as the deployment says it.
 */
export type RepositorySettings = {
  /** Whether publishing a version that is there replaces it without `?force`. @default false */
  readonly allowOverwrite: boolean;
  /** Whether `?force` replaces a version that is there. @default true */
  readonly allowForce: boolean;
  /** Whether versions and charts may be deleted. @default true */
  readonly allowDelete: boolean;
  /** Whether versions must follow semver.org to the letter: no `1.2`, no `v1.2.3`. @default false */
  readonly strictSemver: boolean;
  /** How many versions of a chart are kept; publishing one more deletes the oldest. 0: all. @default 0 */
  readonly maxVersionsPerChart: number;
  /** How many versions the repository may hold; one more is refused. 0: any number. @default 0 */
  readonly maxVersions: number;
  /** How many versions of each chart the index lists, the newest by Helm's rules. 0: all. @default 0 */
  readonly indexVersionsPerChart: number;
};

/** What only a repository says of itself, since it has no meaning for another. */
type OwnSettings = {
  /** Whether everybody may read, without an account, where access is closed. @default false */
  readonly anonymousRead: boolean;
  /** Whether whoever may publish may also replace what is there, as Harbor's developers may. @default false */
  readonly publishersReplace: boolean;
  /** Whether a package needs a provenance file signed by a key of `keyRing`. @default false */
  readonly requireSigned: boolean;
  /** Public keys: armored blocks one after the other, or a binary ring in base64. @default '' */
  readonly keyRing: string;
  /** What `artifacthub-repo.yml` says; a UUID. @default '' */
  readonly artifactHubRepositoryId: string;
};

export type AllRepositorySettings = RepositorySettings & OwnSettings;

/** A setting that cannot be used; the message names it and says what to write instead. */
export class SettingsError extends Fault {
  constructor(message: string) {
    super('invalid_request', message);
  }
}

export type Parse<T> = (value: unknown, key: string) => T;

/** @throws SettingsError always */
export function refuseSetting(key: string, value: unknown, wanted: string): never {
  const shown =
    value !== null && typeof value === 'object'
      ? 'an object or a list'
      : shorten(JSON.stringify(value) ?? '');
  throw new SettingsError(`setting "${key}" cannot be ${shown}: it must be ${wanted}`);
}

const shorten = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

export function matching(pattern: RegExp, wanted: string): Parse<string> {
  return (value, key) =>
    typeof value === 'string' && pattern.test(value) ? value : refuseSetting(key, value, wanted);
}

export function oneOf<T extends string>(...choices: readonly T[]): Parse<T> {
  return (value, key) =>
    choices.find((choice) => choice === value) ??
    refuseSetting(key, value, choices.map((choice) => `"${choice}"`).join(' or '));
}

/** The command line of cdk gives numbers as text. */
export function wholeNumber(least: number, most: number, meaning: string): Parse<number> {
  return (value, key) => {
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) {
      return number;
    }
    return refuseSetting(key, value, `a whole number ${meaning}, from ${least} to ${most}`);
  };
}

/** The command line of cdk gives `true` and `false` as text. */
export function parseBoolean(value: unknown, key: string): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  return refuseSetting(key, value, 'true or false');
}

// The item of the settings holds 400 KB; a ring of some hundred keys is far below.
const MOST_KEY_RING = 256 * 1024;
const MOST_BYTES = 350_000;

const UUID = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?$/i;

export type SettingRows<T> = {
  readonly [Key in keyof T]: { readonly fallback: T[Key]; readonly parse: Parse<T[Key]> };
};

/** Each setting of a repository that a deployment may say for all: its default, and what it may be. */
export const repositorySettings: SettingRows<RepositorySettings> = {
  allowOverwrite: { fallback: false, parse: parseBoolean },
  allowForce: { fallback: true, parse: parseBoolean },
  allowDelete: { fallback: true, parse: parseBoolean },
  strictSemver: { fallback: false, parse: parseBoolean },
  maxVersionsPerChart: {
    fallback: 0,
    parse: wholeNumber(0, 1_000_000, 'of versions of a chart'),
  },
  maxVersions: { fallback: 0, parse: wholeNumber(0, 1_000_000_000, 'of versions') },
  indexVersionsPerChart: {
    fallback: 0,
    parse: wholeNumber(0, 1_000_000, 'of versions of a chart in the index'),
  },
};

const ownSettings: SettingRows<OwnSettings> = {
  anonymousRead: { fallback: false, parse: parseBoolean },
  publishersReplace: { fallback: false, parse: parseBoolean },
  requireSigned: { fallback: false, parse: parseBoolean },
  keyRing: {
    fallback: '',
    parse: (value, key) =>
      typeof value === 'string' && value.length <= MOST_KEY_RING
        ? value
        : refuseSetting(key, value, `the text of a key ring, at most ${MOST_KEY_RING} characters`),
  },
  artifactHubRepositoryId: {
    fallback: '',
    parse: matching(UUID, 'the repository ID that Artifact Hub shows, such as "a1b2c3d4-…", or empty'),
  },
};

const allSettings: SettingRows<AllRepositorySettings> = { ...repositorySettings, ...ownSettings };

/**
 * Reads what a repository says of itself: a JSON object of settings.
 *
 * @throws SettingsError for an unknown key, a value that cannot be used, or one setting that needs another
 */
export function parseRepositorySettings(value: unknown): Partial<AllRepositorySettings> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SettingsError('send the settings as a JSON object, such as {"allowOverwrite": true}');
  }
  const said = Object.entries(value).map(([key, each]) => {
    if (!isSetting(key)) {
      throw new SettingsError(
        `there is no setting "${key}" of a repository; the settings are ${Object.keys(allSettings).join(', ')}`,
      );
    }
    return [key, allSettings[key].parse(each, key)] as const;
  });
  const parsed: Partial<AllRepositorySettings> = Object.fromEntries(said);
  const { requireSigned = false, keyRing = '' } = parsed;
  if (requireSigned !== (keyRing !== '')) {
    throw new SettingsError(
      'settings "requireSigned" and "keyRing" go together: give the public keys whose signatures count, or leave both out',
    );
  }
  if (Buffer.byteLength(JSON.stringify(parsed)) > MOST_BYTES) {
    throw new SettingsError(
      `the settings take more than ${MOST_BYTES} bytes: leave out of the key ring what is no key`,
    );
  }
  return parsed;
}

const isSetting = (key: string): key is keyof AllRepositorySettings => Object.hasOwn(allSettings, key);

/** What holds for a repository: what it says, else what its deployment says, else the defaults. */
export function effectiveSettings(
  own: Partial<AllRepositorySettings>,
  deployment: Partial<RepositorySettings>,
): AllRepositorySettings {
  const defaults = Object.entries(allSettings).map(([key, { fallback }]) => [key, fallback]);
  return { ...(Object.fromEntries(defaults) as AllRepositorySettings), ...deployment, ...own };
}
