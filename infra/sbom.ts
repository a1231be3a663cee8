import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/* Writes dist/sbom.json: what is shipped, as npm tells it in CycloneDX. */

type Bom = { readonly metadata: { readonly component: { readonly name: string } } };

const root = path.join(import.meta.dirname, '..');
const options = [
  '--omit',
  'dev',
  '--omit',
  'optional',
  '--sbom-format',
  'cyclonedx',
  '--sbom-type',
  'application',
];
const said = execFileSync('npm', ['sbom', ...options], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
const bom = JSON.parse(said) as Bom;
const { name } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
};
// npm calls the root after its folder, which is any name that somebody cloned into.
const component = { ...bom.metadata.component, name };
mkdirSync(path.join(root, 'dist'), { recursive: true });
writeFileSync(
  path.join(root, 'dist/sbom.json'),
  `${JSON.stringify({ ...bom, metadata: { ...bom.metadata, component } }, undefined, 2)}\n`,
);
