import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Act, Statement } from './roles.ts';

/** Told of what a function is about to do, by its logical id. */
export type Recorder = (functionId: string, act: Act) => void;

/**
 * Notes what the functions of one stack do, once each, in a file of its own: first what each may do by its role, then a
 * line for each act as it comes, so that what is killed leaves all that it did. Tests ask for it by CHARTROOM_ACTS; what
 * becomes of it is in test/permissions.
 *
 * @param folder for the file; nothing is noted without
 */
export function actRecorder(
  folder: string | undefined,
  statements: ReadonlyMap<string, readonly Statement[]>,
): Recorder {
  if (folder === undefined) return () => {};
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${randomUUID()}.jsonl`);
  const note = (line: string) => appendFileSync(file, `${line}\n`);
  note(JSON.stringify(Object.fromEntries(statements)));
  const noted = new Set<string>();
  return (functionId, act) => {
    const line = JSON.stringify({ functionId, act });
    if (noted.has(line)) return;
    noted.add(line);
    note(line);
  };
}
