// A real kube-apiserver and etcd for the tests. `node test/control-plane/control-plane.ts` builds them and says where they are.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kill, makeRunDirectory, removeRunDirectory } from '../lab/run-directory.ts';
import { createAuthority } from './certificates.ts';
import { cachedFrom, fill, lackOf } from '../support/cached-programs.ts';

/** The programs. */
export interface ControlPlane {
  readonly dir: string;
  readonly apiServer: string;
  readonly etcd: string;
  readonly kubectl: string;
}

/** Why there is no control plane on this machine. */
export interface NoControlPlane {
  readonly skipped: string;
}

const BUILD_TIMEOUT_MS = 1_800_000;
const START_TIMEOUT_MS = 60_000;
/** Another process may take a port between its being found free and its being bound. */
const START_ATTEMPTS = 3;

/** The directory that holds the programs built from these modules by this script. */
export function controlPlaneDirectory(): string {
  return cachedFrom(
    'control-plane',
    ['go.mod', 'go.sum', 'build.sh'].map((file) => join(import.meta.dirname, file)),
  );
}

/**
 * The programs: those of KUBEBUILDER_ASSETS where it is set, else built first when needed (minutes, once); or why they cannot
 * be here. Synchronous, so that a test file can choose between `describe` and `describe.skip`. In CI their lack is an error.
 */
export function requireControlPlane(): ControlPlane | NoControlPlane {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const dir = assets ?? controlPlaneDirectory();
  const programs = {
    dir,
    apiServer: join(dir, 'kube-apiserver'),
    etcd: join(dir, 'etcd'),
    kubectl: join(dir, 'kubectl'),
  };
  const reason = (assets === undefined ? buildControlPlane(dir) : undefined) ?? lacking(programs);
  return reason === undefined ? programs : lackOf('The control plane', reason);
}

/** Whether `requireControlPlane` found none. */
export function isSkipped(found: ControlPlane | NoControlPlane): found is NoControlPlane {
  return 'skipped' in found;
}

/** Builds the programs into a directory that has none. Undefined when all is well, else why it is not. */
export function buildControlPlane(dir: string): string | undefined {
  return fill(join(import.meta.dirname, 'build.sh'), [dir], BUILD_TIMEOUT_MS);
}

function lacking({ apiServer, etcd, kubectl }: ControlPlane): string | undefined {
  const missing = [apiServer, etcd, kubectl].filter((path) => !existsSync(path));
  if (missing.length > 0) return `${missing.join(', ')} is missing`;
  return spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is missing';
}

/** Who a connection is, as the `connection.ts` of src/kube wants it. */
export interface Credentials {
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly namespace: string;
}

export interface ApiServerOptions {
  /** Further flags of kube-apiserver; the last of a flag wins. */
  readonly flags?: readonly string[];
  readonly etcdFlags?: readonly string[];
}

export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Binds the token to an object; one of a Pod carries the pod's node. */
  readonly boundTo?: { readonly kind: 'Pod' | 'Node' | 'Secret'; readonly name: string; readonly uid: string };
  /** `10m`, the shortest, to `1h`, the default. */
  readonly duration?: string;
}

/** A running API server with an etcd of its own. RBAC decides; nothing of a controller-manager runs. */
export interface ApiServer {
  readonly dir: string;
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly caFile: string;
  /** Where etcd answers, also as JSON (`/v3/kv/...`). */
  readonly etcdUrl: string;
  /** A member of system:masters, by client certificate. */
  readonly admin: Credentials;
  /** The same as a file. */
  readonly kubeconfig: string;
  /** A client certificate for anybody, as `issue('/O=group/CN=user')`. */
  issue(subject: string): Credentials & { readonly certFile: string; readonly keyFile: string };
  /** kubectl's output. @throws Error with what it said on stderr */
  kubectl(...args: readonly string[]): Promise<string>;
  /** The same with something on stdin: `kubectlWith(yaml, 'apply', '-f', '-')`. */
  kubectlWith(input: string, ...args: readonly string[]): Promise<string>;
  createToken(request: TokenRequest): Promise<string>;
  /** Stops the API server, politely unless it is to crash; etcd stays. */
  halt(how?: 'politely' | 'crash'): Promise<void>;
  /** Starts it again, on the same port and data. */
  resume(): Promise<void>;
  /** `halt` and `resume`. */
  restart(how?: 'politely' | 'crash'): Promise<void>;
  pauseEtcd(): void;
  resumeEtcd(): void;
  /** Ends all of it and removes what it made. */
  stop(): Promise<void>;
}

/** Starts etcd and kube-apiserver on free loopback ports, in a few seconds. Call `stop` in `afterAll`. */
export async function startApiServer(programs: ControlPlane, options: ApiServerOptions = {}): Promise<ApiServer> {
  for (let attempt = 1; ; attempt += 1) {
    const dir = makeRunDirectory('control-plane');
    try {
      return await startIn(dir, programs, options);
    } catch (error) {
      removeRunDirectory(dir);
      if (attempt === START_ATTEMPTS || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function startIn(dir: string, programs: ControlPlane, options: ApiServerOptions): Promise<ApiServer> {
  const authority = createAuthority(dir);
  const [port, etcdPort, peerPort] = await freePorts(3);
  const url = `https://127.0.0.1:${port}`;
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const ca = readFileSync(authority.caFile, 'utf8');
  const serving = authority.issue('apiserver', '/CN=kube-apiserver', ['IP:127.0.0.1', 'DNS:localhost']);
  const accounts = authority.issue('service-accounts', '/CN=service-accounts');
  let issued = 0;

  function issue(subject: string): ReturnType<ApiServer['issue']> {
    issued += 1;
    const files = authority.issue(`client-${issued}`, subject);
    const [cert, key] = [files.cert, files.key].map((path) => readFileSync(path, 'utf8')) as [string, string];
    return { server: url, ca, cert, key, namespace: 'default', certFile: files.cert, keyFile: files.key };
  }

  const admin = issue('/O=system:masters/CN=admin');
  const kubeconfig = join(dir, 'admin.conf');
  writeFileSync(kubeconfig, kubeconfigText(url, authority.caFile, admin.certFile, admin.keyFile));

  const etcd = start(dir, programs.etcd, [
    ...['--name', 'test', '--data-dir', join(dir, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...[
      '--listen-peer-urls',
      `http://127.0.0.1:${peerPort}`,
      '--initial-advertise-peer-urls',
      `http://127.0.0.1:${peerPort}`,
    ],
    ...['--initial-cluster', `test=http://127.0.0.1:${peerPort}`],
    ...(options.etcdFlags ?? []),
  ]);
  const flags = [
    ...[`--etcd-servers=${etcdUrl}`, '--bind-address=127.0.0.1', `--secure-port=${port}`],
    ...[
      `--tls-cert-file=${serving.cert}`,
      `--tls-private-key-file=${serving.key}`,
      `--client-ca-file=${authority.caFile}`,
    ],
    ...['--authorization-mode=RBAC', '--allow-privileged', '--service-cluster-ip-range=10.96.0.0/24'],
    ...['--service-account-issuer=https://kubernetes.default.svc', '--endpoint-reconciler-type=none'],
    ...[`--service-account-key-file=${accounts.cert}`, `--service-account-signing-key-file=${accounts.key}`],
    ...(options.flags ?? []),
  ];
  const startServer = async (): Promise<Running> => {
    const server = start(dir, programs.apiServer, flags);
    await ready([etcd, server], admin);
    return server;
  };
  let server = await startServer();

  async function halt(how: 'politely' | 'crash' = 'politely'): Promise<void> {
    kill(server.pid, how === 'crash' ? 'SIGKILL' : 'SIGTERM');
    // A polite server waits for its requests, and a watch lasts for minutes.
    await Promise.race([server.ended, sleep(5000, undefined, { ref: false })]);
    kill(server.pid, 'SIGKILL');
    await server.ended;
  }

  async function resume(): Promise<void> {
    server = await startServer();
  }

  const kubectlWith = (input: string, ...args: readonly string[]) =>
    run(programs.kubectl, ['--kubeconfig', kubeconfig, ...args], input, dir);
  return {
    ...{ dir, url, ca, caFile: authority.caFile, etcdUrl, admin, kubeconfig, issue, halt, resume, kubectlWith },
    kubectl: (...args) => kubectlWith('', ...args),
    async createToken({ namespace, serviceAccount, boundTo, duration = '1h' }) {
      const bound = boundTo
        ? ['kind', 'name', 'uid'].map((field) => `--bound-object-${field}=${boundTo[field as keyof typeof boundTo]}`)
        : [];
      const args = ['create', 'token', serviceAccount, '--namespace', namespace, '--duration', duration, ...bound];
      return (await kubectlWith('', ...args)).trim();
    },
    async restart(how) {
      await halt(how);
      await resume();
    },
    pauseEtcd: () => {
      kill(etcd.pid, 'SIGSTOP');
    },
    resumeEtcd: () => {
      kill(etcd.pid, 'SIGCONT');
    },
    async stop() {
      // Nothing is kept: there is no reason to wait for either.
      kill(server.pid, 'SIGKILL');
      kill(etcd.pid, 'SIGKILL');
      await Promise.all([server.ended, etcd.ended]);
      removeRunDirectory(dir);
    },
  };
}

function kubeconfigText(server: string, caFile: string, certFile: string, keyFile: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': caFile } }],
    users: [{ name: 'admin', user: { 'client-certificate': certFile, 'client-key': keyFile } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
    'current-context': 'test',
  });
}

interface Running {
  readonly pid: number;
  readonly log: string;
  readonly ended: Promise<void>;
  readonly process: ChildProcess;
}

/** Starts a program whose command line names the run directory, by which it is found and ended after a crash. */
function start(dir: string, program: string, args: readonly string[]): Running {
  const log = join(dir, `${program.split('/').at(-1) ?? ''}.log`);
  const fd = openSync(log, 'a');
  const child = spawn(program, args, { stdio: ['ignore', fd, fd], cwd: dir });
  closeSync(fd);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  return { pid: child.pid ?? 0, log, ended, process: child };
}

async function ready(programs: readonly Running[], admin: Credentials): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS;
  const logs = (): string => programs.map(({ log }) => readFileSync(log, 'utf8').slice(-2000)).join('\n');
  while ((await statusOf(`${admin.server}/readyz`, admin)) !== 200) {
    if (programs.some(({ process: { exitCode } }) => exitCode !== null)) throw new Error(`a program ended: ${logs()}`);
    if (Date.now() > end) throw new Error(`kube-apiserver is not ready after ${START_TIMEOUT_MS} ms: ${logs()}`);
    await sleep(50);
  }
}

function statusOf(url: string, { ca, cert, key }: Credentials): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(url, { ca, cert, key, agent: false, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => {
      resolve(0);
    });
    sent.end();
  });
}

function run(program: string, args: readonly string[], input: string, home: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // kubectl keeps a cache in the home directory, and reads what a user may have configured there.
    const env = { PATH: process.env['PATH'], HOME: home };
    const child = execFile(program, args, { env, maxBuffer: 256 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${args.slice(2).join(' ')}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
    child.stdin?.end(input);
  });
}

/** Ports of the loopback interface that nobody uses now. */
async function freePorts(count: 3): Promise<readonly [number, number, number]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((one) => new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((one) => (one.address() as { readonly port: number }).port);
  await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))));
  return ports as unknown as readonly [number, number, number];
}

if (import.meta.main) {
  const found = requireControlPlane();
  if (isSkipped(found)) {
    console.error(`control plane: ${found.skipped}`);
    process.exitCode = 1;
  } else {
    console.log(found.dir);
  }
}
