import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { functionIds } from '../../infra/functions.ts';
import { environmentVariables } from '../../shared/contract.ts';
import { endpoints, fallback } from '../../shared/routes.ts';
import { environmentOf, logicalPrefix, resource, resourcesOf, synthesize } from './synthesize.ts';

const closed = synthesize();

describe('the functions', () => {
  it('are one for each endpoint and event, and the fallback', () => {
    closed.resourceCountIs('AWS::Lambda::Function', functionIds.length);
    for (const id of functionIds) resource(closed, 'AWS::Lambda::Function', logicalPrefix(id));
  });

  it('run on ARM with the newest Node', () => {
    closed.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
    });
  });

  it.each([...Object.keys(endpoints), fallback])('%s answers before the API gives up after 30 s', (id) => {
    const [, found] = resource(closed, 'AWS::Lambda::Function', logicalPrefix(id));
    expect(Number(found.Properties['Timeout'])).toBeLessThan(30);
  });

  it('write to log groups of their own, which forget', () => {
    const groups = [...resourcesOf(closed, 'AWS::Lambda::Function').values()].map(({ Properties }) =>
      JSON.stringify(Properties['LoggingConfig']),
    );
    expect(new Set(groups).size).toBe(functionIds.length);
    closed.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    closed.allResourcesProperties('AWS::Lambda::Function', { LoggingConfig: { LogGroup: Match.anyValue() } });
  });

  it('are told the stores and the settings', () => {
    const settings = { indexFormat: 'yaml', chartUrl: 'https://c.example.com', contextPath: '/helm' };
    const template = synthesize({
      ...settings,
      allowOverwrite: true,
      maxUploadBytes: 1024,
      maxVersions: 10,
      provFormField: 'signature',
    });
    const variables = environmentOf(template, 'get-index');
    expect(variables).toMatchObject({
      [environmentVariables.table]: { Ref: 'MetadataTableC8A01DE2' },
      [environmentVariables.bucket]: { Ref: 'ChartsBucket6892A383' },
      [environmentVariables.access]: 'closed',
      [environmentVariables.maxUploadBytes]: '1024',
      [environmentVariables.maxPackageBytes]: '20971520',
      [environmentVariables.createOnPublish]: 'false',
      [environmentVariables.apiEnabled]: 'true',
      [environmentVariables.auditDays]: '400',
    });
    const json = (name: string) => JSON.parse(String(variables[name]));
    expect(json(environmentVariables.formFields)).toEqual({ chart: 'chart', prov: 'signature' });
    expect(json(environmentVariables.repositorySettings)).toEqual({
      allowOverwrite: true,
      allowForce: true,
      allowDelete: true,
      strictSemver: false,
      maxVersionsPerChart: 0,
      maxVersions: 10,
      indexVersionsPerChart: 0,
    });
    expect(json(environmentVariables.indexSettings)).toEqual({
      format: 'yaml',
      chartUrl: 'https://c.example.com',
      contextPath: '/helm',
    });
  });
});
