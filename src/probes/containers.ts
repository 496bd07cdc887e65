import type { ContainerRuntime, Sandbox, Shim, UnnamedContainer } from '../core/container.ts';
import { type IdMap, toHostId } from '../core/id-map.ts';
import { andThen, type Reading, read, unread } from '../core/reading.ts';
import { printable } from '../core/text.ts';
import type { ProcFs, Task } from '../host/procfs.ts';
import { parseIdMap } from './id-maps.ts';
import { type NamespaceInodes, namespaceStates, readNamespaceInode, readNamespaceInodes } from './namespace-states.ts';
import { parseProcessStat, parseProcessStatus, type ProcessStatus } from './process-status.ts';
import type { ProcessGroup } from './processes.ts';
import type { HostReference } from './sight.ts';

/** What one scan keeps to read nothing twice. */
interface Scan {
  readonly procfs: ProcFs;
  readonly reference: HostReference;
  /** The processes of all containers: none of them can be a shim. */
  readonly insiders: ReadonlySet<number>;
  /** Maps by the inode of the user namespace they belong to. */
  readonly maps: Map<number, IdMaps>;
  readonly shims: Map<number, Reading<Shim>>;
}

interface IdMaps {
  readonly uidMap: Reading<IdMap>;
  readonly gidMap: Reading<IdMap>;
}

/** Reads each container's facts from its init process. Yields after every container; groups that are none are left out. */
export function* inspectContainers(
  procfs: ProcFs,
  groups: readonly ProcessGroup[],
  reference: HostReference,
): Generator<undefined, readonly UnnamedContainer[]> {
  const insiders = new Set(groups.filter(({ certain }) => certain).flatMap(({ pids }) => pids));
  const scan: Scan = { procfs, reference, insiders, maps: new Map(), shims: new Map() };
  const containers: UnnamedContainer[] = [];
  for (const group of groups) {
    const container = inspect(scan, group);
    if (container && (group.certain || looksContained(container))) containers.push(container);
    yield;
  }
  return containers;
}

/**
 * The init process is the oldest one alive: later ones are its children or were exec'd into the container, and may have
 * left for namespaces of their own. When a process vanishes between reads, the next oldest answers.
 */
function inspect(scan: Scan, group: ProcessGroup): UnnamedContainer | undefined {
  const quick = inspectInit(scan, group);
  if (quick) return quick;
  const byAge = readStartTimes(scan.procfs, group.pids).toSorted((a, b) => a.startTime - b.startTime || a.pid - b.pid);
  let dead: UnnamedContainer | undefined;
  for (const { pid } of byAge) {
    const container = inspectMember(scan, group, pid);
    if (container?.state === 'running') return container;
    dead ??= container;
  }
  return dead;
}

/**
 * Most containers have one PID namespace, and its first process is its oldest: who was born in a namespace was born after
 * its pid 1 (pid_namespaces(7)). A link for each process proves it at a quarter of what its start time would cost.
 */
function inspectInit(scan: Scan, group: ProcessGroup): UnnamedContainer | undefined {
  const { pids } = group;
  const lowest = Math.min(...pids);
  const container = inspectMember(scan, group, lowest);
  if (container?.state !== 'running' || pids.length === 1) return container;
  const { pid } = container.namespaces;
  if (pid.relation !== 'private' || pid.inode === undefined) return undefined;
  if (!container.nspid.ok || container.nspid.value.at(-1) !== 1) return undefined;
  const isTogether = pids.every((other) => other === lowest || sharesPidNamespace(scan.procfs, other, pid.inode));
  return isTogether ? container : undefined;
}

/** A process that is gone takes nothing away from the proof; one whose link is denied does. */
function sharesPidNamespace(procfs: ProcFs, pid: number, inode: number | undefined): boolean {
  const own = readNamespaceInode(procfs, pid, 'pid');
  return own.ok ? own.value === inode : own.why === 'absent';
}

function readStartTimes(
  procfs: ProcFs,
  pids: readonly number[],
): readonly { readonly pid: number; readonly startTime: number }[] {
  return pids.flatMap((pid) => {
    const text = procfs.readText(pid, 'stat');
    const stat = text.ok ? parseProcessStat(text.value) : undefined;
    return stat ? [{ pid, startTime: stat.startTime }] : [];
  });
}

/** A bare runtime's container, told from a daemon in a cgroup of its own: a root of its own and one namespace more. */
function looksContained({ namespaces }: UnnamedContainer): boolean {
  const { mnt, user, pid, net, ipc, uts } = namespaces;
  const own = [user, pid, net, ipc, uts].filter((state) => state.relation === 'private').length;
  // Without sight of mount namespaces a PID namespace of its own is the sign that is left.
  return mnt.relation === 'private' ? own > 0 : mnt.relation === 'unknown' && pid.relation === 'private';
}

/** The container as one of its processes shows it, `undefined` when that process is gone. */
function inspectMember(scan: Scan, group: ProcessGroup, pid: number): UnnamedContainer | undefined {
  const leader = inspectTask(scan, group, pid, pid);
  if (leader?.state !== 'exited') return leader;
  // A leader that has ended looks like a zombie while its other threads work on, in the namespaces it had.
  const threads = scan.procfs.threads(pid);
  for (const thread of threads.ok ? threads.value : []) {
    const container = thread === pid ? undefined : inspectTask(scan, group, pid, `${pid}/task/${thread}`);
    if (container?.state === 'running') return container;
  }
  return leader;
}

function inspectTask(scan: Scan, group: ProcessGroup, pid: number, task: Task): UnnamedContainer | undefined {
  const pinned = scan.procfs.pinned(task, 'status', () => observe(scan, task));
  if (!pinned.ok) return undefined;
  const { observed, text } = pinned.value;
  const status = parseProcessStatus(text);
  if (!status) return undefined;
  if (/^[ZXx]$/.test(status.state)) return exited(group, pid, status);
  return describe(scan, group, observed, { pid, ...status, source: pinned.source });
}

/** What has to be read by pid while the process is held. */
interface Observed extends IdMaps {
  readonly inodes: NamespaceInodes;
  /** Of use only where the links say nothing. */
  readonly netDevInode: Reading<number>;
}

function observe({ procfs, reference, maps }: Scan, task: Task): Observed {
  const inodes = readNamespaceInodes(procfs, task);
  const needless = inodes.net.ok && reference.inodes.has('net');
  return {
    inodes,
    ...readMaps(procfs, maps, task, inodes.user),
    netDevInode: needless ? unread(`/proc/${task}/net/dev`, 'absent', 'not asked') : procfs.inode(task, 'net/dev'),
  };
}

function describe(
  scan: Scan,
  group: ProcessGroup,
  { inodes, uidMap, gidMap, netDevInode }: Observed,
  { pid, command, parent, uid, nspid: pids, source }: ProcessStatus & { readonly pid: number; readonly source: string },
): UnnamedContainer {
  const { reference } = scan;
  const nspid = pids ? read(source, pids) : unread(source, 'absent', 'no NSpid line: the kernel is older than 4.1');
  const namespaces = namespaceStates(inodes, reference, { uidMap, nspid, netDevInode });
  const shim = readShim(scan, parent);
  const sandbox = sandboxOf(shim);
  const foreign = reference.sight.userNamespace === 'child' ? unread(`/proc/${pid}`, 'denied', FOREIGN_IDS) : undefined;
  return {
    ...group.reference,
    runtime: runtimeOf(group.reference.runtime, shim),
    state: 'running',
    init: { pid, command },
    processes: group.pids.length,
    shim,
    ...(sandbox ? { sandbox } : {}),
    namespaces,
    uidMap,
    gidMap,
    nspid,
    hostUid: foreign ?? read(source, uid),
    rootHostUid: foreign ?? andThen(uidMap, rootOf),
  };
}

const FOREIGN_IDS = 'the reader is in a user namespace, where host ids can not be expressed';

/** The maps belong to the user namespace (user_namespaces(7)): its second process shows the same. */
function readMaps(procfs: ProcFs, maps: Scan['maps'], task: Task, userNamespace: Reading<number>): IdMaps {
  const known = userNamespace.ok ? maps.get(userNamespace.value) : undefined;
  if (known) return known;
  const fresh = {
    uidMap: andThen(procfs.readText(task, 'uid_map'), parseIdMap),
    gidMap: andThen(procfs.readText(task, 'gid_map'), parseIdMap),
  };
  if (userNamespace.ok && fresh.uidMap.ok && fresh.gidMap.ok) maps.set(userNamespace.value, fresh);
  return fresh;
}

function rootOf(map: IdMap, source: string): Reading<number> {
  const host = toHostId(map, 0);
  if (host === undefined) return unread(source, 'absent', 'uid 0 is not mapped');
  return read(source, host);
}

/**
 * The parent of the init. It is a shim only when it stands outside the container: a process of the container itself can
 * call itself what it likes.
 */
function readShim({ procfs, insiders, shims }: Scan, parent: number): Reading<Shim> {
  if (parent === 0) return unread('/proc', 'absent', 'the parent is not visible in this PID namespace');
  if (insiders.has(parent)) return unread(`/proc/${parent}`, 'absent', 'the parent is itself in a container');
  const known = shims.get(parent);
  if (known) return known;
  const shim = andThen(procfs.readText(parent, 'cmdline'), (text, source) =>
    text === ''
      ? unread(source, 'absent', 'no command line')
      : read(source, { pid: parent, command: printable(text.replace(/\0$/, '')) }),
  );
  shims.set(parent, shim);
  return shim;
}

/** cgroupfs paths do not name the runtime; its shim does: namespaces `moby` and `k8s.io` of containerd, conmon's directories. */
function runtimeOf(known: ContainerRuntime, shim: Reading<Shim>): ContainerRuntime {
  if (known !== 'unknown' || !shim.ok) return known;
  const { command } = shim.value;
  if (command.includes('containerd-shim')) return /-namespace moby\b|docker/.test(command) ? 'docker' : 'containerd';
  if (/\bconmon\b/.test(command)) return command.includes('crio') ? 'cri-o' : 'podman';
  return known;
}

/** gVisor's and Kata's shims. The names of the container's own processes prove nothing. */
function sandboxOf(shim: Reading<Shim>): Sandbox | undefined {
  const program = shim.ok ? (/^\S*/.exec(shim.value.command)?.[0] ?? '') : '';
  if (/containerd-shim-runsc(?:-v\d+)?$/.test(program)) return 'gvisor';
  return /containerd-shim-kata(?:-\w+)*$/.test(program) ? 'kata' : undefined;
}

/** A container of which only dead processes are left: they have no namespaces to look at. */
function exited(group: ProcessGroup, pid: number, { command }: ProcessStatus): UnnamedContainer {
  const gone = unread(`/proc/${pid}`, 'absent', 'the process has exited and waits for its parent');
  const state = { relation: 'unknown', reason: gone.detail } as const;
  return {
    ...group.reference,
    state: 'exited',
    init: { pid, command },
    processes: 0,
    shim: gone,
    namespaces: { user: state, pid: state, net: state, ipc: state, uts: state, mnt: state, cgroup: state, time: state },
    uidMap: gone,
    gidMap: gone,
    nspid: gone,
    hostUid: gone,
    rootHostUid: gone,
  };
}
