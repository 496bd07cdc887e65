import type { Container, DockerDeclaration } from '../core/container.ts';
import type { NodeFacts } from '../core/facts.ts';
import type { Reading } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';
import type { ProcFs } from '../host/procfs.ts';
import { readBootParameters } from './boot-parameters.ts';
import { readContainerd } from './containerd.ts';
import { inspectContainers } from './containers.ts';
import { readCrio } from './crio.ts';
import { findDaemons } from './daemons.ts';
import { readDocker } from './docker.ts';
import { readDockerContainers } from './docker-containers.ts';
import { readKernelConfig } from './kernel-config.ts';
import { readKernelRelease } from './kernel-release.ts';
import { readKubelet } from './kubelet.ts';
import { readNamespaceFiles } from './namespace-files.ts';
import { readNetworkNamespaces } from './network-namespaces.ts';
import { readOciRuntimes } from './oci-runtimes.ts';
import { readOsRelease } from './os-release.ts';
import { sortProcesses } from './processes.ts';
import { testSight } from './sight.ts';
import { readSubordinateIds } from './subordinate-ids.ts';
import { readModuleSwitches, readNamespaceSysctls } from './sysctls.ts';

/**
 * Runs every probe once. A generator: it yields between small steps, so that a long-lived caller can serve other work in
 * between (`runInSlices`) and a command line can simply run it through.
 */
export function* collectFacts(host: HostFs, procfs: ProcFs): Generator<undefined, NodeFacts> {
  const reference = testSight(host, procfs);
  const table = yield* sortProcesses(procfs);
  const containers = yield* inspectContainers(procfs, table.groups, reference);
  const inspected = new Set(containers.map(({ cgroup }) => cgroup));
  const elsewhere = table.groups
    .filter(({ reference: { cgroup } }) => !inspected.has(cgroup))
    .flatMap(({ pids }) => pids);
  const daemons = findDaemons(procfs, [...table.hostPids, ...elsewhere]);
  yield;
  const kernelRelease = readKernelRelease(host);
  const kernelConfig = readKernelConfig(host, kernelRelease);
  yield;
  const docker = readDocker(host, daemons.get('dockerd'));
  const networkNamespaces = readNetworkNamespaces(host);
  yield;
  const kubelet = readKubelet(host, daemons.get('kubelet'));
  yield;
  return {
    osRelease: readOsRelease(host),
    kernelRelease,
    kernelConfig,
    bootParameters: readBootParameters(host),
    namespaceFiles: readNamespaceFiles(host),
    sysctls: readNamespaceSysctls(host),
    moduleSwitches: readModuleSwitches(host),
    subordinateIds: readSubordinateIds(host),
    docker,
    containerd: readContainerd(host, daemons.get('containerd')),
    crio: readCrio(host, daemons.get('crio')),
    kubelet,
    ociRuntimes: readOciRuntimes(host),
    networkNamespaces,
    sight: reference.sight,
    containers: joinNames(containers, networkNamespaces, readDockerContainers(host, docker.dataRoot)),
  };
}

/** Adds what files say of a container to what the kernel shows of it. */
function joinNames(
  containers: readonly Container[],
  named: NodeFacts['networkNamespaces'],
  declared: ReadonlyMap<string, Reading<DockerDeclaration>>,
): readonly Container[] {
  const names = new Map(
    (named.ok ? named.value : []).flatMap(({ name, inode }) => (inode.ok ? [[inode.value, name] as const] : [])),
  );
  return containers.map((container) => {
    const { net } = container.namespaces;
    const name = net.relation === 'private' && net.inode !== undefined ? names.get(net.inode) : undefined;
    const docker = declared.get(container.id);
    return {
      ...container,
      ...(name ? { networkNamespaceName: name } : {}),
      ...(docker ? { runtime: 'docker' as const } : {}),
      ...(docker?.ok ? { docker: docker.value, ...sandboxedBy(docker.value.runtime) } : {}),
    };
  });
}

/** Docker starts gVisor and Kata by the ordinary shim; its own record names the runtime. */
function sandboxedBy(runtime: string): Pick<Container, 'sandbox'> {
  if (/^(?:io\.containerd\.)?runsc/.test(runtime)) return { sandbox: 'gvisor' };
  return /^(?:io\.containerd\.)?kata/.test(runtime) ? { sandbox: 'kata' } : {};
}

/** Runs a generator to its end in slices of at most `milliseconds`, with a turn of the event loop after each. */
export async function runInSlices<T>(
  steps: Generator<undefined, T>,
  milliseconds: number,
  now: () => number,
): Promise<T> {
  let end = now() + milliseconds;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (now() < end) continue;
    await new Promise((resolve) => setImmediate(resolve));
    end = now() + milliseconds;
  }
}
