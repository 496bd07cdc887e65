// The node of a cluster: containerd and a kubelet, with directories and kernel settings of the machine that are the node's own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cgroupDirectories } from '../lab/cgroups.ts';
import { type Containerd, startContainerd } from '../lab/cri.ts';
import type { Lab } from '../lab/lab.ts';
import { noteCgroups } from '../lab/run-directory.ts';
import { kubeconfigInside, type Place } from './control-plane.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { NODE_ADDRESS, podNetwork } from './network.ts';

/** Where the node's things are, as seen from outside. */
export interface NodeDirectories {
  /** `/var/lib/kubelet` of the node. */
  readonly kubelet: string;
  /** Manifests put here become static pods. */
  readonly staticPods: string;
  /** The cgroup that holds the node's pods, in every hierarchy. */
  readonly cgroup: string;
}

/** Directories of the node that are at the same place in its pods' host paths, and not the machine's. */
const OWN_DIRECTORIES = ['/var/lib', '/var/log', '/run'];

/**
 * Settings that a kubelet writes at its start, with the values it wants (pkg/kubelet/cm, setupKernelTunables): where it
 * reads them, it leaves the machine as it is.
 */
const KERNEL_SETTINGS = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

/** Makes the directories and the cgroup of a node. */
export function makeNodeDirectories(dir: string): NodeDirectories {
  const directories: NodeDirectories = {
    kubelet: join(dir, 'host/var/lib/kubelet'),
    staticPods: join(dir, 'static-pods'),
    cgroup: `/${basename(dir)}`,
  };
  for (const path of [directories.kubelet, directories.staticPods, join(dir, 'host/var/log'), join(dir, 'host/run')])
    mkdirSync(path, { recursive: true });
  const cgroups = cgroupDirectories(directories.cgroup);
  noteCgroups(dir, cgroups);
  for (const path of cgroups) mkdirSync(path);
  return directories;
}

/** Starts containerd in a mount namespace that shows the node's directories. It ends with its last process. */
export async function startRuntime({ dir, enter }: Place, lab: Lab): Promise<Containerd> {
  const place = join(dir, 'containerd');
  mkdirSync(place);
  const script = writeScript(dir, 'enter-node.sh', [
    ...OWN_DIRECTORIES.map((path) => `mount --bind ${dir}/host${path} ${path}`),
    // What the kubelet mounts, in a mount namespace of its own, shows here, too.
    'mount --make-rshared /',
  ]);
  return startContainerd(lab, 'v2', {
    dir: place,
    enter: [...enter, 'unshare', '--mount', '--propagation', 'private', 'sh', script],
    network: podNetwork(join(dir, 'addresses')),
  });
}

/**
 * The kubelet alone sees the settings: over a /proc that has something mounted on it no container in a user namespace could mount its
 * own (`mount_too_revealing` in fs/namespace.c).
 */
function kernelSettingsScript(dir: string): string {
  const settings = Object.entries(KERNEL_SETTINGS).map(([name, value]) => {
    const file = join(dir, name.replaceAll('/', '.'));
    writeFileSync(file, `${value}\n`);
    return `mount --bind ${file} /proc/sys/${name}`;
  });
  return writeScript(dir, 'enter-kubelet.sh', ['mount --make-rprivate /proc', ...settings]);
}

/** A script that runs the command it is given after some others. */
function writeScript(dir: string, name: string, commands: readonly string[]): string {
  const script = join(dir, name);
  writeFileSync(script, ['set -e', ...commands, 'exec "$@"', ''].join('\n'));
  return script;
}

/** Starts the kubelet beside the container runtime: what one mounts, the other sees. */
export function startKubelet(
  place: Place,
  containerd: Containerd,
  nodeName: string,
  { staticPods, cgroup }: NodeDirectories,
): Daemon {
  const { dir, bin, enter, credentials } = place;
  const config = join(dir, 'kubelet.json');
  const settings = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: credentials.caFile },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: credentials.serving.certificateFile,
    tlsPrivateKeyFile: credentials.serving.keyFile,
    containerRuntimeEndpoint: `unix://${containerd.socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    enforceNodeAllocatable: [],
    staticPodPath: staticPods,
    fileCheckFrequency: '1s',
    syncFrequency: '2s',
    resolvConf: '',
    volumePluginDir: join(dir, 'volume-plugins'),
    evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%' },
    makeIPTablesUtilChains: false,
    failSwapOn: false,
    // The machine may have cgroup v1, and root without CAP_SYS_RESOURCE.
    failCgroupV1: false,
    oomScoreAdj: 0,
    localStorageCapacityIsolation: false,
  };
  writeFileSync(config, JSON.stringify(settings));
  const kubeconfig = kubeconfigInside(place, nodeUser(nodeName));
  return startDaemon(
    dir,
    [...enter, `--mount=/proc/${containerd.pid}/ns/mnt`],
    [
      'unshare',
      ...['--mount', '--propagation', 'unchanged', 'sh', kernelSettingsScript(dir)],
      join(bin, 'kubelet'),
      ...['--kubeconfig', kubeconfig, '--config', config],
      ...['--hostname-override', nodeName, '--node-ip', NODE_ADDRESS],
    ],
  );
}

/** The user that the Node authorizer knows a kubelet by. */
export function nodeUser(nodeName: string): string {
  return `system:node:${nodeName}`;
}
