// OCI containers by Debian's own runc: every combination of namespaces, id mappings and cgroup paths, without a daemon.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { cgroupDirectories, processesInCgroups, removeCgroups } from './cgroups.ts';
import type { Lab, Suite } from './lab.ts';
import {
  endProcesses,
  isRunning,
  makeRunDirectory,
  noteCgroups,
  removeRunDirectory,
  waitSync,
} from './run-directory.ts';

/** Namespaces as the OCI runtime specification names them. */
export type NamespaceKind = 'user' | 'pid' | 'network' | 'ipc' | 'uts' | 'mount' | 'cgroup' | 'time';

/** A namespace of its own, the host's, or an existing one by path (`/proc/PID/ns/TYPE`). */
export type NamespaceChoice = 'new' | 'host' | { readonly join: string };

/** One line of uid_map or gid_map. */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** A mount of the OCI runtime specification. */
export interface OciMount {
  readonly destination: string;
  readonly source: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

/** What a container is to be. Without any option: what Docker makes by default, asleep for an hour. */
export interface ContainerOptions {
  /** Which release's runc: 1.1 (bookworm, the default) or 1.3 and later (sid). */
  readonly suite?: Suite;
  readonly namespaces?: Partial<Readonly<Record<NamespaceKind, NamespaceChoice>>>;
  /** Default with a new user namespace: 65536 ids from 100000; with a joined one: those it has. */
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly uid?: number;
  readonly gid?: number;
  /** Any path from the root of the cgroup hierarchies; see `cgroupPath` for those of Kubernetes. */
  readonly cgroupsPath?: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly hostname?: string;
  /** Replaces the bounding, effective and permitted sets. */
  readonly capabilities?: readonly string[];
  /** Capabilities that also become inheritable and ambient, so that a process that is not root keeps them. */
  readonly ambientCapabilities?: readonly string[];
  readonly noNewPrivileges?: boolean;
  readonly mounts?: readonly OciMount[];
  readonly readonlyRootfs?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  /** `created` stops before the program starts: all namespaces are there, and runc's own init waits in them. */
  readonly state?: 'running' | 'created';
}

/** A container of the lab. */
export interface Container {
  readonly id: string;
  readonly pid: number;
  readonly cgroupsPath: string;
  readonly bundle: string;
  /** What the container's program wrote to standard output and error so far. */
  output(): string;
  /** Ends every process of the container and removes all that it made. */
  stop(): void;
}

/** The capabilities a container engine gives by default. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

const KINDS: readonly NamespaceKind[] = ['user', 'pid', 'network', 'ipc', 'uts', 'mount', 'cgroup', 'time'];
const HOST_BY_DEFAULT: ReadonlySet<NamespaceKind> = new Set(['user', 'cgroup', 'time']);

const DEFAULT_MAPPINGS: readonly IdMapping[] = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

const HIDDEN_PATHS = {
  maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/timer_list'],
  readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger'],
} as const;

interface Started {
  readonly container: Container;
  readonly runc: string;
}

const containers = new Map<string, Started>();
let runDirectory: string | undefined;

/** A container id of the length that all engines use. */
export function containerId(): string {
  return createHash('sha256').update(randomUUID()).digest('hex');
}

/** The cgroup paths of one container in every form met in the field. */
export const cgroupPath = {
  cgroupfsGuaranteed: (pod: string, id: string) => `/kubepods/pod${pod}/${id}`,
  cgroupfsBurstable: (pod: string, id: string) => `/kubepods/burstable/pod${pod}/${id}`,
  cgroupfsBestEffort: (pod: string, id: string) => `/kubepods/besteffort/pod${pod}/${id}`,
  systemdContainerd: (pod: string, id: string) => `${systemdPodSlice(pod)}/cri-containerd-${id}.scope`,
  systemdCrio: (pod: string, id: string) => `${systemdPodSlice(pod)}/crio-${id}.scope`,
  systemdCrioNested: (pod: string, id: string) => `${systemdPodSlice(pod)}/crio-${id}.scope/container`,
  systemdCrioConmon: (pod: string, id: string) => `${systemdPodSlice(pod)}/crio-conmon-${id}.scope`,
  /** A `.slice` parent given to a runtime that is not set to the systemd driver. */
  colon: (pod: string, id: string) => `/kubepods-burstable-pod${underscored(pod)}.slice:cri-containerd:${id}`,
  dockerCgroupfs: (_pod: string, id: string) => `/docker/${id}`,
  dockerSystemd: (_pod: string, id: string) => `/system.slice/docker-${id}.scope`,
  /** A pod of a kind node, which is itself a Docker container. */
  kind: (pod: string, id: string) =>
    `/docker/${createHash('sha256').update(pod).digest('hex')}/kubelet/kubepods/burstable/pod${pod}/${id}`,
  kindSystemd: (pod: string, id: string) =>
    `/system.slice/docker-${createHash('sha256').update(pod).digest('hex')}.scope/kubelet.slice` +
    `/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice` +
    `/kubelet-kubepods-burstable-pod${underscored(pod)}.slice/cri-containerd-${id}.scope`,
} as const satisfies Record<string, (pod: string, id: string) => string>;

function underscored(pod: string): string {
  return pod.replaceAll('-', '_');
}

function systemdPodSlice(pod: string): string {
  return `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${underscored(pod)}.slice`;
}

/**
 * Mounts that let a container run the machine's own node, which is linked to the machine's libraries, and with it
 * everything in the given directory at /agent.
 */
export function nodeMounts(nodeBinary: string, agentDirectory: string): readonly OciMount[] {
  const libraries = ['/usr', '/lib', '/lib64'].filter((path) => existsSync(path)).map((path) => bind(path, path));
  return [...libraries, bind(nodeBinary, '/opt/node'), bind(agentDirectory, '/agent')];
}

/** A bind mount; read-only unless told otherwise. */
export function bind(source: string, destination: string, access: 'ro' | 'rw' = 'ro'): OciMount {
  return { source, destination, type: 'none', options: ['rbind', 'nodev', access] };
}

/** Starts a container; throws what runc said when it could not. */
export function startContainer(lab: Lab, options: ContainerOptions = {}): Container {
  const id = containerId();
  const run = (runDirectory ??= prepareRunDirectory(lab));
  const bundle = join(run, 'bundles', id);
  const cgroupsPath = join('/', options.cgroupsPath ?? `/userns-audit-lab/${id}`);
  const cgroups = cgroupDirectories(cgroupsPath);
  const runc = join(lab.bin[options.suite ?? 'bookworm'], 'runc');
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(runtimeSpec(join(run, 'rootfs'), cgroupsPath, options)));
  noteCgroups(run, cgroups);

  const container: Container = {
    id,
    cgroupsPath,
    bundle,
    get pid() {
      return pid;
    },
    output: () => readFileSync(join(bundle, 'output'), 'utf8'),
    stop: () => {
      if (!containers.delete(id)) return;
      removeContainer(run, id, cgroups);
    },
  };
  containers.set(id, { container, runc });
  const command = options.state === 'created' ? ['create'] : ['run', '--detach'];
  const pidFile = join(bundle, 'pid');
  let pid = 0;
  try {
    runRunc(run, runc, bundle, [...command, '--bundle', bundle, '--pid-file', pidFile, id], cgroupsPath);
    pid = Number(readFileSync(pidFile, 'utf8'));
    if (options.state !== 'created') waitForProgram(pid);
  } catch (error) {
    container.stop();
    throw error;
  }
  return container;
}

/** Runs one more process in a container, detached; returns its pid on the host. It ends with the container. */
export function execIn(container: Container, args: readonly string[], options: { readonly uid?: number } = {}): number {
  const started = containers.get(container.id);
  if (started === undefined || runDirectory === undefined) throw new Error(`the container ${container.id} is stopped`);
  const pidFile = join(container.bundle, `exec-${randomUUID()}`);
  const user = options.uid === undefined ? [] : ['--user', `${options.uid}:${options.uid}`];
  const command = ['exec', '--detach', '--pid-file', pidFile, ...user, container.id, ...args];
  runRunc(runDirectory, started.runc, container.bundle, command, undefined);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  waitForProgram(pid);
  return pid;
}

/** Stops every container of this test process, and removes its directory. */
export function stopAll(): void {
  // A container that joined another's namespaces is stopped before it.
  for (const { container } of [...containers.values()].reverse()) container.stop();
  if (runDirectory !== undefined) removeRunDirectory(runDirectory);
  runDirectory = undefined;
}

function prepareRunDirectory(lab: Lab): string {
  const dir = makeRunDirectory('runc');
  mkdirSync(join(dir, 'bundles'));
  // A copy, because runc makes missing mount points, and because the cache may be behind a closed home directory.
  const copied = spawnSync('cp', ['-a', lab.rootfs, join(dir, 'rootfs')], { encoding: 'utf8' });
  if (copied.status !== 0) throw new Error(`cannot copy ${lab.rootfs}: ${copied.stderr}`);
  return dir;
}

/**
 * A detached runc leaves its standard streams to the container, so a pipe would never end: output goes to a file, and
 * runc's own messages to its log.
 */
function runRunc(
  run: string,
  runc: string,
  bundle: string,
  command: readonly string[],
  cgroupsPath: string | undefined,
): void {
  const log = join(bundle, 'runc.log');
  const output = openSync(join(bundle, 'output'), 'a');
  try {
    for (let attempt = 1; ; attempt++) {
      rmSync(log, { force: true });
      const result = spawnSync(runc, ['--root', join(run, 'state'), '--log', log, ...command], {
        stdio: ['ignore', output, output],
        timeout: 30_000,
        killSignal: 'SIGKILL',
      });
      if (result.status === 0) return;
      const said = result.error?.message ?? (readIfThere(join(bundle, 'output')).trim() || readIfThere(log).trim());
      // Another test process may just have removed a parent cgroup that both use, because it was empty.
      const lostParent = cgroupsPath !== undefined && /cgroup.*no such file or directory/s.test(said);
      if (!lostParent || attempt === 3) throw new Error(`runc ${command[0] ?? ''} failed: ${said}`);
      spawnSync(runc, ['--root', join(run, 'state'), 'delete', '--force', command.at(-1) ?? ''], { stdio: 'ignore' });
    }
  } finally {
    closeSync(output);
  }
}

/** runc reports success before the program has replaced runc's own init; a test reading /proc must not see that. */
function waitForProgram(pid: number): void {
  waitSync(() => {
    const commandLine = readIfThere(`/proc/${pid}/cmdline`);
    return !/^(?:\S*\/)?runc\0init\0/.test(commandLine) || !isRunning(pid);
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function removeContainer(run: string, id: string, cgroups: readonly string[]): void {
  // Not `runc delete`: it waits until the init is reaped, and one with a second process waits for the machine's own init.
  endProcesses(() => processesInCgroups(cgroups));
  removeCgroups(cgroups);
  rmSync(join(run, 'state', id), { recursive: true, force: true });
  rmSync(join(run, 'bundles', id), { recursive: true, force: true });
}

type Has = (kind: NamespaceKind) => boolean;

function runtimeSpec(rootfs: string, cgroupsPath: string, options: ContainerOptions): object {
  const namespaces = KINDS.flatMap((type) => {
    const choice = options.namespaces?.[type] ?? (HOST_BY_DEFAULT.has(type) ? 'host' : 'new');
    if (choice === 'host') return [];
    return [choice === 'new' ? { type } : { type, path: choice.join }];
  });
  const has: Has = (kind) => namespaces.some(({ type }) => type === kind);
  const ownHostname = namespaces.some((one) => one.type === 'uts' && !('path' in one));
  return {
    ociVersion: '1.0.2',
    process: processSpec(options),
    root: { path: rootfs, readonly: options.readonlyRootfs ?? false },
    ...(ownHostname ? { hostname: options.hostname ?? 'lab' } : {}),
    mounts: [...baseMounts(has), ...(options.mounts ?? [])],
    annotations: options.annotations ?? {},
    linux: {
      cgroupsPath,
      namespaces,
      ...(has('user') ? idMappings(options) : {}),
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      ...(bindsHostProc(has) ? {} : HIDDEN_PATHS),
    },
  };
}

function processSpec(options: ContainerOptions): object {
  const uid = options.uid ?? 0;
  const ambient = options.ambientCapabilities ?? [];
  const bounding = [...new Set([...(options.capabilities ?? DEFAULT_CAPABILITIES), ...ambient])];
  // The kernel takes away the effective set of whoever is not root, except what is ambient.
  const held = uid === 0 ? bounding : ambient;
  return {
    terminal: false,
    user: { uid, gid: options.gid ?? uid },
    args: options.args ?? ['sleep', '3600'],
    env: options.env ?? ['PATH=/bin'],
    cwd: '/',
    capabilities: { bounding, permitted: held, effective: held, inheritable: ambient, ambient },
    noNewPrivileges: options.noNewPrivileges ?? false,
  };
}

function idMappings(options: ContainerOptions): object {
  const choice = options.namespaces?.user;
  const joined = typeof choice === 'object' ? choice.join : undefined;
  const uidMappings = options.uidMappings ?? mappingsOf(joined, 'uid_map') ?? DEFAULT_MAPPINGS;
  const gidMappings = options.gidMappings ?? mappingsOf(joined, 'gid_map') ?? uidMappings;
  return { uidMappings, gidMappings };
}

/** See `baseMounts`. Masking would then try to change the host's mounts, which root of a user namespace may not. */
function bindsHostProc(has: Has): boolean {
  return has('user') && !has('pid');
}

/** runc wants to be told the mappings of a user namespace it joins, too, and they must be the ones it has. */
function mappingsOf(namespacePath: string | undefined, file: 'uid_map' | 'gid_map'): readonly IdMapping[] | undefined {
  const process = /^(\/proc\/\d+)\/ns\/user$/.exec(namespacePath ?? '')?.[1];
  if (process === undefined) return undefined;
  const lines = readFileSync(`${process}/${file}`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [containerID = 0, hostID = 0, size = 0] = line.trim().split(/\s+/).map(Number);
    return { containerID, hostID, size };
  });
}

/**
 * proc, sysfs and mqueue can be mounted anew only by root of the user namespace that owns the pid, network or ipc
 * namespace; with a new user namespace and the host's other one, the host's mount is bound, or there is none.
 */
function baseMounts(has: Has): readonly OciMount[] {
  const safe = ['nosuid', 'noexec', 'nodev'];
  const user = has('user');
  return [
    bindsHostProc(has)
      ? { destination: '/proc', type: 'none', source: '/proc', options: ['rbind', ...safe] }
      : { destination: '/proc', type: 'proc', source: 'proc', options: safe },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=64k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
    },
    ...(user && !has('ipc') ? [] : [{ destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe }]),
    user && !has('network')
      ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...safe, 'ro'] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...safe, 'ro'] },
  ];
}
