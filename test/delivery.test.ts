import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundledPackages, bundleFunctions } from '../infra/bundle.ts';

const root = path.join(import.meta.dirname, '..');
const readJson = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'));

type Locked = {
  readonly name?: string;
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
};
const lock = readJson('package-lock.json') as { readonly packages: Readonly<Record<string, Locked>> };
const { '': _project, ...packages } = lock.packages;

describe('package-lock.json', () => {
  it('names the bytes of each package, and no place but the registry', () => {
    const doubtful = Object.entries(packages).filter(
      // What comes inside another package is held by the other's digest.
      ([, { integrity = '', inBundle = false, resolved, link }]) =>
        !(inBundle || /^sha512-/.test(integrity)) || resolved !== undefined || link === true,
    );
    expect(doubtful).toEqual([]);
  });

  it('has exact versions alone for what we ask for', () => {
    const { dependencies, devDependencies, optionalDependencies } = readJson('package.json') as Readonly<
      Record<string, Readonly<Record<string, string>>>
    >;
    const asked = { ...dependencies, ...devDependencies, ...optionalDependencies };
    for (const [name, version] of Object.entries(asked)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });

  it('has packages that would run something when they are installed, which .npmrc does not let them', () => {
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    // Each brings what it needs ready made, and would look for it, or build it where it is not there.
    expect(scripted.map(([folder]) => folder)).toEqual([
      'node_modules/classic-level',
      'node_modules/esbuild',
    ]);
    expect(readFileSync(path.join(root, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
  });
});

describe('npm run sbom', () => {
  type License = { readonly license?: { readonly id?: string }; readonly expression?: string };
  type Component = {
    readonly name: string;
    readonly version: string;
    readonly licenses?: readonly License[];
  };
  const made = execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' });
  const bom = readJson('dist/sbom.json') as {
    readonly bomFormat: string;
    readonly metadata: { readonly component: Component };
    readonly components: readonly Component[];
  };
  const licences = ({ licenses = [] }: Component) =>
    licenses.map(({ license, expression }) => license?.id ?? expression ?? '');

  it('is of Chartroom, whatever the folder of the clone is called', () => {
    const { name, version } = readJson('package.json') as Component;
    expect(bom.metadata.component).toMatchObject({ name, version, type: 'application' });
  });

  it('lists every package that is in a bundle', () => {
    expect([made, bom.bomFormat]).toEqual(['', 'CycloneDX']);
    bundleFunctions();
    const bundled = bundledPackages().map((folder) => {
      const { name = folder.replace(/^.*node_modules\//, ''), version } = packages[folder] ?? {};
      return `${name} ${version}`;
    });
    expect(bundled.length).toBeGreaterThan(10);
    const listed = new Set(bom.components.map(({ name, version }) => `${name} ${version}`));
    expect(bundled.filter((each) => !listed.has(each))).toEqual([]);
  });

  it('has nothing whose licence asks more of operators than to keep its notice', () => {
    const free = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0', 'PSF-2.0'];
    const others = bom.components.filter((each) => {
      const ids = licences(each);
      return ids.length === 0 || ids.some((id) => !free.includes(id));
    });
    // Used as it is, from a bundle that anybody can make again with another one.
    expect(others.map((each) => [each.name, ...licences(each)])).toEqual([['openpgp', 'LGPL-3.0']]);
  });
});
