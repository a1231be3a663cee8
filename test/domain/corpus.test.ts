import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CORE_SCHEMA, load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { readPackage } from '../../shared/domain/chart-package.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { packageFileName } from '../../shared/domain/package-file.ts';
import { parseProvenance } from '../../shared/domain/provenance.ts';
import { helmBinary } from '../helm/binary.ts';

const corpus = process.env['CHARTROOM_CORPUS'] ?? join(import.meta.dirname, '../fixtures');
const charts = readdirSync(join(corpus, 'charts'));
const packages = charts.filter((file) => file.endsWith('.tgz'));
const helm = helmBinary();

type HelmEntry = { readonly digest: string; readonly urls: unknown; readonly created: unknown };
type BadInput = { readonly file: string; readonly what: string; readonly status: number };

describe.skipIf(helm === undefined)('beside "helm repo index" (skipped without Helm)', () => {
  const indexed = helm === undefined ? new Map<string, HelmEntry>() : indexByHelm(helm);

  it('reads every package that Helm reads', () => {
    expect(packages.length).toBeGreaterThan(0);
    expect(indexed.size).toBe(packages.length);
  });

  it.each(packages)('gives the same entry for %s', async (file) => {
    const read = await readPackage(bytesOf('charts', file));
    const {
      urls: _urls,
      created: _created,
      ...entry
    } = indexed.get(read.digest) ?? { urls: [], created: '' };
    expect({ ...JSON.parse(read.entry), digest: read.digest }).toEqual(entry);
  });
});

describe('a real package', () => {
  it.each(packages)('%s is called by its name and version', async (file) => {
    const { name, version } = await readPackage(bytesOf('charts', file));
    expect(packageFileName(name, version)).toBe(file);
  });

  it.each(charts.filter((file) => file.endsWith('.prov')))('%s states the digest of its package', (file) => {
    const stated = parseProvenance(bytesOf('charts', file));
    const packageFile = file.replace(/\.prov$/, '');
    expect(packageFileName(stated.name, stated.version)).toBe(packageFile);
    expect(stated.package).toBe(digestOf(bytesOf('charts', packageFile)));
  });
});

describe('the bad inputs', () => {
  const inputs: BadInput[] = JSON.parse(bytesOf('bad', 'manifest.json').toString());
  const refused = inputs.filter(({ status }) => status === 400);
  const accepted = inputs.filter(({ status }) => status === 201);

  it.each(refused)('$file is refused: $what', async ({ file }) => {
    await expect(publish(file)).rejects.toSatisfy((error) => error instanceof Fault);
  });

  it.each(accepted)('$file is accepted: $what', async ({ file }) => {
    await publish(file);
  });
});

/** What every upload is checked for: a package by itself, a provenance file against mailhog 5.8.0. */
async function publish(file: string): Promise<void> {
  if (!file.endsWith('.prov')) {
    await readPackage(bytesOf('bad', file));
    return;
  }
  const { name, version, digest } = await readPackage(bytesOf('charts', 'mailhog-5.8.0.tgz'));
  const stated = parseProvenance(bytesOf('bad', file));
  if (stated.name !== name || stated.version !== version || stated.package !== digest) {
    throw new Fault('invalid_provenance', `${file} is about another package`);
  }
}

function bytesOf(folder: 'charts' | 'bad', file: string): Buffer {
  return readFileSync(join(corpus, folder, file));
}

function indexByHelm(binary: string): Map<string, HelmEntry> {
  const folder = mkdtempSync(join(tmpdir(), 'chartroom-index-'));
  try {
    for (const file of packages) cpSync(join(corpus, 'charts', file), join(folder, file));
    execFileSync(binary, ['repo', 'index', folder], { stdio: 'pipe' });
    const index = load(readFileSync(join(folder, 'index.yaml'), 'utf8'), { schema: CORE_SCHEMA });
    const { entries } = index as { entries: Record<string, HelmEntry[]> };
    return new Map(Object.values(entries).flatMap((list) => list.map((entry) => [entry.digest, entry])));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
