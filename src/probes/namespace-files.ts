import { NAMESPACE_TYPES, type NamespaceType } from '../core/namespace.ts';
import { type Reading, read, unread } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';

/** The namespace types the running kernel has: each that is built in has its file in /proc/self/ns (namespaces(7)). */
export function readNamespaceFiles(host: HostFs): Reading<readonly NamespaceType[]> {
  const files = host.list('/proc/self/ns');
  if (!files.ok) return files;
  const types = NAMESPACE_TYPES.filter((type) => files.value.includes(type));
  // The mount namespace can not be configured out alone: a list without it is not the kernel's.
  return types.includes('mnt') ? read(files.source, types) : unread(files.source, 'malformed', 'no mnt entry');
}
