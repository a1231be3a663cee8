import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export type DataFolder = { readonly path: string; release(): void };

// Two stacks in one process have one process id, so the file alone cannot keep them apart.
const held = new Set<string>();

/** Whether it has ended, and nobody asked for its exit code yet. Only Linux tells. */
function isZombie(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && /\) [ZX] /.test(readFileSync(file, 'utf8'));
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0) && !isZombie(pid);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Writes the lock file, unless a running process has its id in there. */
function lock(file: string): void {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const holder = Number(readFileSync(file, 'utf8'));
    // Our own id in it is that of a runner that was killed: in a container every start may have the same id.
    if (holder !== process.pid && isRunning(holder)) {
      throw new Error(
        `${path.dirname(file)} is in use by process ${holder}; give another one with --data-dir`,
      );
    }
    rmSync(file, { force: true });
    lock(file);
  }
}

/** Gives the folder back when asked to, or when the process ends before that. */
function releasing(folder: string, giveBack: () => void): DataFolder {
  const release = () => {
    process.off('exit', release);
    giveBack();
  };
  process.on('exit', release);
  return { path: folder, release };
}

/**
 * Takes a folder for one stack alone.
 *
 * @param folder @default a temporary one, removed on release
 */
export function takeDataFolder(folder: string | undefined): DataFolder {
  if (folder === undefined) {
    const temporary = mkdtempSync(path.join(tmpdir(), 'chartroom-'));
    return releasing(temporary, () => rmSync(temporary, { recursive: true, force: true }));
  }
  const full = path.resolve(folder);
  if (held.has(full)) throw new Error(`${full} is in use by this process`);
  mkdirSync(full, { recursive: true });
  const file = path.join(full, 'lock');
  lock(file);
  held.add(full);
  return releasing(full, () => {
    held.delete(full);
    rmSync(file, { force: true });
  });
}
