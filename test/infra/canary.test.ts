import { expect, it } from 'vitest';
import { environmentVariables } from '../../shared/contract.ts';
import { environmentOf, resource, resourcesOf, synthesize } from './synthesize.ts';

const RULE = 'AWS::Events::Rule';
const rules = (template: ReturnType<typeof synthesize>) =>
  [...resourcesOf(template, RULE)].filter(([id]) => id.startsWith('runcanary'));

it('the canary runs every quarter of an hour, at the public address, and once each time', () => {
  const template = synthesize();
  expect(rules(template).map(([, { Properties }]) => Properties['ScheduleExpression'])).toEqual([
    'rate(15 minutes)',
  ]);
  const variables = environmentOf(template, 'run-canary');
  expect(variables[environmentVariables.apiUrl]).toEqual({ 'Fn::GetAtt': ['ApiF70053CD', 'ApiEndpoint'] });
  const [, { Properties }] = resource(template, 'AWS::Lambda::EventInvokeConfig', 'runcanary');
  expect(Properties['MaximumRetryAttempts']).toBe(0);
});

it('the canary runs as often as is asked for', () => {
  const [[, { Properties }] = ['', { Properties: {} }]] = rules(synthesize({ canaryMinutes: 1 }));
  expect(Properties).toMatchObject({ ScheduleExpression: 'rate(1 minute)' });
});

it.each([{ canaryMinutes: 0 }, { apiEnabled: false }])('there is no canary with %o', (settings) => {
  expect(rules(synthesize(settings))).toEqual([]);
  expect(() => resource(synthesize(settings), 'AWS::Lambda::Function', 'runcanary')).toThrow('0 resources');
});

it.each([-1, 1.5, 721, 'often'])('%s is no number of minutes', (canaryMinutes) => {
  expect(() => synthesize({ canaryMinutes })).toThrow(/canaryMinutes/);
});
