import { type IdMap, isIdentityMap } from '../core/id-map.ts';
import {
  NAMESPACE_TYPES,
  type NamespaceState,
  type NamespaceStates,
  type NamespaceType,
  parseNamespaceLink,
} from '../core/namespace.ts';
import { andThen, describeUnread, type Reading, read, unread } from '../core/reading.ts';
import type { ProcFs, Task } from '../host/procfs.ts';
import type { HostReference } from './sight.ts';

/** The inode of each namespace of one process. */
export type NamespaceInodes = Readonly<Record<NamespaceType, Reading<number>>>;

/** Reads the links of /proc/PID/ns (namespaces(7)). */
export function readNamespaceInodes(procfs: ProcFs, task: Task): NamespaceInodes {
  const inodes = NAMESPACE_TYPES.map((type) => [type, readNamespaceInode(procfs, task, type)] as const);
  return Object.fromEntries(inodes) as Record<NamespaceType, Reading<number>>;
}

export function readNamespaceInode(procfs: ProcFs, task: Task, type: NamespaceType): Reading<number> {
  return andThen(procfs.readLink(task, `ns/${type}`), (link, source) => {
    const parsed = parseNamespaceLink(link);
    return parsed ? read(source, parsed.inode) : unread(source, 'malformed', `"${link.slice(0, 40)}" is no namespace`);
  });
}

/** What a reader without CAP_SYS_PTRACE can still see of a process. */
interface WeakEvidence {
  readonly uidMap: Reading<IdMap>;
  readonly nspid: Reading<readonly number[]>;
  /** Inode of /proc/PID/net/dev: equal for two processes if and only if they share the network namespace. */
  readonly netDevInode: Reading<number>;
}

/** How a process stands to each of the host's namespaces: by the inodes of its links, else by what any user may read. */
export function namespaceStates(
  inodes: NamespaceInodes,
  reference: HostReference,
  weak: WeakEvidence,
): NamespaceStates {
  const states = NAMESPACE_TYPES.map((type) => [type, stateOf(type, inodes[type], reference, weak)] as const);
  return Object.fromEntries(states) as Record<NamespaceType, NamespaceState>;
}

function stateOf(
  type: NamespaceType,
  own: Reading<number>,
  reference: HostReference,
  weak: WeakEvidence,
): NamespaceState {
  const host = reference.inodes.get(type);
  if (own.ok && host !== undefined) {
    return { relation: own.value === host ? 'host' : 'private', basis: 'inode', inode: own.value };
  }
  // The link of a type is missing on a live process only where the kernel lacks that type (namespaces(7)).
  if (!own.ok && own.why === 'absent' && host === undefined && reference.inodes.has('mnt'))
    return { relation: 'unsupported' };
  const fallback = fromWeakEvidence(type, reference, weak);
  if (fallback) return own.ok ? { ...fallback, inode: own.value } : fallback;
  const reason = own.ok ? "the host's namespace to compare with is not visible" : describeUnread(own);
  return { relation: 'unknown', reason };
}

function fromWeakEvidence(
  type: NamespaceType,
  { netDevInode: host, sight }: HostReference,
  { uidMap, nspid, netDevInode }: WeakEvidence,
): Exclude<NamespaceState, { relation: 'unknown' | 'unsupported' }> | undefined {
  if (sight.procfs !== 'host') return undefined;
  // A map that is not the identity proves a namespace; the identity grants the host's ids, whichever namespace shows it.
  if (type === 'user' && uidMap.ok && sight.userNamespace !== 'child') {
    return { relation: isIdentityMap(uidMap.value) ? 'host' : 'private', basis: 'uid_map' };
  }
  if (type === 'pid' && nspid.ok) return { relation: nspid.value.length > 1 ? 'private' : 'host', basis: 'NSpid' };
  if (type !== 'net' || host === undefined || !netDevInode.ok) return undefined;
  return { relation: netDevInode.value === host ? 'host' : 'private', basis: 'net/dev' };
}
