import { execFile } from 'node:child_process';
import path from 'node:path';

type Outcome = { readonly code: number; readonly out: string; readonly err: string };

/** Does what `npm run probe -- …` does, but for npm's own second. */
export const runProbe = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  runCommand('cli/probe.ts', args, environment);

/** Runs a program as npm would. @param environment beside this process's own; undefined takes a variable out */
export function runCommand(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const cwd = path.join(import.meta.dirname, '../..');
  const env = { ...process.env, ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', program, ...args], { cwd, env }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

/** The verdict of each check, by its name. */
export const verdictsOf = (table: string): ReadonlyMap<string, string> =>
  new Map(
    table
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| check'))
      .map((line) => line.slice(2, -2).split(/ (?<!\\)\| /))
      .map(([name = '', , , verdict = '']) => [name, verdict]),
  );
