// The control plane of a cluster: etcd, API server, controller manager, scheduler.
import { get } from 'node:https';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Credentials, writeKubeconfig } from './credentials.ts';
import { type Daemon, startDaemon, waitFor } from './daemon.ts';
import { NODE_ADDRESS, SERVICE_ADDRESS } from './network.ts';

/** What the daemons of a cluster have in common. */
export interface Place {
  readonly dir: string;
  readonly bin: string;
  /** Put before a command, runs it in the network namespace. */
  readonly enter: readonly string[];
  readonly credentials: Credentials;
}

/** The API server's port in the namespace. */
export const API_PORT = 443;

const ETCD = 'http://127.0.0.1:2379';
const ETCD_PEER = 'http://127.0.0.1:2380';
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const SCHEDULER = 'system:kube-scheduler';

/** The users of the control plane's own components. */
export const CONTROL_PLANE_USERS = [{ name: CONTROLLER_MANAGER }, { name: SCHEDULER }];

/** Starts etcd. Nothing is kept, so nothing waits for the disk. */
export function startEtcd({ dir, bin, enter }: Place): Daemon {
  return startDaemon(dir, enter, [
    join(bin, 'etcd'),
    ...['--data-dir', join(dir, 'etcd')],
    ...['--listen-client-urls', ETCD, '--advertise-client-urls', ETCD],
    ...['--listen-peer-urls', ETCD_PEER, '--initial-advertise-peer-urls', ETCD_PEER],
    ...['--initial-cluster', `default=${ETCD_PEER}`, '--unsafe-no-fsync', '--log-level', 'warn'],
  ]);
}

/** Starts the API server; it waits for etcd by itself. */
export function startApiServer({ dir, bin, enter, credentials }: Place): Daemon {
  const { caFile, serving, kubeletClient, serviceAccounts, tokensFile } = credentials;
  return startDaemon(dir, enter, [
    join(bin, 'kube-apiserver'),
    ...['--etcd-servers', ETCD, '--secure-port', String(API_PORT), '--advertise-address', NODE_ADDRESS],
    ...['--tls-cert-file', serving.certificateFile, '--tls-private-key-file', serving.keyFile],
    ...['--client-ca-file', caFile, '--token-auth-file', tokensFile],
    ...['--authorization-mode', 'Node,RBAC', '--enable-admission-plugins', 'NodeRestriction'],
    ...['--service-account-issuer', 'https://kubernetes.default.svc'],
    ...['--service-account-key-file', serviceAccounts.publicFile],
    ...['--service-account-signing-key-file', serviceAccounts.keyFile],
    ...['--service-cluster-ip-range', `${SERVICE_ADDRESS.replace(/\.1$/, '.0')}/24`, '--allow-privileged'],
    ...['--kubelet-preferred-address-types', 'InternalIP', '--kubelet-certificate-authority', caFile],
    ...['--kubelet-client-certificate', kubeletClient.certificateFile, '--kubelet-client-key', kubeletClient.keyFile],
  ]);
}

/** Starts what makes pods of workloads and gives them to nodes. */
export function startControllers(place: Place): readonly Daemon[] {
  const { dir, bin, enter, credentials } = place;
  const { serviceAccounts, caFile } = credentials;
  const common = (kubeconfig: string) => ['--kubeconfig', kubeconfig, '--leader-elect=false', '--secure-port=0'];
  return [
    startDaemon(dir, enter, [
      join(bin, 'kube-controller-manager'),
      ...common(kubeconfigInside(place, CONTROLLER_MANAGER)),
      ...['--service-account-private-key-file', serviceAccounts.keyFile, '--root-ca-file', caFile],
      '--use-service-account-credentials',
    ]),
    startDaemon(dir, enter, [join(bin, 'kube-scheduler'), ...common(kubeconfigInside(place, SCHEDULER))]),
  ];
}

/** Writes the kubeconfig of a user in the namespace, and returns its path. */
export function kubeconfigInside({ dir, credentials }: Place, user: string): string {
  const file = join(dir, `${user.replaceAll(':', '-')}.kubeconfig`);
  const server = `https://${SERVICE_ADDRESS}:${API_PORT}`;
  writeKubeconfig(file, server, credentials.caFile, credentials.tokens[user] ?? '');
  return file;
}

/** Asks the API server; undefined for whatever is not a 200. */
export async function ask(url: string, { caFile, tokens }: Credentials, user: string): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${tokens[user] ?? ''}` };
  return new Promise((resolve) => {
    const request = get(url, { ca: readFileSync(caFile), headers, agent: false, timeout: 5000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve(response.statusCode === 200 ? Buffer.concat(chunks).toString() : undefined);
      });
      response.on('error', () => {
        resolve(undefined);
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => {
      resolve(undefined);
    });
  });
}

/** Returns when the API server says that it is ready. */
export async function apiServerReady(
  daemons: readonly Daemon[],
  url: string,
  credentials: Credentials,
  user: string,
): Promise<void> {
  await waitFor('ready API server', daemons, () => ask(`${url}/readyz`, credentials, user));
}
