import type { NodeFacts } from '../core/facts.ts';
import { valueOf } from '../core/reading.ts';
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
import { nameContainers } from './name-containers.ts';
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
  const pids = procfs.pids();
  const reference = testSight(host, procfs, pids);
  const table = yield* sortProcesses(procfs, valueOf(pids) ?? []);
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
    containers: yield* nameContainers(
      procfs,
      containers,
      networkNamespaces,
      readDockerContainers(host, docker.dataRoot),
    ),
  };
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
