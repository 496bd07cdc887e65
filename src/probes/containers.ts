import type { Container, ContainerRuntime, Sandbox, Shim } from '../core/container.ts';
import { type IdMap, toHostId } from '../core/id-map.ts';
import { andThen, type Reading, read, unread } from '../core/reading.ts';
import { printable } from '../core/text.ts';
import type { ProcFs } from '../host/procfs.ts';
import { readHostname } from './hostname.ts';
import { parseIdMap } from './id-maps.ts';
import { namespaceStates } from './namespace-states.ts';
import { parseProcessStat, parseProcessStatus, type ProcessStat, type ProcessStatus } from './process-status.ts';
import type { ProcessGroup } from './processes.ts';
import type { HostReference } from './sight.ts';

/** A group with the processes of all containers, its own among them. */
interface Group extends ProcessGroup {
  readonly insiders: ReadonlySet<number>;
}

/** A process of a group, identified for good by pid and start time. */
interface Member {
  readonly pid: number;
  readonly stat: ProcessStat;
}

/** Reads each container's facts from its init process. Yields after every container; groups that are none are left out. */
export function* inspectContainers(
  procfs: ProcFs,
  groups: readonly ProcessGroup[],
  reference: HostReference,
): Generator<undefined, readonly Container[]> {
  const containers: Container[] = [];
  const insiders = new Set(groups.filter(({ certain }) => certain).flatMap(({ pids }) => pids));
  for (const group of groups) {
    const container = inspect(procfs, { ...group, insiders }, reference);
    if (container) containers.push(container);
    yield;
  }
  return containers;
}

/**
 * The init process is the oldest one alive: later ones are its children or were exec'd into the container, and may have
 * left for namespaces of their own. When a process vanishes or its pid is reused between reads, the next oldest answers.
 */
function inspect(procfs: ProcFs, group: Group, reference: HostReference): Container | undefined {
  const members = group.pids.flatMap((pid): Member[] => {
    const stat = readStat(procfs, pid);
    return stat ? [{ pid, stat }] : [];
  });
  const byAge = members.toSorted((a, b) => a.stat.startTime - b.stat.startTime || a.pid - b.pid);
  const alive = byAge.filter(({ stat }) => !isDead(stat));
  for (const member of alive) {
    const container = inspectMember(procfs, group, reference, member);
    if (readStat(procfs, member.pid)?.startTime !== member.stat.startTime) continue;
    return container && (group.certain || looksContained(container))
      ? { ...container, processes: alive.length }
      : undefined;
  }
  const [dead] = byAge;
  return dead && group.certain ? exited(group, dead) : undefined;
}

function readStat(procfs: ProcFs, pid: number): ProcessStat | undefined {
  const text = procfs.readText(pid, 'stat');
  return text.ok ? parseProcessStat(text.value) : undefined;
}

function isDead(stat: ProcessStat): boolean {
  return stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
}

/** A bare runtime's container, told from a daemon in a cgroup of its own: a root of its own and one namespace more. */
function looksContained({ namespaces }: Container): boolean {
  const { mnt, user, pid, net, ipc, uts } = namespaces;
  const own = [user, pid, net, ipc, uts].filter((state) => state.relation === 'private').length;
  // Without sight of mount namespaces a PID namespace of its own is the sign that is left.
  return mnt.relation === 'private' ? own > 0 : mnt.relation === 'unknown' && pid.relation === 'private';
}

function inspectMember(procfs: ProcFs, group: Group, reference: HostReference, member: Member): Container | undefined {
  const { pid, stat } = member;
  const status = andThen(procfs.readText(pid, 'status'), (text, source): Reading<ProcessStatus> => {
    const parsed = parseProcessStatus(text);
    return parsed ? read(source, parsed) : unread(source, 'malformed', 'no PPid or Uid line');
  });
  const uidMap = andThen(procfs.readText(pid, 'uid_map'), parseIdMap);
  const gidMap = andThen(procfs.readText(pid, 'gid_map'), parseIdMap);
  const nspid = andThen(status, ({ nspid: pids }, source) =>
    pids ? read(source, pids) : unread(source, 'absent', 'no NSpid line: the kernel is older than 4.1'),
  );
  const namespaces = namespaceStates(procfs, pid, reference, { uidMap, nspid });
  const shim = readShim(procfs, stat.parent, group.insiders);
  const sandbox = sandboxOf(shim);
  const idsAreHosts = reference.sight.userNamespace !== 'child';
  const foreignIds = unread(
    `/proc/${pid}`,
    'denied',
    'the reader is in a user namespace, where host ids can not be expressed',
  );
  return {
    ...group.reference,
    runtime: runtimeOf(group.reference.runtime, shim),
    state: 'running',
    init: { pid, command: stat.command, startTime: stat.startTime },
    processes: group.pids.length,
    shim,
    ...(sandbox ? { sandbox } : {}),
    namespaces,
    uidMap,
    gidMap,
    nspid,
    hostUid: idsAreHosts ? andThen(status, ({ uid }, source) => read(source, uid)) : foreignIds,
    rootHostUid: idsAreHosts ? andThen(uidMap, rootOf) : foreignIds,
    hostname: readHostname(procfs, pid),
  };
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
function readShim(procfs: ProcFs, parent: number, insiders: ReadonlySet<number>): Reading<Shim> {
  if (parent === 0) return unread('/proc', 'absent', 'the parent is not visible in this PID namespace');
  if (insiders.has(parent)) return unread(`/proc/${parent}`, 'absent', 'the parent is itself in a container');
  return andThen(procfs.readText(parent, 'cmdline'), (text, source) =>
    text === ''
      ? unread(source, 'absent', 'no command line')
      : read(source, { pid: parent, command: printable(text.replace(/\0$/, '')) }),
  );
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
function exited(group: Group, { pid, stat }: Member): Container {
  const gone = unread(`/proc/${pid}`, 'absent', 'the process has exited and waits for its parent');
  const state = { relation: 'unknown', reason: gone.detail } as const;
  return {
    ...group.reference,
    state: 'exited',
    init: { pid, command: stat.command, startTime: stat.startTime },
    processes: 0,
    shim: gone,
    namespaces: { user: state, pid: state, net: state, ipc: state, uts: state, mnt: state, cgroup: state, time: state },
    uidMap: gone,
    gidMap: gone,
    nspid: gone,
    hostUid: gone,
    rootHostUid: gone,
    hostname: gone,
  };
}
