import type { Template } from './template.ts';

type SecretProperties = {
  readonly GenerateSecretString: {
    readonly SecretStringTemplate: string;
    readonly GenerateStringKey: string;
  };
};

/** What the stack's secrets hold, by logical id: the object that the template asks to be completed. */
export function secretStrings(template: Template, password: string): ReadonlyMap<string, string> {
  const declared = template.resources<SecretProperties>('AWS::SecretsManager::Secret');
  return new Map(
    declared.map(({ id, properties: { GenerateSecretString: generated } }) => {
      const fields: Record<string, unknown> = JSON.parse(generated.SecretStringTemplate);
      return [id, JSON.stringify({ ...fields, [generated.GenerateStringKey]: password })];
    }),
  );
}
