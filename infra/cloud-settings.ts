import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  matching,
  parseBoolean,
  refuseSetting,
  type SettingRows,
  SettingsError,
  wholeNumber,
} from '../shared/domain/settings.ts';

/** What a deployment can be told of the account that it is in. */
export type CloudSettings = {
  /** Host name that clients call Chartroom by. @default '' API Gateway's own alone */
  readonly domainName: string;
  /** ARN of the certificate for that name, in ACM and in the deployment's region. @default '' */
  readonly certificateArn: string;
  /** The zone of Route 53 in which the name is made. @default '' the name is made by hand */
  readonly hostedZoneId: string;
  /** Whether the API is reached by its domain name alone. @default false */
  readonly disableExecuteApiEndpoint: boolean;
  /** ARN of the key for what is at rest. @default '' AWS's own encryption */
  readonly kmsKeyArn: string;
  /** How many days logs are kept; one of CloudWatch's numbers. @default 30 */
  readonly logRetentionDays: number;
  /** Whether API Gateway writes a line for each request. @default true */
  readonly accessLog: boolean;
  /** Requests a second that the API takes; 0: as many as the account. @default 0 */
  readonly throttleRate: number;
  /** Requests at once that the API takes; 0: as many as the account. @default 0 */
  readonly throttleBurst: number;
  /** Tags of everything that can have some. @default {} */
  readonly tags: Readonly<Record<string, string>>;
};

// Above what any account has without being asked; AWS takes the account's where that is less.
const MOST_REQUESTS = 1_000_000;

const RETENTIONS = Object.values(RetentionDays).filter(
  (days): days is number => typeof days === 'number' && days !== RetentionDays.INFINITE,
);

export const cloudSettings: SettingRows<CloudSettings> = {
  domainName: {
    fallback: '',
    parse: matching(
      /^((?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])?$/,
      'empty or a host name in lower case, such as "charts.example.com"',
    ),
  },
  certificateArn: {
    fallback: '',
    parse: matching(
      /^(arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[A-Za-z0-9-]+)?$/,
      'empty or the ARN of a certificate in ACM, "arn:aws:acm:REGION:ACCOUNT:certificate/ID"',
    ),
  },
  hostedZoneId: {
    fallback: '',
    parse: matching(
      /^(Z[A-Z0-9]{1,31})?$/,
      'empty or the id of a hosted zone, such as "Z0123456789ABCDEFGHIJ"',
    ),
  },
  disableExecuteApiEndpoint: { fallback: false, parse: parseBoolean },
  kmsKeyArn: {
    fallback: '',
    // IAM compares keys, never aliases.
    parse: matching(
      /^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+)?$/,
      'empty or the ARN of a key, not of an alias: "arn:aws:kms:REGION:ACCOUNT:key/ID"',
    ),
  },
  // Long enough to follow a complaint, short enough not to hoard who downloaded what.
  logRetentionDays: { fallback: 30, parse: parseRetention },
  accessLog: { fallback: true, parse: parseBoolean },
  throttleRate: { fallback: 0, parse: wholeNumber(0, MOST_REQUESTS, 'of requests a second') },
  throttleBurst: { fallback: 0, parse: wholeNumber(0, MOST_REQUESTS, 'of requests at once') },
  tags: { fallback: {}, parse: parseTags },
};

/**
 * @param region where the deployment goes; undefined where nobody knows yet
 * @throws SettingsError where one setting needs another, or is of another region
 */
export function checkCloudSettings(
  settings: CloudSettings & { readonly contextPath: string },
  region?: string,
): void {
  const { domainName, certificateArn, hostedZoneId, disableExecuteApiEndpoint, contextPath } = settings;
  const { throttleRate, throttleBurst } = settings;
  const hasDomain = domainName !== '';
  if (hasDomain !== (certificateArn !== '')) {
    throw new SettingsError(
      'settings "domainName" and "certificateArn" go together: a name is served over TLS alone',
    );
  }
  if (!hasDomain && (hostedZoneId !== '' || disableExecuteApiEndpoint)) {
    throw new SettingsError(
      'settings "hostedZoneId" and "disableExecuteApiEndpoint" are about a name: set "domainName", or leave them out',
    );
  }
  // API Gateway takes no other sign that a context path may have.
  if (hasDomain && contextPath.includes('~')) {
    throw new SettingsError('setting "contextPath" cannot have "~" in it where "domainName" is set');
  }
  if ((throttleRate === 0) !== (throttleBurst === 0)) {
    throw new SettingsError(
      'settings "throttleRate" and "throttleBurst" go together: set both, or 0 for what the account allows',
    );
  }
  for (const key of ['certificateArn', 'kmsKeyArn'] as const) checkRegion(key, settings[key], region);
}

/** AWS itself refuses it, but after minutes, and with the whole deployment taken back. */
function checkRegion(key: string, arn: string, region: string | undefined): void {
  const [, , , itsRegion] = arn.split(':');
  if (region === undefined || itsRegion === undefined || itsRegion === region) return;
  throw new SettingsError(
    `setting "${key}" is of ${itsRegion}, and this deployment goes to ${region}: take one of that region, or set AWS_REGION to ${itsRegion}`,
  );
}

function parseRetention(value: unknown, key: string): number {
  return (
    RETENTIONS.find((days) => days === value || String(days) === value) ??
    refuseSetting(key, value, `a number of days that CloudWatch knows: ${RETENTIONS.join(', ')}`)
  );
}

const TAG = /^[\p{L}\p{N}\p{Zs}_.:/=+@-]*$/u;
const MOST_TAGS = 50;

/**
 * An object of texts, or `key=value` with commas between, as the command line has it.
 *
 * @see https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
 */
function parseTags(value: unknown, key: string): Readonly<Record<string, string>> {
  const tags = typeof value === 'string' ? tagsOfText(value) : value;
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    return refuseSetting(key, value, 'an object of texts, or text such as "team=apps,cost=42"');
  }
  const entries = Object.entries(tags);
  if (entries.length > MOST_TAGS) throw new SettingsError(`setting "${key}" has more than ${MOST_TAGS} tags`);
  for (const [name, text] of entries) {
    const fits = typeof text === 'string' && [...text].length <= 256 && [...name].length <= 128;
    if (!fits || name === '' || !TAG.test(name) || !TAG.test(text) || /^aws:/i.test(name)) {
      refuseSetting(
        `${key}.${name}`,
        text,
        'a text of at most 256 letters, digits, blanks and "_.:/=+-@", its name one to 128 of them that do not begin with "aws:"',
      );
    }
  }
  return Object.fromEntries(entries.map(([name, text]) => [name, String(text)]));
}

/** @returns undefined if it is not text of that form */
function tagsOfText(text: string): Record<string, string> | undefined {
  if (text === '') return {};
  const pairs = text.split(',').map((pair) => /^([^=]+)=(.*)$/.exec(pair));
  const tags = Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
  const isWhole = !pairs.includes(null) && Object.keys(tags).length === pairs.length;
  return isWhole ? tags : undefined;
}
