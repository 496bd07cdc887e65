import type { NamedNetworkNamespace } from '../core/facts.ts';
import { type Reading, read } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';

/** Names of ip-netns(8) and of CNI with the network namespace mounted on each. */
export function readNetworkNamespaces(host: HostFs): Reading<readonly NamedNetworkNamespace[]> {
  const run = host.list('/run/netns');
  const names = run.ok || run.why !== 'absent' ? run : host.list('/var/run/netns');
  if (!names.ok) return names;
  return read(
    names.source,
    names.value.map((name) => ({ name, inode: host.namespaceInode(`${names.source}/${name}`) })),
  );
}
