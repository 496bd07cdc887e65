import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { NodeFacts } from '../../src/core/facts.ts';
import { NAMESPACE_TYPES, type NamespaceType } from '../../src/core/namespace.ts';
import { type Reading, unread } from '../../src/core/reading.ts';
import { createHostFs, type HostFs } from '../../src/host/host-fs.ts';
import { createProcFs, type ProcFs, type Task } from '../../src/host/procfs.ts';
import { collectFacts } from '../../src/probes/collect.ts';
import { goProgram, type GoModule } from './go-program.ts';

/** A process as the kernel would show it; what is left out is as on an ordinary host. */
export interface ProcessSpec {
  /** Text of /proc/PID/cgroup, or one path of the unified hierarchy. */
  readonly cgroup?: string;
  readonly ppid?: number;
  /** Real uid; that of uid 0 inside unless told. */
  readonly uid?: number;
  /** Pids from the host's inwards; two of them in a PID namespace unless told; none for a kernel older than 4.1. */
  readonly nspid?: readonly number[];
  readonly startTime?: number;
  readonly comm?: string;
  /** Arguments, or one text that is split at blanks. */
  readonly cmdline?: string | readonly string[];
  /** Lines `inside outside length`, joined by commas; the host's unless told, empty for none. */
  readonly uidMap?: string;
  /** As the uid map unless told. */
  readonly gidMap?: string;
  /**
   * Inode of each namespace, or `host`. A type that is left out is private, but user, cgroup and time are the host's: what
   * runtimes do by default. Without `ns` all are the host's.
   */
  readonly ns?: Readonly<Partial<Record<NamespaceType, number | 'host'>>>;
  /** One letter of /proc/PID/stat; `Z` leaves what a zombie leaves. */
  readonly state?: string;
  /** Text of /etc/hostname below /proc/PID/root. */
  readonly hostname?: string;
}

/** A machine's root file system, with a pid 1, a kthreadd and a reader (`/proc/self`) unless `processes` says `none`. */
export interface HostTreeSpec {
  /** Path → text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Path → target of a symbolic link. */
  readonly links?: Readonly<Record<string, string>>;
  readonly directories?: readonly string[];
  readonly processes?: 'none' | Readonly<Record<number, ProcessSpec>>;
  /** Kernel release, as `uname -r` prints it. */
  readonly kernel?: string;
  /** Dotted name → value, in /proc/sys. */
  readonly sysctls?: Readonly<Record<string, number | string>>;
  /** Namespace types this kernel has; all unless told. */
  readonly namespaces?: readonly NamespaceType[];
  /** Debian packages → version, as /var/lib/dpkg/status records them. */
  readonly packages?: Readonly<Record<string, string>>;
  /** Path → the Go module and version the program carries, or `null` for a program that says nothing of itself. */
  readonly programs?: Readonly<Record<string, GoModule | null>>;
  /** Paths that answer EACCES. A wrapper does it, for permissions do not bind root, as which containers of CI run tests. */
  readonly denied?: readonly string[];
}

export interface HostTree {
  readonly root: string;
  remove(): void;
}

/** Inodes of the host's namespaces. Network and mount are not the fixed numbers of new kernels: nothing may rely on those. */
export const HOST_NAMESPACES: Readonly<Record<NamespaceType, number>> = {
  user: 4026531837,
  pid: 4026531836,
  net: 4026531840,
  ipc: 4026531839,
  uts: 4026531838,
  mnt: 4026531841,
  cgroup: 4026531835,
  time: 4026531834,
};

const HOST_MAP = '0 0 4294967295';
const READER = 999;
const KTHREADD_FLAGS = 0x208040;
const PROCESS_FLAGS = 0x400100;

/** Runtimes leave these to the host unless they are asked. */
const SHARED_BY_DEFAULT: readonly NamespaceType[] = ['user', 'cgroup', 'time'];

/** Writes a machine's root file system from its description, into a new directory. */
export function makeHostTree(spec: HostTreeSpec): HostTree {
  const root = mkdtempSync(join(tmpdir(), 'host-tree-'));
  writeHostTree(root, spec);
  return {
    root,
    remove: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The same into a directory that is there. */
export function writeHostTree(root: string, spec: HostTreeSpec): void {
  for (const path of spec.directories ?? []) mkdirSync(join(root, path), { recursive: true });
  writeProcesses(root, spec);
  const files: Record<string, string | Uint8Array> = { ...packageFiles(spec), ...kernelFiles(spec), ...spec.files };
  for (const [path, module] of Object.entries(spec.programs ?? {})) files[path] = module ? goProgram(module) : '#!\n';
  for (const [path, content] of Object.entries(files)) write(root, path, content);
  for (const [path, target] of Object.entries(spec.links ?? {})) link(root, path, target);
}

/** All facts of a host tree, by the very probes and readers of the product. */
export function readFacts(root: string, denied: readonly string[] = []): NodeFacts {
  const steps = collectFacts(denyHost(createHostFs(root), denied), denyProcesses(createProcFs(root), denied));
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Builds a tree, reads it, removes it. */
export function factsOf(spec: HostTreeSpec): NodeFacts {
  const tree = makeHostTree(spec);
  try {
    return readFacts(tree.root, spec.denied);
  } finally {
    tree.remove();
  }
}

function write(root: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function link(root: string, path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

function kernelFiles({ kernel, sysctls = {} }: HostTreeSpec): Record<string, string> {
  const values = Object.entries({ ...(kernel ? { 'kernel.osrelease': kernel } : {}), ...sysctls });
  return Object.fromEntries(values.map(([name, value]) => [`/proc/sys/${name.replaceAll('.', '/')}`, `${value}\n`]));
}

function packageFiles({ packages }: HostTreeSpec): Record<string, string> {
  if (!packages) return {};
  const paragraphs = Object.entries(packages).map(([name, version]) =>
    [
      `Package: ${name}`,
      'Status: install ok installed',
      'Priority: optional',
      'Section: admin',
      'Maintainer: Debian Go Packaging Team <pkg-go-maintainers@lists.alioth.debian.org>',
      'Architecture: amd64',
      `Version: ${version}`,
      'Description: a package',
      ' of the test.',
    ].join('\n'),
  );
  return { '/var/lib/dpkg/status': `${paragraphs.join('\n\n')}\n` };
}

function writeProcesses(root: string, { processes = {}, namespaces = NAMESPACE_TYPES }: HostTreeSpec): void {
  if (processes === 'none') return;
  const all: Readonly<Record<number, ProcessSpec>> = {
    1: { ppid: 0, comm: 'systemd', cmdline: '/sbin/init', cgroup: '/init.scope', startTime: 1 },
    2: { ppid: 0, comm: 'kthreadd', cmdline: '', cgroup: '/', startTime: 1 },
    [READER]: {
      comm: 'userns-audit',
      cmdline: 'userns-audit node',
      cgroup: '/user.slice/user-0.slice/session-1.scope',
    },
    ...processes,
  };
  const netDevs = new Map<number, string>();
  for (const [pid, process] of Object.entries(all)) writeProcess(root, Number(pid), process, namespaces, netDevs);
  link(root, '/proc/self', String(READER));
}

/** The files of one process in the formats of fs/proc of the kernel. */
function writeProcess(
  root: string,
  pid: number,
  spec: ProcessSpec,
  types: readonly NamespaceType[],
  netDevs: Map<number, string>,
): void {
  const args = typeof spec.cmdline === 'string' ? spec.cmdline.split(' ').filter(Boolean) : (spec.cmdline ?? ['sleep']);
  const inodes = inodesOf(pid, spec);
  const isZombie = spec.state === 'Z';
  const files: Readonly<Record<string, string>> = {
    cgroup: cgroupText(spec.cgroup ?? '/system.slice/cron.service'),
    cmdline: isZombie ? '' : args.map((arg) => `${arg}\0`).join(''),
    stat: statText(pid, spec, commandOf(spec, args)),
    status: statusText(pid, spec, commandOf(spec, args), inodes.pid !== HOST_NAMESPACES.pid),
    uid_map: mapText(spec.uidMap ?? HOST_MAP),
    gid_map: mapText(spec.gidMap ?? spec.uidMap ?? HOST_MAP),
    ...(spec.hostname === undefined ? {} : { 'root/etc/hostname': `${spec.hostname}\n` }),
  };
  for (const [name, text] of Object.entries(files)) write(root, `/proc/${pid}/${name}`, text);
  // A zombie has given back all but these two (proc_pid_ns.c, ns_get_path of a task without nsproxy).
  const visible = isZombie ? types.filter((type) => type === 'user' || type === 'pid') : types;
  for (const type of visible) link(root, `/proc/${pid}/ns/${type}`, `${type}:[${inodes[type]}]`);
  if (visible.includes('net')) writeNetDev(root, pid, inodes.net, netDevs);
}

function commandOf({ comm }: ProcessSpec, args: readonly string[]): string {
  return (comm ?? basename(args[0] ?? 'sleep')).slice(0, 15);
}

function inodesOf(pid: number, { ns }: ProcessSpec): Readonly<Record<NamespaceType, number>> {
  const entries = NAMESPACE_TYPES.map((type, index) => {
    const inode = ns === undefined ? 'host' : (ns[type] ?? (SHARED_BY_DEFAULT.includes(type) ? 'host' : undefined));
    return [type, inode === 'host' ? HOST_NAMESPACES[type] : (inode ?? 4026540000 + pid * 8 + index)] as const;
  });
  return Object.fromEntries(entries) as Record<NamespaceType, number>;
}

/** Processes of one network namespace share the inode of net/dev, which a reader without privilege compares. */
function writeNetDev(root: string, pid: number, inode: number, seen: Map<number, string>): void {
  const path = join(root, `/proc/${pid}/net/dev`);
  mkdirSync(dirname(path), { recursive: true });
  const first = seen.get(inode);
  if (first === undefined) {
    writeFileSync(path, 'Inter-|   Receive\n');
    seen.set(inode, path);
  } else {
    linkSync(first, path);
  }
}

function cgroupText(cgroup: string): string {
  if (cgroup === '') return '';
  return cgroup.includes('\n') || /^\d+:/.test(cgroup) ? `${cgroup.trimEnd()}\n` : `0::${cgroup}\n`;
}

/** `%10u %10u %10u` (kernel/user_namespace.c, uid_m_show). */
function mapText(map: string): string {
  const lines = map.split(',').filter((line) => line.trim() !== '');
  return lines
    .map(
      (line) =>
        `${line
          .trim()
          .split(/\s+/)
          .map((field) => field.padStart(10))
          .join(' ')}\n`,
    )
    .join('');
}

/** All 52 fields of fs/proc/array.c (do_task_stat). */
function statText(pid: number, { ppid = 1, state = 'S', startTime = pid * 10 }: ProcessSpec, comm: string): string {
  const flags = comm === 'kthreadd' ? KTHREADD_FLAGS : PROCESS_FLAGS;
  const head = [pid, `(${comm})`, state, ppid, pid, pid, 0, -1, flags, 91, 0, 0, 0, 0, 0, 0, 0, 20, 0, 1, 0, startTime];
  return `${[...head, ...Array.from({ length: 30 }, () => 0)].join(' ')}\n`;
}

const STATE_NAMES: Readonly<Record<string, string>> = { R: 'running', S: 'sleeping', D: 'disk sleep', Z: 'zombie' };

function statusText(pid: number, spec: ProcessSpec, comm: string, inPidNamespace: boolean): string {
  const { ppid = 1, state = 'S' } = spec;
  const mapped = /^\s*0\s+(\d+)/.exec(spec.uidMap ?? HOST_MAP)?.[1];
  const uid = spec.uid ?? Number(mapped ?? 65534);
  const pids = (spec.nspid ?? (inPidNamespace ? [pid, 1] : [pid])).join('\t');
  return [
    `Name:\t${comm}`,
    'Umask:\t0022',
    `State:\t${state} (${STATE_NAMES[state] ?? 'sleeping'})`,
    `Tgid:\t${pid}`,
    'Ngid:\t0',
    `Pid:\t${pid}`,
    `PPid:\t${ppid}`,
    'TracerPid:\t0',
    `Uid:\t${[uid, uid, uid, uid].join('\t')}`,
    `Gid:\t${[uid, uid, uid, uid].join('\t')}`,
    'FDSize:\t64',
    'Groups:\t0 ',
    ...(pids === '' ? [] : ['NStgid', 'NSpid', 'NSpgid', 'NSsid'].map((name) => `${name}:\t${pids}`)),
    'Threads:\t1',
    'NoNewPrivs:\t0',
    'Seccomp:\t0',
    '',
  ].join('\n');
}

function denial(path: string): Reading<never> {
  return unread(path, 'denied', 'EACCES');
}

function denyHost(host: HostFs, denied: readonly string[]): HostFs {
  const guard = <T>(path: string, operation: () => Reading<T>): Reading<T> =>
    denied.includes(path) ? denial(path) : operation();
  return {
    ...host,
    readBytes: (path, max) => guard(path, () => host.readBytes(path, max)),
    readText: (path, max) => guard(path, () => host.readText(path, max)),
    list: (path) => guard(path, () => host.list(path)),
    readLink: (path) => guard(path, () => host.readLink(path)),
  };
}

function denyProcesses(procfs: ProcFs, denied: readonly string[]): ProcFs {
  const guard = <T>(task: Task, file: string, operation: () => Reading<T>): Reading<T> => {
    const path = `/proc/${task}/${file}`;
    const covered = denied.some(
      (entry) => entry === path || (entry.endsWith('/*') && path.startsWith(entry.slice(0, -1))),
    );
    return covered ? denial(path) : operation();
  };
  return {
    ...procfs,
    readText: (pid, file) => guard(pid, file, () => procfs.readText(pid, file)),
    readLink: (pid, file) => guard(pid, file, () => procfs.readLink(pid, file)),
    inode: (pid, file) => guard(pid, file, () => procfs.inode(pid, file)),
  };
}
