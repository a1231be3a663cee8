import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** What a command took: the kernel's own account of its process, which Node does not hand on. */
export type Usage = {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly mostMemoryMB: number;
  /** On both of its outputs. */
  readonly printed: string;
};

const MOST_PRINTED_BYTES = 64 * 1024 * 1024;

const WAIT = `
import json, os, sys, time
began = time.monotonic()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, used = os.wait4(child, 0)
print(json.dumps({
  "wallMs": (time.monotonic() - began) * 1000,
  "cpuMs": (used.ru_utime + used.ru_stime) * 1000,
  "mostMemoryMB": used.ru_maxrss / 1000,
}))
sys.exit(os.waitstatus_to_exitcode(status))`;

/**
 * Runs a command to its end.
 *
 * @throws what it said, if it failed
 */
export async function usageOf(command: readonly string[], env = process.env): Promise<Usage> {
  const options = { env, maxBuffer: MOST_PRINTED_BYTES };
  const { stdout, stderr } = await promisify(execFile)('python3', ['-c', WAIT, ...command], options);
  return { ...(JSON.parse(stdout) as Omit<Usage, 'printed'>), printed: stderr };
}

// How /proc counts CPU: in hundredths of a second, on every Linux that there is.
const TICK_MS = 10;

/** The CPU that a running process took so far, in milliseconds; Linux alone tells. */
export function cpuMsOf(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const [user = 0, system = 0] = afterName.slice(11, 13).map(Number);
  return (user + system) * TICK_MS;
}
