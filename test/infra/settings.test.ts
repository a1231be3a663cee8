import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../infra/settings.ts';
import { SettingsError } from '../../shared/domain/settings.ts';

const parse = (context: Record<string, unknown>) =>
  parseSettings((key) => context[key], Object.keys(context));

describe('deployment settings', () => {
  it('are safe where nothing is set', () => {
    expect(parse({})).toEqual({
      stackName: 'Chartroom',
      access: 'closed',
      accessReason: '',
      createOnPublish: false,
      contextPath: '',
      chartUrl: '',
      indexFormat: 'json',
      maxUploadBytes: 4 * 1024 * 1024,
      maxPackageBytes: 20 * 1024 * 1024,
      auditDays: 400,
      canaryMinutes: 15,
      apiEnabled: true,
      chartFormField: 'chart',
      provFormField: 'prov',
      allowOverwrite: false,
      allowForce: true,
      allowDelete: true,
      strictSemver: false,
      maxVersionsPerChart: 0,
      maxVersions: 0,
      indexVersionsPerChart: 0,
      corsAllowOrigin: '',
      alarms: true,
      alarmEmail: '',
      runbookUrl: '',
      jwtIssuer: '',
      jwtAudience: '',
      jwtAlgorithms: 'RS256',
      jwtPublicKey: '',
      jwtJwksUrl: '',
      jwtRealm: '',
      domainName: '',
      certificateArn: '',
      hostedZoneId: '',
      disableExecuteApiEndpoint: false,
      kmsKeyArn: '',
      logRetentionDays: 30,
      accessLog: true,
      throttleRate: 0,
      throttleBurst: 0,
      tags: {},
    });
  });

  it('come from the object in cdk.json', () => {
    const chartroom = {
      contextPath: '/x/y',
      indexFormat: 'yaml',
      maxUploadBytes: 4_500_000,
      allowOverwrite: true,
    };
    expect(parse({ chartroom })).toMatchObject(chartroom);
  });

  it('are overridden one by one by top-level context, which is text on the command line', () => {
    const settings = parse({
      chartroom: { access: 'closed', accessReason: '', allowOverwrite: false, maxUploadBytes: 1 },
      access: 'open',
      accessReason: 'a mirror of public charts',
      allowOverwrite: 'true',
      maxUploadBytes: '1048576',
    });
    expect(settings).toMatchObject({
      access: 'open',
      accessReason: 'a mirror of public charts',
      allowOverwrite: true,
      maxUploadBytes: 1_048_576,
    });
  });

  it.each(['', '*', 'https://app.example.com', 'http://localhost:3000'])('take the origin %j', (origin) => {
    expect(parse({ corsAllowOrigin: origin }).corsAllowOrigin).toBe(origin);
  });

  it('drop the slash at the end of a chart URL, since a path follows it', () => {
    expect(parse({ chartUrl: 'https://charts.example.com/team/' }).chartUrl).toBe(
      'https://charts.example.com/team',
    );
  });

  it.each<{ why: string; context: Record<string, unknown>; says: RegExp }>([
    {
      why: 'a typo',
      context: { chartroom: { acces: 'open' } },
      says: /no setting "acces".*the settings are .*access/,
    },
    {
      why: 'a name that every object has',
      context: { chartroom: { toString: 'x' } },
      says: /no setting "toString"/,
    },
    { why: 'a text for the object', context: { chartroom: 'open' }, says: /must be an object in cdk\.json/ },
    { why: 'open access without a reason', context: { access: 'open' }, says: /"accessReason"/ },
    {
      why: 'open access with a blank reason',
      context: { access: 'open', accessReason: ' ' },
      says: /"accessReason"/,
    },
    {
      why: 'an access of its own',
      context: { access: 'public' },
      says: /"access" cannot be "public".*"closed" or "open"/,
    },
    { why: 'no stack name', context: { stackName: '' }, says: /"stackName"/ },
    { why: 'a context path without a slash', context: { contextPath: 'helm' }, says: /"contextPath"/ },
    { why: 'a context path that ends in a slash', context: { contextPath: '/helm/' }, says: /"contextPath"/ },
    { why: 'a relative chart URL', context: { chartUrl: '/charts' }, says: /"chartUrl"/ },
    { why: 'a chart URL of another scheme', context: { chartUrl: 'oci://example.com' }, says: /"chartUrl"/ },
    {
      why: 'a password in the chart URL',
      context: { chartUrl: 'https://a:b@example.com' },
      says: /"chartUrl"/,
    },
    {
      why: 'a query in the chart URL',
      context: { chartUrl: 'https://example.com/?a=b' },
      says: /"chartUrl"/,
    },
    { why: 'an index format of its own', context: { indexFormat: 'toml' }, says: /"json" or "yaml"/ },
    {
      why: 'uploads that no function receives',
      context: { maxUploadBytes: 4_500_001 },
      says: /1 to 4500000/,
    },
    { why: 'uploads of nothing', context: { maxUploadBytes: 0 }, says: /1 to 4500000/ },
    { why: 'a size that is no number', context: { maxUploadBytes: '4MB' }, says: /1 to 4500000/ },
    ...[
      ['an origin with a path', 'https://app.example.com/'],
      ['an origin in upper case', 'https://App.example.com'],
      ['an origin with the port that browsers leave out', 'https://app.example.com:443'],
      ['a host for an origin', 'app.example.com'],
      ['two origins', 'https://a.example.com,https://b.example.com'],
      ['half a wildcard', 'https://*'],
      ['the origin of everything that has none', 'null'],
    ].map(([why = '', corsAllowOrigin]) => ({
      why,
      context: { corsAllowOrigin },
      says: /"corsAllowOrigin"/,
    })),
    ...[
      ['a path', 'docs/runbook.md'],
      ['no TLS', 'http://wiki.example.com/runbook'],
      ['a fragment', 'https://wiki.example.com/runbook#events-failed'],
      ['an empty fragment', 'https://wiki.example.com/runbook#'],
      ['no host', 'https://'],
      ['a password', 'https://ada:secret@wiki.example.com/runbook'],
      ['more than a description has room for', `https://wiki.example.com/${'r'.repeat(500)}`],
    ].map(([why = '', runbookUrl]) => ({
      why: `a runbook with ${why}`,
      context: { runbookUrl },
      says: /"runbookUrl"/,
    })),
    { why: 'a name for an address', context: { alarmEmail: 'ops' }, says: /"alarmEmail"/ },
    { why: 'two addresses', context: { alarmEmail: 'a@example.com, b@example.com' }, says: /"alarmEmail"/ },
    {
      why: 'an address without alarms',
      context: { alarmEmail: 'ops@example.com', alarms: false },
      says: /nobody would be told/,
    },
    { why: 'a yes', context: { allowOverwrite: 'yes' }, says: /true or false/ },
    {
      why: 'packages smaller than direct uploads',
      context: { maxPackageBytes: 1024 },
      says: /"maxPackageBytes" cannot be smaller than "maxUploadBytes"/,
    },
    {
      why: 'packages that would not fit into memory',
      context: { maxPackageBytes: 104_857_601 },
      says: /1 to 104857600/,
    },
    { why: 'a limit below nothing', context: { maxVersions: -1 }, says: /whole number of versions/ },
    {
      why: 'one form field for both',
      context: { provFormField: 'chart' },
      says: /cannot be the same field/,
    },
    {
      why: 'the usual field of the other',
      context: { chartFormField: 'prov', provFormField: 'sig' },
      says: /nor the usual one of the other/,
    },
    { why: 'a typo on the command line', context: { maxVersion: 5 }, says: /no setting "maxVersion"/ },
    { why: 'a chart URL with a blank', context: { chartUrl: 'http://x/y z' }, says: /"chartUrl"/ },
    { why: 'a context path that climbs', context: { contextPath: '/a/..' }, says: /"contextPath"/ },
    { why: 'a form field with blanks', context: { chartFormField: 'a b' }, says: /"chartFormField"/ },
    {
      why: "a repository's own setting for all of them",
      context: { chartroom: { keyRing: 'x' } },
      says: /no setting "keyRing"/,
    },
  ])('refuse $why', ({ context, says }) => {
    expect(() => parse(context)).toThrow(SettingsError);
    expect(() => parse(context)).toThrow(says);
  });
});
