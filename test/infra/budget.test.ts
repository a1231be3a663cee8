import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleDirectory, bundleFunctions } from '../../infra/bundle.ts';
import { type FunctionId, functionIds } from '../../infra/functions.ts';

/**
 * The most that a function may load before its first request, in thousands of bytes: a tenth above the one that loads
 * most of its kind. Every 100 of them are some 3 ms of CPU (bench/README.md). Whoever raises one says in the commit
 * what for.
 */
const TABLE = 830;
const BUCKET = 1380;
const INDEX = 1580;

/** All that load more than the table's client, or much less; who is not named here has no other client. */
const budgets: Partial<Readonly<Record<FunctionId, number>>> = {
  'answer-unknown-route': 55,
  'get-health': 40,
  'get-info': 50,
  'get-system-info': 40,
  'seed-admin': 570,
  'check-schema': 500,
  'get-index': 620,
  // It renders at each request, in YAML too.
  'get-chart-index': 680,
  'get-package': 610,
  'create-upload': BUCKET,
  'delete-chart': BUCKET,
  'delete-version': BUCKET,
  'get-definition': BUCKET,
  'get-files': BUCKET,
  'get-project-version': BUCKET,
  'get-readme': BUCKET,
  'get-schema': BUCKET,
  'get-templates': BUCKET,
  'get-values': BUCKET,
  // What tells where an index has its charts reads YAML too.
  'get-project': 1390,
  'list-projects': 1390,
  'get-home': INDEX,
  'get-merged-index': INDEX,
  'list-charts': INDEX,
  'list-project-charts': INDEX,
  search: INDEX,
  reconcile: 1610,
  // It makes a key, signs and verifies.
  'run-canary': 1600,
  repair: 1600,
  // With what checks signatures, and what asks for an index that lists another number of versions.
  'put-settings': 2270,
  'index-repositories': 2530,
  'publish-package': 2610,
  'publish-provenance': 2610,
};

// What Helm waits for has the table's client, what signs a URL, and what reads a request.
const HOT = [
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/core',
  '@aws-sdk/dynamodb-codec',
  '@aws-sdk/endpoint-cache',
  '@aws-sdk/middleware-endpoint-discovery',
  '@aws-sdk/s3-request-presigner',
  '@aws-sdk/signature-v4-multi-region',
  '@aws-sdk/xml-builder',
  '@aws/lambda-invoke-store',
  '@smithy/core',
  '@smithy/node-http-handler',
  '@smithy/signature-v4',
  '@smithy/types',
  'content-type',
  'mnemonist',
  'negotiator',
  'obliterator',
];

/** The text of a bundle's files that are loaded at its start: the first one, and what it imports statically. */
function loadedAtStart(id: FunctionId): string {
  const texts = new Map<string, string>();
  const load = (name: string) => {
    if (texts.has(name)) return;
    const text = readFileSync(join(bundleDirectory, id, name), 'utf8');
    texts.set(name, text);
    for (const [, next = ''] of text.matchAll(/^(?:import |\} from )"\.\/([^"]+)";$/gm)) load(next);
  };
  load('index.mjs');
  return [...texts.values()].join('\n');
}

/** The packages of which it holds something; esbuild names each file that it takes in. */
function packagesIn(text: string): string[] {
  const names = text.matchAll(/^\s*\/\/ (?:.*\/)?node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm);
  return [...new Set([...names].map(([, name = '']) => name))].sort();
}

describe('what the functions load', () => {
  beforeAll(() => bundleFunctions());

  it.each(functionIds)('of %s is within its budget', (id) => {
    expect(Buffer.byteLength(loadedAtStart(id)) / 1000).toBeLessThanOrEqual(budgets[id] ?? TABLE);
  });

  it.each([
    ['get-index', []],
    ['get-chart-index', ['js-yaml']],
    ['get-package', []],
  ] as const)('of %s has no client but that of the table', (id, others) => {
    expect(packagesIn(loadedAtStart(id))).toEqual([...HOT, ...others].toSorted());
  });

  it('of whoever is asked for health has nothing of AWS', () => {
    expect(packagesIn(loadedAtStart('get-health')).filter((name) => name.startsWith('@aws-sdk/'))).toEqual(
      [],
    );
  });

  it.each(functionIds)('of %s has nobody to ask for credentials but the environment', (id) => {
    const asked = packagesIn(loadedAtStart(id)).filter((name) => name.includes('credential-provider'));
    expect(asked).toEqual([]);
  });
});
