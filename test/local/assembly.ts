import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

type Resources = Record<string, { Type: string; Properties?: unknown }>;

/** A cloud assembly written by hand, of functions given as source and what else a test declares. */
export type AssemblyParts = {
  /** Source of each function's bundle, by logical id. */
  readonly functions: Readonly<Record<string, string>>;
  /** Properties of the functions besides their code. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** The function behind each route key. */
  readonly routes?: Readonly<Record<string, string>>;
  readonly resources?: Resources;
};

/** What a hand-written function calls is its test's business. */
const ROLE = {
  Type: 'AWS::IAM::Role',
  Properties: {
    Policies: [{ PolicyDocument: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } }],
  },
};

function functionResources(id: string, properties: unknown): Resources {
  const settings = typeof properties === 'object' ? properties : {};
  return {
    [id]: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Handler: 'index.handler',
        Timeout: 29,
        Role: { 'Fn::GetAtt': [`${id}Role`, 'Arn'] },
        Code: { S3Key: `${id}.zip` },
        ...settings,
      },
    },
    [`${id}Role`]: ROLE,
    [`${id}Integration`]: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: { IntegrationUri: { 'Fn::GetAtt': [id, 'Arn'] } },
    },
  };
}

/** Writes it to a temporary folder that lasts as long as the calling test file. @returns the folder */
export function writeAssembly({ functions, properties, routes = {}, resources = {} }: AssemblyParts): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-assembly-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const all: Resources = { ...resources };
  const files: Record<string, unknown> = {};
  for (const [id, source] of Object.entries(functions)) {
    mkdirSync(path.join(folder, id));
    writeFileSync(path.join(folder, id, 'index.mjs'), source);
    files[id] = { source: { path: id }, destinations: { here: { objectKey: `${id}.zip` } } };
    Object.assign(all, functionResources(id, properties?.[id]));
  }
  for (const [index, [key, id]] of Object.entries(routes).entries()) {
    const target = { 'Fn::Join': ['', ['integrations/', { Ref: `${id}Integration` }]] };
    all[`Route${index}`] = {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: { RouteKey: key, Target: target },
    };
  }
  writeFileSync(path.join(folder, 'Test.template.json'), JSON.stringify({ Resources: all }));
  writeFileSync(path.join(folder, 'Test.assets.json'), JSON.stringify({ files }));
  return folder;
}
