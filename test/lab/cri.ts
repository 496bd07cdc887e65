// Pods by a real containerd over the real CRI, as a kubelet would ask for them.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ClientUnaryCall, ServiceClientConstructor, ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { cgroupDirectories, cgroupDirectoriesOf } from './cgroups.ts';
import type { Lab, Suite } from './lab.ts';
import { isRunning, makeRunDirectory, noteCgroups, processesOf, removeRunDirectory } from './run-directory.ts';
import type { IdMapping } from './runc.ts';

/** `v1.6` ignores the user namespace a pod asks for; `v2` honors it. */
export type ContainerdVersion = 'v2' | 'v1.6';

/** Whose namespace a pod or container uses, as the CRI names it. */
export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE';

/** A container of a pod. */
export interface ContainerRequest {
  readonly name: string;
  readonly uid?: number;
  readonly command?: readonly string[];
  readonly privileged?: boolean;
  readonly addCapabilities?: readonly string[];
}

/** A pod as the kubelet asks a runtime for it. Without options: one container, all namespaces its own but user. */
export interface PodRequest {
  readonly name: string;
  readonly namespace?: string;
  readonly network?: 'POD' | 'NODE';
  readonly pid?: NamespaceMode;
  readonly ipc?: 'POD' | 'NODE';
  /** `hostUsers: false`: ids 0…length of the pod are hostId… of the host. */
  readonly userns?: { readonly hostId: number; readonly length: number };
  /** Default: what a kubelet with the cgroupfs driver gives a pod without requests. */
  readonly cgroupParent?: string | ((podUid: string) => string);
  /** Of every container that has none of its own. */
  readonly uid?: number;
  readonly containers?: readonly (string | ContainerRequest)[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A sandbox or container, with what the runtime says it asked the OCI runtime for: the ground truth of a test. */
export interface CriContainer {
  readonly name: string;
  readonly id: string;
  readonly pid: number;
  readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
  readonly cgroupsPath: string;
}

/** A running pod. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly sandbox: CriContainer;
  readonly containers: readonly CriContainer[];
  remove(): Promise<void>;
}

/** A containerd of one's own. */
export interface Containerd {
  readonly socket: string;
  readonly pid: number;
  readonly dir: string;
  readonly version: string;
  runPod(request: PodRequest): Promise<Pod>;
  /** Any call of the CRI, by the names of api.proto. */
  runtime(method: string, request?: object): Promise<Message>;
  /** Imports the images of an OCI archive. */
  importImages(tarFile: string): void;
  stop(): Promise<void>;
}

/** Where a containerd runs that is part of something bigger: a cluster. */
export interface ContainerdPlace {
  /** A directory below a run directory. Who made that one removes it, and with it what `stop` leaves. */
  readonly dir: string;
  /** A program and its arguments that starts the daemon in other namespaces; it must replace itself by the daemon. */
  readonly enter: readonly string[];
  /** The CNI configuration. Its plugins are those of the lab. */
  readonly network: object;
}

/** A message of the CRI; field names as in api.proto. */
export type Message = Readonly<Record<string, unknown>>;

type Call = (method: string, request?: object) => Promise<Message>;

interface Identified {
  readonly id: string;
  readonly name: string;
}

interface VerboseInfo {
  readonly pid: number;
  readonly runtimeSpec: {
    readonly linux: {
      readonly namespaces?: CriContainer['namespaces'];
      readonly uidMappings?: readonly IdMapping[];
      readonly gidMappings?: readonly IdMapping[];
      readonly cgroupsPath?: string;
    };
  };
}

const SUITE: Readonly<Record<ContainerdVersion, Suite>> = { v2: 'sid', 'v1.6': 'bookworm' };
const PAUSE_IMAGE = 'localhost/pause:lab';
const CONTAINER_IMAGE = 'localhost/busybox:lab';
const START_TIMEOUT_MS = 30_000;

const FIXED_NETWORK = { cniVersion: '0.4.0', name: 'lab', plugins: [{ type: 'fixed' }] };

/**
 * Starts a containerd with the lab's images, in a directory of its own unless told a place; throws its log's end when it
 * does not start.
 */
export async function startContainerd(
  lab: Lab,
  version: ContainerdVersion,
  place?: ContainerdPlace,
): Promise<Containerd> {
  const dir = place?.dir ?? makeRunDirectory('cri');
  const bin = lab.bin[SUITE[version]];
  const socket = join(dir, 'containerd.sock');
  const config = join(dir, 'config.toml');
  mkdirSync(join(dir, 'tmp'));
  mkdirSync(join(dir, 'network'));
  writeFileSync(join(dir, 'network/10-pods.conflist'), JSON.stringify(place?.network ?? FIXED_NETWORK));
  writeFileSync(config, version === 'v2' ? configOfV2(lab, dir) : configOfV1(lab, dir));
  const log = openSync(join(dir, 'log'), 'a');
  const [program = '', ...args] = (place?.enter ?? []).concat(join(bin, 'containerd'), '--config', config);
  const daemon = spawn(program, args, {
    stdio: ['ignore', log, log],
    env: { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`, TMPDIR: join(dir, 'tmp') },
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    daemon.once('exit', () => {
      resolve();
    });
    daemon.once('error', () => {
      resolve();
    });
  });
  const client = connect(lab, socket);
  const stop = async (pods: Iterable<Pod>) => {
    await Promise.all(Array.from(pods, (pod) => pod.remove().catch(() => undefined)));
    client.close();
    daemon.kill('SIGTERM');
    await Promise.race([ended, sleep(5000, undefined, { ref: false })]);
    if (place !== undefined) return;
    await shimsGone(dir);
    removeRunDirectory(dir);
  };
  try {
    const versionNumber = await ready(client.runtime, daemon, socket, dir);
    const importImages = (tarFile: string) => {
      importInto(socket, join(bin, 'ctr'), tarFile);
    };
    importImages(lab.images);
    return composed({ dir, socket, daemon, version: versionNumber, client, importImages, stop });
  } catch (error) {
    await stop([]);
    throw error;
  }
}

function composed(parts: {
  readonly dir: string;
  readonly socket: string;
  readonly daemon: ChildProcess;
  readonly version: string;
  readonly client: { readonly runtime: Call };
  readonly importImages: (tarFile: string) => void;
  readonly stop: (pods: Iterable<Pod>) => Promise<void>;
}): Containerd {
  const { dir, socket, daemon, version, client } = parts;
  const pods = new Set<Pod>();
  return {
    dir,
    socket,
    version,
    pid: daemon.pid ?? 0,
    runtime: client.runtime,
    importImages: parts.importImages,
    runPod: async (request) => {
      const pod = await runPod(client.runtime, dir, request);
      const tracked: Pod = {
        ...pod,
        remove: async () => {
          if (pods.delete(tracked)) await pod.remove();
        },
      };
      pods.add(tracked);
      return tracked;
    },
    stop: () => parts.stop([...pods]),
  };
}

function connect(lab: Lab, socket: string): { readonly runtime: Call; readonly close: () => void } {
  const definition = loadSync(lab.proto, { keepCase: true, longs: Number, enums: String, defaults: false });
  const service = (loadPackageDefinition(definition) as unknown as CriPackage).runtime.v1.RuntimeService;
  const client = new service(`unix://${socket}`, credentials.createInsecure(), {
    // The daemon is not there yet at the first call: do not let the pauses between attempts grow.
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.min_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 50,
  });
  const runtime: Call = (method, request = {}) =>
    new Promise((resolve, reject) => {
      const call = (client as unknown as Record<string, UnaryMethod | undefined>)[method];
      if (call === undefined) throw new Error(`the CRI has no ${method}`);
      call.call(client, request, { deadline: Date.now() + 60_000 }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(new Error(`${method}: ${error.details || error.message}`));
      });
    });
  return {
    runtime,
    close: () => {
      (client as Client).close();
    },
  };
}

interface CriPackage {
  readonly runtime: { readonly v1: { readonly RuntimeService: ServiceClientConstructor } };
}

type UnaryMethod = (
  this: unknown,
  request: object,
  options: { readonly deadline: number },
  done: (error: ServiceError | null, answer: Message) => void,
) => ClientUnaryCall;

async function ready(runtime: Call, daemon: ChildProcess, socket: string, dir: string): Promise<string> {
  const end = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const lastWords = () => readFileSync(join(dir, 'log'), 'utf8').split('\n').slice(-8).join('\n');
    if (daemon.exitCode !== null || daemon.pid === undefined) throw new Error(`containerd ended: ${lastWords()}`);
    if (Date.now() > end) throw new Error(`containerd is not ready after ${START_TIMEOUT_MS} ms: ${lastWords()}`);
    if (existsSync(socket)) {
      const answer = (await runtime('Status').catch(() => undefined)) as CriStatus | undefined;
      const conditions = answer?.status?.conditions ?? [];
      if (conditions.length > 0 && conditions.every(({ status }) => status === true))
        return String((await runtime('Version'))['runtime_version']);
    }
    await sleep(10);
  }
}

interface CriStatus {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status?: boolean }[] };
}

function importInto(socket: string, ctr: string, tarFile: string): void {
  const args = ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', tarFile];
  const imported = spawnSync(ctr, args, { encoding: 'utf8', timeout: 30_000 });
  if (imported.status !== 0) throw new Error(`ctr images import: ${imported.error?.message ?? imported.stderr.trim()}`);
}

/** A shim ends by itself soon after its last container; what does not is ended with the directory. */
async function shimsGone(dir: string): Promise<void> {
  const end = Date.now() + 1000;
  while (Date.now() < end && processesOf(dir).some(isRunning)) await sleep(10);
}

async function runPod(runtime: Call, dir: string, request: PodRequest): Promise<Pod> {
  const uid = randomUUID();
  const { name, namespace = 'default' } = request;
  const parent = request.cgroupParent ?? ((pod: string) => `/kubepods/besteffort/pod${pod}`);
  const cgroupParent = typeof parent === 'string' ? parent : parent(uid);
  const namespaceOptions = toNamespaceOptions(request);
  const config = {
    metadata: { name, namespace, uid, attempt: 0 },
    // The node's name is already there in the host's UTS namespace: the kubelet sends none then.
    hostname: request.network === 'NODE' ? '' : name,
    log_directory: join(dir, 'pod-logs', uid),
    dns_config: {},
    labels: { ...podLabels(name, namespace, uid), ...request.labels },
    annotations: { ...request.annotations },
    linux: {
      cgroup_parent: cgroupParent,
      security_context: {
        namespace_options: namespaceOptions,
        seccomp: { profile_type: 'RuntimeDefault' },
        privileged: containerRequests(request).some(({ privileged }) => privileged === true),
      },
    },
  };
  noteCgroups(dir, cgroupDirectories(cgroupParent));
  const sandboxId = await runSandbox(runtime, config);
  const remove = async () => {
    await runtime('StopPodSandbox', { pod_sandbox_id: sandboxId });
    await runtime('RemovePodSandbox', { pod_sandbox_id: sandboxId });
  };
  try {
    const sandboxInfo = await runtime('PodSandboxStatus', { pod_sandbox_id: sandboxId, verbose: true });
    const sandbox = toCriContainer({ id: sandboxId, name: 'POD' }, sandboxInfo);
    noteCgroups(dir, ownCgroups(sandbox));
    const containers: CriContainer[] = [];
    for (const container of containerRequests(request)) {
      const id = await runContainer(runtime, sandboxId, config, container, request);
      const status = await runtime('ContainerStatus', { container_id: id, verbose: true });
      const running = toCriContainer({ id, name: container.name }, status);
      noteCgroups(dir, ownCgroups(running));
      containers.push(running);
    }
    return { name, namespace, uid, sandbox, containers, remove };
  } catch (error) {
    await remove().catch(() => undefined);
    throw error;
  }
}

/** A runtime may place a container elsewhere than it was told to (see `cgroupPath.colon`), or leave it where it was. */
function ownCgroups({ id, pid }: CriContainer): readonly string[] {
  return cgroupDirectoriesOf(pid).filter((path) => path.includes(id));
}

async function runSandbox(runtime: Call, config: object): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return String((await runtime('RunPodSandbox', { config }))['pod_sandbox_id']);
    } catch (error) {
      // Another test process ended just now and took away an empty directory that both use: of cgroups, sockets, networks.
      if (!String(error).includes('no such file or directory') || attempt === 3) throw error;
    }
  }
}

async function runContainer(
  runtime: Call,
  sandboxId: string,
  sandboxConfig: object,
  container: ContainerRequest,
  request: PodRequest,
): Promise<string> {
  const uid = container.uid ?? request.uid;
  const privileged = container.privileged === true;
  const config = {
    metadata: { name: container.name, attempt: 0 },
    image: { image: CONTAINER_IMAGE },
    command: container.command ?? ['/bin/sleep', '3600'],
    labels: { 'io.kubernetes.container.name': container.name },
    log_path: `${container.name}.log`,
    linux: {
      security_context: {
        namespace_options: toNamespaceOptions(request),
        ...(uid === undefined ? {} : { run_as_user: { value: uid } }),
        privileged,
        capabilities: { add_capabilities: container.addCapabilities ?? [] },
        seccomp: { profile_type: privileged ? 'Unconfined' : 'RuntimeDefault' },
        no_new_privs: !privileged,
      },
    },
  };
  const created = await runtime('CreateContainer', {
    pod_sandbox_id: sandboxId,
    config,
    sandbox_config: sandboxConfig,
  });
  const id = String(created['container_id']);
  await runtime('StartContainer', { container_id: id });
  return id;
}

function containerRequests(request: PodRequest): readonly ContainerRequest[] {
  return (request.containers ?? ['main']).map((one) => (typeof one === 'string' ? { name: one } : one));
}

function toNamespaceOptions({ network = 'POD', pid = 'CONTAINER', ipc = 'POD', userns }: PodRequest): object {
  if (userns === undefined) return { network, pid, ipc };
  const ids = [{ host_id: userns.hostId, container_id: 0, length: userns.length }];
  return { network, pid, ipc, userns_options: { mode: 'POD', uids: ids, gids: ids } };
}

function podLabels(name: string, namespace: string, uid: string): Readonly<Record<string, string>> {
  return { 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid };
}

function toCriContainer({ id, name }: Identified, status: Message): CriContainer {
  const info = JSON.parse((status['info'] as Readonly<Record<string, string>>)['info'] ?? '{}') as VerboseInfo;
  const { namespaces = [], uidMappings = [], gidMappings = [], cgroupsPath = '' } = info.runtimeSpec.linux;
  return { id, name, pid: info.pid, namespaces, uidMappings, gidMappings, cgroupsPath };
}

/** TOML literal strings hold paths as they are. */
function common(dir: string, disabled: readonly string[]): string {
  return `
root = '${dir}/root'
state = '${dir}/state'
disabled_plugins = [${disabled.map((plugin) => `'${plugin}'`).join(', ')}]
[grpc]
  address = '${dir}/containerd.sock'
[plugins.'io.containerd.internal.v1.opt']
  path = '${dir}/opt'
`;
}

// Root of a container may lack CAP_SYS_RESOURCE, and a daemon without privileges must not touch AppArmor or sysctls.
const RESTRAINED = `
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = false
  enable_unprivileged_icmp = false
`;

function runtimeTable(table: string, bin: string, dir: string): string {
  return `
[plugins.'${table}'.containerd]
  default_runtime_name = 'runc'
  [plugins.'${table}'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'${table}'.containerd.runtimes.runc.options]
      BinaryName = '${bin}/runc'
      Root = '${dir}/runc'
`;
}

function configOfV2(lab: Lab, dir: string): string {
  const cri = 'io.containerd.cri.v1';
  const disabled = ['blockfile', 'btrfs', 'devmapper', 'zfs', 'erofs'].map(
    (name) => `io.containerd.snapshotter.v1.${name}`,
  );
  return `version = 3
${common(dir, [...disabled, 'io.containerd.internal.v1.tracing', 'io.containerd.nri.v1.nri'])}
[plugins.'${cri}.images'.pinned_images]
  sandbox = '${PAUSE_IMAGE}'
[plugins.'${cri}.runtime']
${RESTRAINED}
[plugins.'${cri}.runtime'.cni]
  bin_dirs = ['${lab.cni}']
  conf_dir = '${dir}/network'
  use_internal_loopback = true
${runtimeTable(`${cri}.runtime`, lab.bin.sid, dir)}`;
}

function configOfV1(lab: Lab, dir: string): string {
  const cri = 'io.containerd.grpc.v1.cri';
  const disabled = ['aufs', 'btrfs', 'devmapper', 'zfs'].map((name) => `io.containerd.snapshotter.v1.${name}`);
  return `version = 2
${common(dir, [...disabled, 'io.containerd.internal.v1.tracing'])}
[plugins.'${cri}']
  sandbox_image = '${PAUSE_IMAGE}'
  disable_tcp_service = true
${RESTRAINED}
[plugins.'${cri}'.cni]
  bin_dir = '${lab.cni}'
  conf_dir = '${dir}/network'
${runtimeTable(cri, lab.bin.bookworm, dir)}`;
}
