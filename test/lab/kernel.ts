// What the kernel says, read by other programs than ours: the witnesses that probes are compared with.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A namespace as /proc/PID/ns names it. */
export type NamespaceLink = 'user' | 'pid' | 'net' | 'ipc' | 'uts' | 'mnt' | 'cgroup' | 'time';

/** Every namespace type of /proc/PID/ns. */
export const NAMESPACE_LINKS: readonly NamespaceLink[] = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup', 'time'];

/** One namespace of a process, as `lsns` tells it. */
export interface LsnsRow {
  readonly inode: number;
  readonly type: NamespaceLink;
  readonly processes: number;
  /** The lowest pid in that namespace. */
  readonly pid: number;
  readonly command: string;
}

function run(program: string, args: readonly string[], attempts = 1): string {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000, env: { ...process.env, LC_ALL: 'C' } });
  if (result.status === 0) return result.stdout;
  if (attempts > 1) return run(program, args, attempts - 1);
  const reason = result.error?.message ?? (result.stderr.trim() || `status ${String(result.status)}`);
  throw new Error(`${program} ${args.join(' ')}: ${reason}`);
}

/** The namespaces of a process by util-linux's `lsns`. */
export function lsnsOf(pid: number): readonly LsnsRow[] {
  // lsns reads all of /proc, and gives up without a word when one of the processes ends meanwhile.
  const output = run('lsns', ['--json', '--output', 'NS,TYPE,NPROCS,PID,COMMAND', '--task', String(pid)], 10);
  const { namespaces } = JSON.parse(output) as { namespaces: readonly Readonly<Record<string, unknown>>[] };
  return namespaces.map((row) => ({
    inode: Number(row['ns']),
    type: row['type'] as NamespaceLink,
    processes: Number(row['nprocs']),
    pid: Number(row['pid']),
    command: String(row['command']),
  }));
}

/** The inode of a process's namespace by coreutils' `stat`. */
export function namespaceInode(pid: number, type: NamespaceLink): number {
  return Number(run('stat', ['-L', '-c', '%i', `/proc/${pid}/ns/${type}`]));
}

/** All namespace inodes of a process by one call of `stat`. */
export function namespaceInodes(pid: number): Readonly<Record<NamespaceLink, number>> {
  const lines = run('stat', ['-L', '-c', '%i', ...NAMESPACE_LINKS.map((type) => `/proc/${pid}/ns/${type}`)]).split(
    '\n',
  );
  return Object.fromEntries(NAMESPACE_LINKS.map((type, index) => [type, Number(lines[index])])) as Record<
    NamespaceLink,
    number
  >;
}

/**
 * A process in the host's namespaces: kthreadd, because /proc/1/ns can be closed even to root; or this process, where
 * the tests themselves run in a container and what they can see of the host is that container.
 */
export function hostReferencePid(): number {
  try {
    if (readFileSync('/proc/2/comm', 'utf8') === 'kthreadd\n') return 2;
  } catch {
    // no process 2 here
  }
  return process.pid;
}

/** The host's namespace inodes. */
export function hostInodes(): Readonly<Record<NamespaceLink, number>> {
  return namespaceInodes(hostReferencePid());
}

/** The types in which a process is not in the host's namespace, in the order of `NAMESPACE_LINKS`. */
export function ownNamespaces(pid: number): readonly NamespaceLink[] {
  const host = hostInodes();
  const own = namespaceInodes(pid);
  return NAMESPACE_LINKS.filter((type) => own[type] !== host[type]);
}

/** The lines of a process's uid_map, as numbers: inside, outside, length. */
export function uidMap(pid: number): readonly (readonly number[])[] {
  return run('cat', [`/proc/${pid}/uid_map`])
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/\s+/).map(Number));
}
