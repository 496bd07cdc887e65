// A real cluster of one node in a network namespace of its own: nothing is installed, and the machine's network stays as it is.
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { join } from 'node:path';
import type { Containerd } from '../lab/cri.ts';
import { makeRunDirectory, removeRunDirectory } from '../lab/run-directory.ts';
import {
  apiServerReady,
  API_PORT,
  ask,
  CONTROL_PLANE_USERS,
  type Place,
  startApiServer,
  startControllers,
  startEtcd,
} from './control-plane.ts';
import { makeCredentials, writeKubeconfig } from './credentials.ts';
import { type Daemon, waitFor } from './daemon.ts';
import { forward, makeNetwork, NODE_ADDRESS, SERVICE_ADDRESS } from './network.ts';
import { makeNodeDirectories, type NodeDirectories, nodeUser, startKubelet, startRuntime } from './node.ts';
import type { ClusterParts } from './parts.ts';

/** A finished program. */
export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running cluster. */
export interface Cluster {
  readonly nodeName: string;
  readonly nodeAddress: string;
  /** The API server as programs of the machine reach it; in the namespace it is https://10.96.0.1. */
  readonly url: string;
  readonly caFile: string;
  /** Of a cluster administrator, by `url`. */
  readonly kubeconfig: string;
  /** The administrator's bearer token. */
  readonly token: string;
  /** Everything of the cluster, with the logs of its programs. */
  readonly directory: string;
  /** `/var/lib/kubelet` of the node, seen from outside. */
  readonly kubeletDirectory: string;
  readonly staticPodDirectory: string;
  /** The cgroup path that the node's pods are below. */
  readonly cgroup: string;
  readonly containerd: Containerd;
  /** Put before a command, runs it in the cluster's network namespace, where pods are reached by their addresses. */
  readonly enterNetwork: readonly string[];
  kubectl(args: readonly string[], input?: string): Finished;
  /** Runs a program to its end in the network namespace. */
  inNamespace(command: string, args: readonly string[], input?: string): Finished;
  /** Imports the images of an OCI archive. */
  importImage(tarFile: string): void;
  /** Ends the API server as a crash would, and returns when a new one is ready. */
  restartApiServer(): Promise<void>;
  stop(): Promise<void>;
}

const ADMIN = 'admin';
const PROGRAM_TIMEOUT_MS = 60_000;
const NAMES = [
  `IP:127.0.0.1`,
  `IP:${SERVICE_ADDRESS}`,
  `IP:${NODE_ADDRESS}`,
  'DNS:localhost',
  'DNS:kubernetes.default.svc',
];

/** Starts a cluster, and returns when its node is ready. Several may run at once. */
export async function startCluster({ lab, bin }: ClusterParts, { name = 'node1' } = {}): Promise<Cluster> {
  const dir = makeRunDirectory('cluster');
  try {
    const users = [
      { name: ADMIN, group: 'system:masters' },
      { name: nodeUser(name), group: 'system:nodes' },
      ...CONTROL_PLANE_USERS,
    ];
    const enter = makeNetwork(dir);
    const place: Place = { dir, bin, enter, credentials: makeCredentials(dir, NAMES, users) };
    const directories = makeNodeDirectories(dir);
    const etcd = startEtcd(place);
    const apiServer = startApiServer(place);
    const [forwarder, containerd] = await Promise.all([forward(dir, enter, API_PORT), startRuntime(place, lab)]);
    const url = `https://127.0.0.1:${forwarder.port}`;
    await apiServerReady([etcd, apiServer, forwarder.daemon], url, place.credentials, ADMIN);
    const kubelet = startKubelet(place, containerd, name, directories);
    const daemons = [etcd, apiServer, ...startControllers(place), kubelet, forwarder.daemon];
    await nodeReady(daemons, place, url, name);
    return composed({ place, name, url, apiServer, daemons, containerd, directories });
  } catch (error) {
    removeRunDirectory(dir);
    throw error;
  }
}

/** Pods are admitted when there is the service account they run as. */
async function nodeReady(daemons: readonly Daemon[], { credentials }: Place, url: string, name: string): Promise<void> {
  const json = async (path: string) => {
    const answer = await ask(`${url}/api/v1/${path}`, credentials, ADMIN);
    return answer === undefined ? undefined : (JSON.parse(answer) as NodeStatus);
  };
  await waitFor('ready node', daemons, async () => {
    const node = await json(`nodes/${name}`);
    return node?.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');
  });
  await waitFor('default service account', daemons, () => json('namespaces/default/serviceaccounts/default'));
}

interface NodeStatus {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function composed(parts: {
  readonly place: Place;
  readonly name: string;
  readonly url: string;
  readonly apiServer: Daemon;
  readonly daemons: readonly Daemon[];
  readonly containerd: Containerd;
  readonly directories: NodeDirectories;
}): Cluster {
  const { place, name, url, daemons, containerd, directories } = parts;
  const { dir, bin, enter, credentials } = place;
  const token = credentials.tokens[ADMIN] ?? '';
  const kubeconfig = join(dir, 'admin.kubeconfig');
  writeKubeconfig(kubeconfig, url, credentials.caFile, token);
  const kubectlEnv = { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(dir, 'kubectl-cache') };
  let { apiServer } = parts;
  return {
    nodeName: name,
    nodeAddress: NODE_ADDRESS,
    url,
    caFile: credentials.caFile,
    kubeconfig,
    token,
    directory: dir,
    kubeletDirectory: directories.kubelet,
    staticPodDirectory: directories.staticPods,
    cgroup: directories.cgroup,
    containerd,
    enterNetwork: enter,
    kubectl: (args, input) => run([join(bin, 'kubectl'), ...args], input, kubectlEnv),
    inNamespace: (command, args, input) => run([...enter, command, ...args], input, process.env),
    importImage: (tarFile) => {
      containerd.importImages(tarFile);
    },
    restartApiServer: async () => {
      await apiServer.stop();
      apiServer = startApiServer(place);
      await apiServerReady([apiServer], url, credentials, ADMIN);
    },
    stop: async () => {
      // The kubelet first: it would start again what is ended.
      for (const daemon of [...daemons].reverse()) await daemon.stop();
      await apiServer.stop();
      await containerd.stop();
      removeRunDirectory(dir);
    },
  };
}

function run([program = '', ...args]: readonly string[], input: string | undefined, env: NodeJS.ProcessEnv): Finished {
  const done: SpawnSyncReturns<string> = spawnSync(program, args, {
    encoding: 'utf8',
    env,
    timeout: PROGRAM_TIMEOUT_MS,
    maxBuffer: 1 << 28,
    ...(input === undefined ? { stdio: ['ignore', 'pipe', 'pipe'] } : { input }),
  });
  if (done.error !== undefined) throw new Error(`${program} ${args.join(' ')}: ${done.error.message}`);
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}
