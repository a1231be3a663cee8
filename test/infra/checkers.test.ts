import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Exception, lintExceptions, nagExceptions } from '../../infra/exceptions.ts';
import { withCheckedApp } from './synthesize.ts';

// The checkers take half a minute, and cfn-lint is Python: CI runs them.
const isAsked = process.env['CHECKS'] === 'all';
const cfnLint = process.env['CFN_LINT'];

const deployments: Readonly<Record<string, Record<string, unknown>>> = {
  closed: {},
  open: {
    access: 'open',
    accessReason: 'a test on this computer',
    corsAllowOrigin: '*',
    apiEnabled: false,
    alarms: false,
  },
  'most-settings': {
    stackName: 'Other',
    createOnPublish: true,
    contextPath: '/helm',
    chartUrl: 'https://charts.example.com/helm',
    indexFormat: 'yaml',
    maxVersionsPerChart: 10,
    indexVersionsPerChart: 5,
    auditDays: 30,
    corsAllowOrigin: 'https://app.example.com',
    jwtIssuer: 'https://login.example.com',
    jwtAudience: 'charts.example.com',
    jwtJwksUrl: 'https://login.example.com/jwks',
    kmsKeyArn: 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    domainName: 'charts.example.com',
    certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/1b2c-3d',
    hostedZoneId: 'Z0123456789',
    disableExecuteApiEndpoint: true,
    throttleRate: 50,
    throttleBurst: 100,
    tags: { team: 'apps' },
    alarmEmail: 'ops@example.com',
    runbookUrl: 'https://wiki.example.com/runbook',
  },
};

/** A rule that something breaks, and what does. */
type Finding = { readonly rule: string; readonly about: string };

const covers = (exception: Exception, { rule, about }: Finding) =>
  (typeof exception.rule === 'string' ? exception.rule === rule : exception.rule.test(rule)) &&
  exception.about.test(about);

/** Expects an exception for each finding, and a finding for each exception. */
function expectToBe(exceptions: readonly Exception[], findings: readonly Finding[]): void {
  expect(findings.filter((finding) => !exceptions.some((each) => covers(each, finding)))).toEqual([]);
  const unused = exceptions.filter((each) => !findings.some((finding) => covers(each, finding)));
  expect(unused, 'take away what is needed no more').toEqual([]);
}

describe.skipIf(!isAsked)('what checkers say of the stack', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-checked-'));
  const byCdk: unknown[] = [];
  const byNag: Finding[] = [];
  beforeAll(async () => {
    // A second of everybody's tests, to load.
    const { AwsSolutionsChecks, ServerlessChecks } = await import('cdk-nag');
    for (const [name, context] of Object.entries(deployments)) {
      withCheckedApp(context, ({ directory }, app) => {
        const text = readFileSync(path.join(directory, 'validation-report.json'), 'utf8');
        const { pluginReports }: { pluginReports: { violations: unknown[] }[] } = JSON.parse(text);
        byCdk.push(...pluginReports.flatMap(({ violations }) => violations));
        for (const pack of [new AwsSolutionsChecks(app), new ServerlessChecks(app)]) {
          for (const { ruleName: rule, violatingResources } of pack.validateScope(app).violations) {
            for (const { constructPath } of violatingResources) {
              byNag.push({ rule, about: constructPath?.replace(/^[^/]*\//, '') ?? '' });
            }
          }
        }
        cpSync(directory, path.join(folder, name), { recursive: true });
      });
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('CDK finds nothing wrong', () => {
    expect(byCdk).toEqual([]);
  });

  it('cdk-nag finds nothing but what is meant as it is', () => {
    expectToBe(nagExceptions, byNag);
  });

  it.skipIf(cfnLint === undefined)('cfn-lint finds nothing but what is meant as it is', () => {
    const templates = readdirSync(folder, { recursive: true })
      .map((file) => path.join(folder, String(file)))
      .filter((file) => file.endsWith('.template.json'));
    expect(templates.length).toBeGreaterThan(Object.keys(deployments).length);
    const findings = JSON.parse(lint(templates)) as {
      readonly Rule: { readonly Id: string };
      readonly Location: { readonly Path: readonly (string | number)[] | null };
    }[];
    expectToBe(
      lintExceptions,
      findings.map(({ Rule, Location }) => ({ rule: Rule.Id, about: String(Location.Path?.[1] ?? '') })),
    );
  });
});

/** @returns what cfn-lint says, as JSON; its exit code only repeats whether that is nothing */
function lint(templates: readonly string[]): string {
  try {
    return execFileSync(cfnLint ?? '', ['--format', 'json', ...templates], { encoding: 'utf8' });
  } catch (error) {
    const { stdout = '' }: { stdout?: string } = Object(error);
    if (!stdout.startsWith('[')) throw error;
    return stdout;
  }
}
