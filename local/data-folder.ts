import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export type DataFolder = { readonly path: string; release(): void };

/** Where a running stack can be reached by whoever may read its data folder. */
export type Holder = { readonly pid: number; readonly url: string; readonly secret: string };

const lockOf = (folder: string) => path.join(path.resolve(folder), 'lock');

/**
 * Whose stack holds a folder. It is asked: a process id alone may be another's by now, or be the same at every
 * start of a container.
 *
 * @returns nothing if nobody holds it, or did until it was killed
 */
export async function holderOf(folder: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(readFileSync(lockOf(folder), 'utf8')) as Holder;
    const answer = await fetch(holder.url, { headers: { authorization: `Bearer ${holder.secret}` } });
    return answer.ok ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** @returns false if there is a lock file already */
function lock(folder: string, holder: Holder): boolean {
  try {
    writeFileSync(lockOf(folder), JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes a folder for one stack alone, until it is released or the process ends. Two that start over a dead one's
 * lock in the same moment are kept apart by LevelDB's own lock.
 *
 * @param folder @default a temporary one, removed on release
 * @param holder where the stack answers already
 */
export async function takeDataFolder(folder: string | undefined, holder: Holder): Promise<DataFolder> {
  const full = folder === undefined ? mkdtempSync(path.join(tmpdir(), 'chartroom-')) : path.resolve(folder);
  mkdirSync(full, { recursive: true });
  while (!lock(full, holder)) {
    const other = await holderOf(full);
    if (other !== undefined) {
      throw new Error(`${full} is in use by process ${other.pid}; give another one with --data-dir`);
    }
    rmSync(lockOf(full), { force: true });
  }
  const release = () => {
    process.off('exit', release);
    rmSync(folder === undefined ? full : lockOf(full), { recursive: true, force: true, maxRetries: 3 });
  };
  process.on('exit', release);
  return { path: full, release };
}
