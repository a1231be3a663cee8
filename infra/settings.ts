import {
  matching,
  oneOf,
  parseBoolean,
  type RepositorySettings,
  refuseSetting,
  repositorySettings,
  type SettingRows,
  SettingsError,
  wholeNumber,
} from '../shared/domain/settings.ts';
import { type CloudSettings, checkCloudSettings, cloudSettings } from './cloud-settings.ts';
import { type JwtSettings, jwtSettings, tokenSettings } from './token-settings.ts';

/** The name of the context object that holds the settings in cdk.json. */
const OBJECT = 'chartroom';

// Lambda takes 6 MB, of which base64 leaves 4.5 MB of binary body.
const MOST_UPLOAD_BYTES = 4_500_000;

// The indexer holds a package in memory while it reads it (bench/README.md, "Memory").
const MOST_PACKAGE_BYTES = 104_857_600;

/** What a deployment can be told; what concerns repositories is in shared/domain/settings.ts. */
export type Settings = RepositorySettings &
  JwtSettings &
  CloudSettings & {
    /** Name of the CloudFormation stack. @default 'Chartroom' */
    readonly stackName: string;
    /** `closed`: every request but for health and info needs an account. @default 'closed' */
    readonly access: 'closed' | 'open';
    /** Why everybody may read, publish and delete; needed when access is open. @default '' */
    readonly accessReason: string;
    /** Whether publishing makes a repository that is not there, where access is closed. @default false */
    readonly createOnPublish: boolean;
    /** Path before the repository in clients' URLs, such as `/helm` behind a base path. @default '' */
    readonly contextPath: string;
    /** What the URLs of packages in an index begin with; empty for relative ones. @default '' */
    readonly chartUrl: string;
    /** How an index is written. @default 'json' */
    readonly indexFormat: 'json' | 'yaml';
    /** Largest package that a direct upload may carry. @default 4194304 */
    readonly maxUploadBytes: number;
    /** Largest package that an upload through the bucket may carry. @default 20971520 */
    readonly maxPackageBytes: number;
    /** Whether there is an API below `/api`; without it, charts are published by copying them into the bucket. @default true */
    readonly apiEnabled: boolean;
    /** How many days the audit is kept. @default 400 */
    readonly auditDays: number;
    /** How often the canary publishes and pulls a chart; 0: never. @default 15 */
    readonly canaryMinutes: number;
    /** A form field that carries a package, besides `chart`. @default 'chart' */
    readonly chartFormField: string;
    /** A form field that carries a provenance file, besides `prov`. @default 'prov' */
    readonly provFormField: string;
    /** Origin whose scripts may call the API in browsers, `*` for every one, empty for none. @default '' */
    readonly corsAllowOrigin: string;
    /** Whether there are alarms and a dashboard. @default true */
    readonly alarms: boolean;
    /** Who is told when an alarm rings; empty for nobody. @default '' */
    readonly alarmEmail: string;
    /** Where operators read docs/runbook.md, for links in what alarms say. @default '' its path in the sources */
    readonly runbookUrl: string;
  };

const FORM_FIELD = matching(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits, ".", "_" and "-", at most 64');

const settings: SettingRows<Settings> = {
  stackName: {
    fallback: 'Chartroom',
    parse: matching(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'letters, digits and "-", beginning with a letter'),
  },
  access: { fallback: 'closed', parse: oneOf('closed', 'open') },
  accessReason: { fallback: '', parse: matching(/^/, 'a text') },
  createOnPublish: { fallback: false, parse: parseBoolean },
  contextPath: {
    fallback: '',
    parse: matching(
      /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)*$/,
      'empty or a path such as "/helm" or "/x/y", without "/" at its end',
    ),
  },
  chartUrl: { fallback: '', parse: parseChartUrl },
  indexFormat: { fallback: 'json', parse: oneOf('json', 'yaml') },
  maxUploadBytes: {
    fallback: 4_194_304,
    parse: wholeNumber(1, MOST_UPLOAD_BYTES, 'of bytes that reaches a function in one request'),
  },
  maxPackageBytes: {
    fallback: 20_971_520,
    parse: wholeNumber(1, MOST_PACKAGE_BYTES, 'of bytes'),
  },
  apiEnabled: { fallback: true, parse: parseBoolean },
  // More than a year, so that a yearly review finds all of it.
  auditDays: { fallback: 400, parse: wholeNumber(1, 3650, 'of days') },
  // Half an hour until an alarm that looks at two turns, for about a dollar a month. The longest turn has an alarm whose
  // period is a day, the most that CloudWatch takes.
  canaryMinutes: { fallback: 15, parse: wholeNumber(0, 720, 'of minutes') },
  chartFormField: { fallback: 'chart', parse: FORM_FIELD },
  provFormField: { fallback: 'prov', parse: FORM_FIELD },
  corsAllowOrigin: { fallback: '', parse: parseOrigin },
  alarms: { fallback: true, parse: parseBoolean },
  alarmEmail: {
    fallback: '',
    parse: matching(/^([^\s@]+@[^\s@]+\.[^\s@]+)?$/, 'empty or an address such as "ops@example.com"'),
  },
  runbookUrl: { fallback: '', parse: parseRunbookUrl },
  ...repositorySettings,
  ...jwtSettings,
  ...cloudSettings,
};

/**
 * Reads the settings of a deployment: the object `chartroom` of cdk.json, overridden key by key by
 * top-level context (`-c access=open`, CDK_CONTEXT_JSON), else the defaults.
 *
 * @param context looks a key of the CDK context up; `undefined` when it is not there
 * @param contextKeys of the CDK context: those of CDK's own have a `:`, `/` or `-` in them
 * @param region where the deployment goes; undefined where nobody knows yet
 * @throws SettingsError for an unknown key in the object, a value that cannot be used, open access without a reason
 */
export function parseSettings(
  context: (key: string) => unknown,
  contextKeys: readonly string[] = [],
  region?: string,
): Settings {
  const object = parseObject(context(OBJECT));
  for (const key of contextKeys) {
    if (/^[A-Za-z]+$/.test(key) && key !== OBJECT && !Object.hasOwn(settings, key)) throw unknownSetting(key);
  }
  const read = <Key extends keyof Settings>(key: Key): Settings[Key] => {
    const value = context(key) ?? object[key];
    return value === undefined ? settings[key].fallback : settings[key].parse(value, key);
  };
  const keys = Object.keys(settings) as (keyof Settings)[];
  const parsed = Object.fromEntries(keys.map((key) => [key, read(key)])) as Settings;
  if (parsed.access === 'open' && parsed.accessReason.trim() === '') {
    throw new SettingsError(
      'access "open" lets everybody read, publish and delete: write why that is right in "accessReason", or leave access "closed"',
    );
  }
  if (parsed.maxPackageBytes < parsed.maxUploadBytes) {
    throw new SettingsError(
      'setting "maxPackageBytes" cannot be smaller than "maxUploadBytes": it bounds every package',
    );
  }
  if (
    parsed.chartFormField === parsed.provFormField ||
    parsed.chartFormField === 'prov' ||
    parsed.provFormField === 'chart'
  ) {
    throw new SettingsError(
      'settings "chartFormField" and "provFormField" cannot be the same field, nor the usual one of the other',
    );
  }
  if (parsed.alarmEmail !== '' && !parsed.alarms) {
    throw new SettingsError(
      'setting "alarmEmail" is for alarms, which "alarms" leaves out: nobody would be told',
    );
  }
  checkCloudSettings(parsed, region);
  // For what it refuses.
  tokenSettings(parsed);
  return parsed;
}

/** The context object, every key of which must be a setting, so that a typo is not a silent default. */
function parseObject(value: unknown): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SettingsError(
      `context "${OBJECT}" must be an object in cdk.json; set a single setting by its own name, as in "-c access=closed"`,
    );
  }
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(settings, key)) {
      throw unknownSetting(key);
    }
  }
  return { ...value };
}

const unknownSetting = (key: string) =>
  new SettingsError(
    `there is no setting "${key}" (in context "${OBJECT}" of cdk.json, or by -c); the settings are ${Object.keys(settings).join(', ')}`,
  );

/** An absolute URL without a slash at its end, since `/charts/…` follows it. */
function parseChartUrl(value: unknown, key: string): string {
  if (value === '') return '';
  const url =
    typeof value === 'string' && /^\S+$/.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  const usable = url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  // Helm would show a password in an index to every reader of it.
  if (typeof value !== 'string' || !usable || url.username !== '' || url.password !== '') {
    return refuseSetting(
      key,
      value,
      'empty or an absolute http(s) URL without query, fragment or password, such as "https://charts.example.com"',
    );
  }
  return value.replace(/\/+$/, '');
}

/** An alarm's section follows it, as the fragment. */
function parseRunbookUrl(value: unknown, key: string): string {
  if (value === '') return value;
  // A description of an alarm has 1024 characters, with the sentence before the link.
  const isText = typeof value === 'string' && /^https:\/\/[^\s#]{1,500}$/.test(value);
  const url = isText && URL.canParse(value) ? new URL(value) : undefined;
  // Every mail would show it.
  if (isText && url?.username === '' && url.password === '') return value;
  return refuseSetting(
    key,
    value,
    'empty or an https URL without fragment or password, of 500 characters at most, such as "https://wiki.example.com/chartroom/runbook"',
  );
}

/** As browsers send it in `Origin`, which is compared as text: lower case, no path, no default port. */
function parseOrigin(value: unknown, key: string): string {
  if (value === '' || value === '*') return value;
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isHost = url !== undefined && /^[a-z0-9.:[\]-]+$/.test(url.host);
  if (isHost && /^https?:$/.test(url.protocol) && url.origin === value) return value;
  return refuseSetting(
    key,
    value,
    'empty, "*" or one http(s) origin as browsers send it, in lower case without path or default port, such as "https://app.example.com"',
  );
}
