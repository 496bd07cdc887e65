// Everything a test process makes lives in one directory of its own, and goes away with it, even after a crash.
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processesInCgroups, removeCgroups } from './cgroups.ts';

const PREFIX = 'userns-audit-lab-';
const SHIM_SOCKETS = '/run/containerd/s';
const NETWORK_RESULTS = '/var/lib/cni/results';
/** Made by containerd outside its own directories; children first. */
const SHARED_DIRECTORIES = [SHIM_SOCKETS, '/run/containerd', NETWORK_RESULTS, '/var/lib/cni'];
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const live = new Set<string>();
const PF_EXITING = 0x4;
let made = 0;

/** Blocks this thread; for polling things that take a few milliseconds. */
function sleepSync(milliseconds: number): void {
  Atomics.wait(PAUSE, 0, 0, milliseconds);
}

/** Polls until the condition holds; false when it never did. */
export function waitSync(condition: () => boolean, milliseconds = 5000): boolean {
  const end = Date.now() + milliseconds;
  for (;;) {
    if (condition()) return true;
    if (Date.now() > end) return false;
    sleepSync(2);
  }
}

/** A process as (pid, start time): a pid alone may have been given to another process since. */
function processIdentity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // What is exiting or a zombie runs no more, and is in no cgroup; when it is reaped is up to its parent.
    return (Number(fields[6]) & PF_EXITING) !== 0 ? undefined : `${pid} ${fields[19] ?? ''}`;
  } catch {
    return undefined;
  }
}

/** Whether a process runs (a zombie does not). */
export function isRunning(pid: number): boolean {
  return processIdentity(pid) !== undefined;
}

/**
 * Makes a directory for one use of the lab. It is under the temporary directory and not in the cache because root in a
 * container's user namespace must be able to walk to its root file system, and a home directory is often closed.
 */
export function makeRunDirectory(kind: string): string {
  removeAbandoned();
  made += 1;
  // jest gives each test file a fresh module, in one process: the counter alone would repeat.
  const dir = join(tmpdir(), `${PREFIX}${kind}-${process.pid}-${made}-${process.hrtime.bigint().toString(36)}`);
  mkdirSync(dir);
  chmodSync(dir, 0o711);
  writeFileSync(join(dir, 'owner'), processIdentity(process.pid) ?? '');
  if (made === 1) process.once('exit', removeLive);
  live.add(dir);
  return dir;
}

function removeLive(): void {
  live.forEach(removeRunDirectory);
}

/** Notes cgroup directories, so that they are removed even when the process that made them dies first. */
export function noteCgroups(dir: string, cgroups: readonly string[]): void {
  writeFileSync(join(dir, 'cgroups'), cgroups.map((path) => `${path}\n`).join(''), { flag: 'a' });
}

/**
 * Ends what still runs for a run directory, unmounts what is mounted in it, and removes it with its cgroups. Whoever
 * started something more polite to end has ended it before; here nothing gets a second chance.
 */
export function removeRunDirectory(dir: string): void {
  const cgroups = notedCgroups(dir);
  endProcesses(() => [...processesOf(dir), ...processesInCgroups(cgroups)]);
  removeCgroups(cgroups);
  for (const mount of mountsBelow(dir)) spawnSync('umount', ['-l', mount]);
  removeShimSockets(dir);
  removeNetworkResults(dir);
  for (const shared of SHARED_DIRECTORIES) removeIfEmpty(shared);
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  live.delete(dir);
}

/**
 * Kills processes until none is found any more: one may be forking while it is killed, and one that is exiting still
 * holds its cgroup for a moment.
 */
export function endProcesses(find: () => readonly number[]): void {
  waitSync(() => {
    const pids = find().filter((pid) => pid !== process.pid);
    for (const pid of pids) kill(pid, 'SIGKILL');
    return pids.length === 0;
  });
}

/**
 * A shim keeps its socket outside its daemon's directories and notes the place in its bundle. One that ended in peace
 * removed it.
 */
function removeShimSockets(dir: string): void {
  const tasks = join(dir, 'state/io.containerd.runtime.v2.task/k8s.io');
  for (const id of entriesIfThere(tasks)) {
    // The first is containerd 1's note, the second containerd 2's.
    const notes = ['address', 'bootstrap.json'].map((name) => readIfThere(join(tasks, id, name))).join('\n');
    const socket = new RegExp(`unix://(${SHIM_SOCKETS}/[0-9a-f]+)`).exec(notes)?.[1];
    if (socket !== undefined) rmSync(socket, { force: true });
  }
}

/**
 * The CNI library keeps the answer for every pod at a place that cannot be configured, until the pod is removed in
 * peace. The lab's network plugin answers with the path of the pod's network namespace, which is in the run directory.
 */
function removeNetworkResults(dir: string): void {
  for (const name of entriesIfThere(NETWORK_RESULTS)) {
    const file = join(NETWORK_RESULTS, name);
    if (readIfThere(file).includes(`${dir}/`)) rmSync(file, { force: true });
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function entriesIfThere(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // In use by others, or never made.
  }
}

function notedCgroups(dir: string): readonly string[] {
  const noted = readIfThere(join(dir, 'cgroups')).split('\n');
  return noted.filter((path) => path !== '');
}

/** Mount points in a directory, deepest first. */
function mountsBelow(dir: string): readonly string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((path) => path.startsWith(`${dir}/`))
    .reverse();
}

/** Processes whose command line names the directory: a daemon by its configuration, its shims by their address. */
export function processesOf(dir: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`${dir}/`) && isRunning(Number(name));
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Sends a signal to a process that may already be gone. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what was wanted.
  }
}

/** A test process that was killed could not clean up; the next one does. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const dir = join(tmpdir(), name);
    let owner: string;
    try {
      owner = readFileSync(join(dir, 'owner'), 'utf8');
    } catch {
      continue; // made this moment by another process, or being removed by one
    }
    if (owner !== '' && processIdentity(Number(owner.split(' ')[0])) !== owner) removeRunDirectory(dir);
  }
}
