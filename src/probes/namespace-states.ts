import { type IdMap, isIdentityMap } from '../core/id-map.ts';
import {
  NAMESPACE_TYPES,
  type NamespaceState,
  type NamespaceStates,
  type NamespaceType,
  parseNamespaceLink,
} from '../core/namespace.ts';
import { describeUnread, type Reading } from '../core/reading.ts';
import type { ProcFs } from '../host/procfs.ts';
import type { HostReference } from './sight.ts';

/** What a reader without CAP_SYS_PTRACE can still see of a process. */
interface WeakEvidence {
  readonly uidMap: Reading<IdMap>;
  readonly nspid: Reading<readonly number[]>;
}

/** How a process stands to each of the host's namespaces: by the inodes of its links, else by what any user may read. */
export function namespaceStates(
  procfs: ProcFs,
  pid: number,
  reference: HostReference,
  weak: WeakEvidence,
): NamespaceStates {
  const states = NAMESPACE_TYPES.map((type) => [type, stateOf(procfs, pid, type, reference, weak)] as const);
  return Object.fromEntries(states) as Record<NamespaceType, NamespaceState>;
}

function stateOf(
  procfs: ProcFs,
  pid: number,
  type: NamespaceType,
  reference: HostReference,
  weak: WeakEvidence,
): NamespaceState {
  const link = procfs.readLink(pid, `ns/${type}`);
  const inode = link.ok ? parseNamespaceLink(link.value)?.inode : undefined;
  const host = reference.inodes.get(type);
  if (inode !== undefined && host !== undefined)
    return { relation: inode === host ? 'host' : 'private', basis: 'inode', inode };
  // The link of a type is missing on a live process only where the kernel lacks that type (namespaces(7)).
  if (!link.ok && link.why === 'absent' && host === undefined && reference.inodes.has('mnt'))
    return { relation: 'unsupported' };
  const fallback = fromWeakEvidence(procfs, pid, type, reference, weak);
  if (fallback) return inode === undefined ? fallback : { ...fallback, inode };
  const reason = link.ok ? "the host's namespace to compare with is not visible" : describeUnread(link);
  return { relation: 'unknown', reason };
}

function fromWeakEvidence(
  procfs: ProcFs,
  pid: number,
  type: NamespaceType,
  { netDevInode, sight }: HostReference,
  { uidMap, nspid }: WeakEvidence,
): Exclude<NamespaceState, { relation: 'unknown' | 'unsupported' }> | undefined {
  if (sight.procfs !== 'host') return undefined;
  // A map that is not the identity proves a namespace; the identity grants the host's ids, whichever namespace shows it.
  if (type === 'user' && uidMap.ok && sight.userNamespace !== 'child') {
    return { relation: isIdentityMap(uidMap.value) ? 'host' : 'private', basis: 'uid_map' };
  }
  if (type === 'pid' && nspid.ok) return { relation: nspid.value.length > 1 ? 'private' : 'host', basis: 'NSpid' };
  if (type === 'net' && netDevInode !== undefined) {
    const own = procfs.inode(pid, 'net/dev');
    if (own.ok) return { relation: own.value === netDevInode ? 'host' : 'private', basis: 'net/dev' };
  }
  return undefined;
}
