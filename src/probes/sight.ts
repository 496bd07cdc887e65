import type { Sight } from '../core/facts.ts';
import { isIdentityMap } from '../core/id-map.ts';
import {
  INITIAL_NAMESPACE_INODES,
  NAMESPACE_TYPES,
  type NamespaceType,
  parseNamespaceLink,
} from '../core/namespace.ts';
import { andThen, type Reading } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';
import type { ProcFs } from '../host/procfs.ts';
import { parseIdMap } from './id-maps.ts';
import { parseProcessStat } from './process-status.ts';

/** The host's namespaces, to compare containers with: inodes, and for readers without privilege the inode of net/dev. */
export interface HostReference {
  readonly inodes: ReadonlyMap<NamespaceType, number>;
  readonly netDevInode: number | undefined;
  readonly sight: Sight;
}

/** Always in the initial namespaces, and readable where pid 1 is not (kernel/kthread.c). */
const KTHREADD = 2;

/**
 * Tests the reader's own sight before anything is concluded: whose procfs it is, whose user namespace the reader is in, and
 * whether links of processes it does not own can be read. Takes the host's namespaces from pid 1, else from kthreadd, else
 * from the numbers the kernel fixes.
 */
export function testSight(host: HostFs, procfs: ProcFs, pids: Reading<readonly number[]>): HostReference {
  const kthreadd = isKernelThread(procfs, KTHREADD);
  const fromInit = readInodes(procfs, 1);
  const isHost = kthreadd || fromInit?.get('pid') === INITIAL_NAMESPACE_INODES.pid;
  const view = !pids.ok || pids.value.length === 0 ? 'absent' : isHost ? 'host' : 'child';
  const fromKthreadd = kthreadd ? readInodes(procfs, KTHREADD) : undefined;
  const { inodes, name: reference } = chooseReference(fromInit, fromKthreadd, view);
  const namespaceLinks = fromInit || fromKthreadd ? 'readable' : view === 'absent' ? 'unknown' : 'denied';
  const seen = { procfs: view, userNamespace: readerUserNamespace(host), namespaceLinks, reference } as const;
  const hidden = hidesProcesses(host) && namespaceLinks !== 'readable';
  const reasons = explain(seen, hidden, pids);
  const netDev = [1, KTHREADD].map((pid) => procfs.inode(pid, 'net/dev')).find((reading) => reading.ok);
  return {
    inodes,
    netDevInode: netDev?.ok ? netDev.value : undefined,
    sight: { ...seen, complete: reasons.length === 0, reasons },
  };
}

type Inodes = ReadonlyMap<NamespaceType, number>;

function chooseReference(
  init: Inodes | undefined,
  kthreadd: Inodes | undefined,
  view: Sight['procfs'],
): { readonly inodes: Inodes; readonly name: string } {
  if (init) return { inodes: init, name: 'pid 1' };
  if (kthreadd) return { inodes: kthreadd, name: 'pid 2 (kthreadd)' };
  // In the view of a child PID namespace only its own init can stand for "the host"; the fixed numbers would be wrong there.
  if (view !== 'host') return { inodes: new Map(), name: 'none' };
  const fixed = new Map(Object.entries(INITIAL_NAMESPACE_INODES)) as Inodes;
  return { inodes: fixed, name: "the kernel's fixed inode numbers" };
}

function isKernelThread(procfs: ProcFs, pid: number): boolean {
  const stat = procfs.readText(pid, 'stat');
  return stat.ok && parseProcessStat(stat.value)?.kernelThread === true;
}

/** All namespace inodes of a process, or `undefined` when the links can not be read. */
function readInodes(procfs: ProcFs, pid: number): ReadonlyMap<NamespaceType, number> | undefined {
  const inodes = new Map<NamespaceType, number>();
  for (const type of NAMESPACE_TYPES) {
    const link = procfs.readLink(pid, `ns/${type}`);
    const parsed = link.ok ? parseNamespaceLink(link.value) : undefined;
    if (parsed) inodes.set(type, parsed.inode);
  }
  return inodes.has('mnt') ? inodes : undefined;
}

/** The reader's own user namespace: by its inode, else by its map. */
function readerUserNamespace(host: HostFs): Sight['userNamespace'] {
  const link = host.readLink('/proc/self/ns/user');
  const inode = link.ok ? parseNamespaceLink(link.value)?.inode : undefined;
  if (inode !== undefined) return inode === INITIAL_NAMESPACE_INODES.user ? 'initial' : 'child';
  const map = andThen(host.readText('/proc/self/uid_map'), parseIdMap);
  if (!map.ok) return 'unknown';
  return isIdentityMap(map.value) ? 'initial' : 'child';
}

/** The procfs is mounted with hidepid: processes of others are missing from it without a trace (proc(5)). */
function hidesProcesses(host: HostFs): boolean {
  const mounts = host.readText('/proc/self/mounts', 4 << 20);
  if (!mounts.ok) return false;
  const mountPoint = host.root === '/' ? '/proc' : `${host.root}/proc`;
  const options = mounts.value
    .split('\n')
    .map((line) => line.split(' '))
    .findLast(([, path, type]) => path === mountPoint && type === 'proc')?.[3];
  return options !== undefined && /\bhidepid=(?:[124]|noaccess|invisible|ptraceable)\b/.test(options);
}

function explain(
  { procfs, userNamespace, namespaceLinks }: Omit<Sight, 'complete' | 'reasons'>,
  hidden: boolean,
  pids: Reading<unknown>,
): readonly string[] {
  const failure = pids.ok ? '/proc is empty' : `${pids.why}: ${pids.detail}`;
  const reasons: readonly (readonly [boolean, string])[] = [
    [
      procfs === 'absent',
      `no procfs (${failure}): running containers and the settings of the running kernel are not visible`,
    ],
    [
      procfs === 'child' && !hidden,
      'the procfs is that of a PID namespace, not the machine: containers outside it are not visible',
    ],
    [
      userNamespace === 'child',
      "the reader runs in a user namespace: ids and user.max_user_namespaces are its own, not the host's",
    ],
    [hidden, 'procfs is mounted with hidepid and the reader has no CAP_SYS_PTRACE: processes may be missing'],
    [
      namespaceLinks === 'denied',
      'links in /proc/PID/ns of other processes are denied (no CAP_SYS_PTRACE): IPC, UTS, mount, cgroup and time namespaces are not visible',
    ],
  ];
  return reasons.filter(([applies]) => applies).map(([, reason]) => reason);
}
