// A cluster for the commands of the documentation: a real API server, and what makes pods of workloads and removes namespaces. No
// node runs: there is an object for one, so pods are made and never start.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiServer, type ControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { CLI } from '../support/audit.ts';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What the capitals of a command stand for. */
export const NODE = 'node-1';
export const APPLICATIONS = 'shop';
export const POD = 'database';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DocumentationCluster {
  readonly api: ApiServer;
  /** A line of the documentation, as bash runs it in the root of the repository with kubectl, helm and userns-audit on the PATH. */
  run(command: string): Finished;
  /** The controller as a process, as soon as there is what it reads. */
  startOperator(): Promise<void>;
  stop(): Promise<void>;
}

const CONTROLLERS = ['namespace', 'serviceaccount', 'deployment', 'replicaset', 'daemonset', 'garbagecollector'];

/** Starts one, with a node and a namespace of applications in it. */
export async function startDocumentationCluster(programs: ControlPlane, helm: string): Promise<DocumentationCluster> {
  const api = await startApiServer(programs);
  const children: ChildProcess[] = [];
  const start = (name: string, program: string, ...args: readonly string[]): void => {
    const fd = openSync(join(api.dir, `${name}.log`), 'a');
    children.push(spawn(program, args, { stdio: ['ignore', fd, fd], cwd: api.dir }));
    closeSync(fd);
  };
  const kubectl = (...args: readonly string[]): Promise<string> => api.kubectl(...args);
  const bin = join(api.dir, 'bin');
  mkdirSync(bin);
  for (const [name, program] of [
    ['kubectl', programs.kubectl],
    ['helm', helm],
  ] as const)
    symlinkSync(program, join(bin, name));
  writeFileSync(join(bin, 'userns-audit'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 });

  const common = ['--kubeconfig', api.kubeconfig, '--leader-elect=false', '--secure-port=0'];
  const manager = [`--controllers=${CONTROLLERS.join()}`, '--kube-api-qps=500', '--kube-api-burst=500'];
  start('controllers', join(programs.dir, 'kube-controller-manager'), ...common, ...manager);
  start('scheduler', join(programs.dir, 'kube-scheduler'), ...common);
  await makeNodeAndPods(api);

  let operator = false;
  return {
    api,
    run(command) {
      const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', command], {
        cwd: ROOT,
        encoding: 'utf8',
        timeout: 50_000,
        maxBuffer: 1 << 26,
        env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: api.dir, KUBECONFIG: api.kubeconfig, NO_COLOR: '1' },
      });
      return { code: status, stdout, stderr };
    },
    async startOperator() {
      if (operator || !(await kubectl('get', 'crd', '-o', 'name')).includes('auditpolicies')) return;
      operator = true;
      await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
      const options = ['--kubeconfig', api.kubeconfig, '--namespace', 'userns-audit', '--listen', '127.0.0.1:0'];
      start('operator', process.execPath, CLI, 'controller', ...options);
      const written = ['namespaceaudit', 'userns-audit', '-n', APPLICATIONS, '-o', 'jsonpath={.status}'];
      await until('what the controller writes', async () => {
        const said = await kubectl('get', ...written).catch(() => '');
        return said === '' ? undefined : said;
      }).catch((error: unknown) => {
        const log = join(api.dir, 'operator.log');
        throw new Error(`${String(error)}: ${existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : ''}`);
      });
    },
    async stop() {
      const running = children.filter(({ exitCode }) => exitCode === null);
      const ended = running.map((child) => once(child, 'exit'));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(ended);
      await api.stop();
    },
  };
}

/** A node, a workload on it that could be evicted, and a pod that is on none. */
async function makeNodeAndPods(api: ApiServer): Promise<void> {
  const create = (...objects: readonly object[]): Promise<string> =>
    api.kubectlWith(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), 'create', '-f', '-');
  const linux = { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': NODE };
  await create({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE, labels: linux } });
  await api.kubectl('create', 'namespace', APPLICATIONS);
  for (const namespace of [APPLICATIONS, 'default'])
    await until('a service account', () =>
      api.kubectl('get', 'serviceaccount', 'default', '-n', namespace).catch(() => undefined),
    );
  const containers = [{ name: 'web', image: 'nginx' }];
  const labels = { app: 'web' };
  // Without a kubelet nobody tells that a pod has ended: these end at once.
  const template = { metadata: { labels }, spec: { nodeName: NODE, terminationGracePeriodSeconds: 0, containers } };
  await create(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: APPLICATIONS },
      spec: { selector: { matchLabels: labels }, template },
    },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: POD, namespace: 'default' }, spec: { containers } },
  );
  const running = ['--subresource=status', '-p', '{"status":{"phase":"Running"}}'];
  await until('the pod of the workload', async () => {
    const pod = (await api.kubectl('get', 'pods', '-n', APPLICATIONS, '-o', 'name')).trim();
    if (pod === '') return undefined;
    return api.kubectl('patch', pod, '-n', APPLICATIONS, ...running).catch(() => undefined);
  });
}
