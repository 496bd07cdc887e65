import type { Container, DockerDeclaration, UnnamedContainer } from '../core/container.ts';
import type { NodeFacts } from '../core/facts.ts';
import { type Reading, unread } from '../core/reading.ts';
import type { ProcFs } from '../host/procfs.ts';
import { readHostname } from './hostname.ts';
import { readNamespaceInode } from './namespace-states.ts';

/** Adds the names people know a container by to what the kernel shows of it. Yields after every container. */
export function* nameContainers(
  procfs: ProcFs,
  containers: readonly UnnamedContainer[],
  networkNamespaces: NodeFacts['networkNamespaces'],
  declared: ReadonlyMap<string, Reading<DockerDeclaration>>,
): Generator<undefined, readonly Container[]> {
  const networkNames = new Map(
    (networkNamespaces.ok ? networkNamespaces.value : []).flatMap(({ name, inode }) =>
      inode.ok ? [[inode.value, name] as const] : [],
    ),
  );
  const hostnames = new Map<string, Reading<string>>();
  const named: Container[] = [];
  for (const container of containers) {
    const { net } = container.namespaces;
    const name = net.relation === 'private' && net.inode !== undefined ? networkNames.get(net.inode) : undefined;
    // A container may name a cgroup of its own after another's id: only the outermost name is the engine's word.
    const docker = container.nestedIn === undefined ? declared.get(container.id) : undefined;
    const hostname = hostnames.get(ownerOf(container)) ?? hostnameOf(procfs, container);
    if (hostname.ok) hostnames.set(ownerOf(container), hostname);
    named.push({
      ...container,
      hostname,
      ...(name ? { networkNamespaceName: name } : {}),
      ...(docker ? { runtime: 'docker' as const } : {}),
      ...(docker?.ok ? { docker: docker.value, ...sandboxedBy(docker.value.runtime) } : {}),
    });
    yield;
  }
  // A pod's pause container comes first and has no file to tell the name.
  return named.map((container) => ({
    ...container,
    hostname: hostnames.get(ownerOf(container)) ?? container.hostname,
  }));
}

/** The containers of a pod share one UTS namespace and one name: the first that tells it answers for all. */
function ownerOf({ podUid, cgroup }: UnnamedContainer): string {
  return podUid ?? cgroup;
}

/** The name counts only if the process is still in the UTS namespace that was seen: pids are reused. */
function hostnameOf(procfs: ProcFs, { init: { pid }, namespaces: { uts }, state }: UnnamedContainer): Reading<string> {
  if (state === 'exited') return unread(`/proc/${pid}`, 'absent', 'no process is alive');
  if (uts.relation === 'host') return unread(`/proc/${pid}/ns/uts`, 'absent', "shares the host's name");
  const hostname = readHostname(procfs, pid);
  if (!hostname.ok || uts.relation !== 'private' || uts.inode === undefined) return hostname;
  const inode = readNamespaceInode(procfs, pid, 'uts');
  return inode.ok && inode.value === uts.inode ? hostname : unread(`/proc/${pid}`, 'absent', 'the process is gone');
}

/** Docker starts gVisor and Kata by the ordinary shim; its own record names the runtime. */
function sandboxedBy(runtime: string): Pick<Container, 'sandbox'> {
  if (/^(?:io\.containerd\.)?runsc/.test(runtime)) return { sandbox: 'gvisor' };
  return /^(?:io\.containerd\.)?kata/.test(runtime) ? { sandbox: 'kata' } : {};
}
