// What the resources cost in etcd: 1,000 pods on 10 nodes, half of them in user namespaces of their own, of 50 workloads, on a real API
// server. The agents' publisher and the controller write; the sizes are those of the values in etcd itself, beside the pods'.
// usage: node bench/etcd.ts     (after `make build`)
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPublisher } from '../src/agent/publish.ts';
import { createClient, type KubeClient } from '../src/kube/client.ts';
import { systemClock } from '../src/kube/clock.ts';
import { createNodeAuditStatus } from '../src/report/node-audit-status.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../test/control-plane/control-plane.ts';
import { factsOf, type ProcessSpec } from '../test/support/host-tree.ts';

const NODES = 10;
const PODS_PER_NODE = 100;
const WORKLOADS = 50;
const ROOT = join(import.meta.dirname, '..');
const NAMESPACE = 'shop';
const KUBELET = { module: 'k8s.io/kubernetes', version: 'v1.36.1' };
const CONTAINERD = { module: 'github.com/containerd/containerd/v2', version: 'v2.1.4' };

interface Pod {
  readonly uid: string;
  readonly isPrivate: boolean;
}

async function createPod(client: KubeClient, index: number): Promise<Pod> {
  const isPrivate = index % 2 === 0;
  const workload = `app-${Math.floor(index / 2) % WORKLOADS}`;
  const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', controller: true, blockOwnerDeletion: true };
  const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
  const name = `${workload}-7c9d8f6b5d-${index.toString(36).padStart(5, '0')}`;
  const { metadata } = await client.create<{ readonly metadata: { readonly uid: string } }>(path, {
    metadata: {
      name,
      labels: { app: workload, 'pod-template-hash': '7c9d8f6b5d' },
      ownerReferences: [{ ...controller, name: `${workload}-7c9d8f6b5d`, uid: crypto.randomUUID() }],
    },
    spec: {
      nodeName: nodeName(index % NODES),
      automountServiceAccountToken: false,
      ...(isPrivate ? { hostUsers: false } : {}),
      containers: [{ name: 'app', image: 'app:1', securityContext: { runAsUser: 1000 } }],
    },
  });
  const status = { status: { phase: 'Running' } };
  await client.patch(`${path}/${name}/status`, status, { contentType: 'application/merge-patch+json' });
  return { uid: metadata.uid, isPrivate };
}

function nodeName(index: number): string {
  return `worker-${index}`;
}

/** A node of Debian with containerd, whose containers are of these pods. */
function contentOf(pods: readonly Pod[]) {
  const processes: Record<number, ProcessSpec> = {
    50: { cmdline: '/usr/bin/kubelet --config /var/lib/kubelet/config.yaml', cgroup: '/system.slice/kubelet.service' },
    51: { cmdline: '/usr/bin/containerd', cgroup: '/system.slice/containerd.service' },
  };
  for (const [index, { uid, isPrivate }] of pods.entries())
    processes[1000 + index] = {
      cgroup: `/kubepods/besteffort/pod${uid}/${index.toString(16).padStart(64, '0')}`,
      ns: isPrivate ? { user: 4_026_540_000 + index } : {},
      ...(isPrivate ? { uidMap: `0 ${(index + 1) * 65_536} 65536` } : {}),
    };
  const facts = factsOf({
    kernel: '6.12.9',
    sysctls: { 'user.max_user_namespaces': 31_000 },
    files: {
      '/etc/os-release': 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
      '/boot/config-6.12.9': '# Linux/x86 6.12.9 Kernel Configuration\nCONFIG_USER_NS=y\n',
      '/var/lib/kubelet/config.yaml': 'kind: KubeletConfiguration\n',
    },
    programs: {
      '/usr/bin/kubelet': KUBELET,
      '/usr/bin/containerd': CONTAINERD,
      '/proc/50/exe': KUBELET,
      '/proc/51/exe': CONTAINERD,
    },
    processes,
  });
  return createNodeAuditStatus(facts, '0.1.0');
}

async function publish(client: KubeClient, node: string, pods: readonly Pod[]): Promise<void> {
  const end = new AbortController();
  const publisher = createPublisher({
    client,
    node,
    heartbeatMs: 60_000,
    clock: systemClock,
    onOutcome: (outcome, error) => {
      if (outcome !== 'written') throw new Error(`${node}: ${outcome} ${String(error)}`);
      end.abort();
    },
  });
  publisher.offer(contentOf(pods));
  await publisher.run(end.signal);
}

interface Stored {
  readonly key: string;
  readonly value: string;
}

async function stored({ etcdUrl }: ApiServer, prefix: string): Promise<readonly Stored[]> {
  const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
  const after = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  const response = await fetch(`${etcdUrl}/v3/kv/range`, {
    method: 'POST',
    body: JSON.stringify({ key: base64(prefix), range_end: base64(after) }),
  });
  const { kvs = [] } = (await response.json()) as { readonly kvs?: readonly Stored[] };
  return kvs.map(({ key, value }) => ({
    key: Buffer.from(key, 'base64').toString(),
    value: Buffer.from(value, 'base64').toString('latin1'),
  }));
}

/** The controller writes what it makes of all this within a few seconds; then nothing more. */
async function settled(api: ApiServer): Promise<void> {
  for (let last = '', quiet = 0; quiet < 4;) {
    await sleep(1500);
    const all = await stored(api, '/registry/userns-audit.dev/');
    const now = all.map(({ value }) => value).join('');
    quiet = now === last && all.some(({ value }) => value.includes('"running":1000')) ? quiet + 1 : 0;
    last = now;
  }
}

function managedFields(value: string): number {
  const object = JSON.parse(value) as { readonly metadata: { readonly managedFields?: unknown } };
  return JSON.stringify(object.metadata.managedFields ?? []).length;
}

function print(what: string, values: readonly Stored[]): number {
  const bytes = values.reduce((sum, { value }) => sum + value.length, 0);
  const managed = values.reduce((sum, { value }) => sum + managedFields(value), 0);
  process.stdout.write(
    `  ${what.padEnd(28)} ${String(values.length).padStart(3)} objects ${(bytes / 1000).toFixed(1).padStart(6)} kB, of them managed fields ${(managed / 1000).toFixed(1)} kB\n`,
  );
  return bytes;
}

async function measure(api: ApiServer): Promise<void> {
  const client = createClient(api.admin);
  await api.kubectl('apply', '-f', join(ROOT, 'charts/userns-audit/crds'));
  await api.kubectl('create', 'namespace', NAMESPACE);
  for (let node = 0; node < NODES; node += 1)
    await client.create('/api/v1/nodes', { metadata: { name: nodeName(node) } });
  const pods: Pod[] = [];
  for (let index = 0; index < NODES * PODS_PER_NODE; index += 1) pods.push(await createPod(client, index));
  const controller = spawn(
    process.execPath,
    [
      ...[join(ROOT, 'dist/userns-audit.cjs'), 'controller', '--kubeconfig', api.kubeconfig, '--no-leader-elect'],
      ...['--listen', '127.0.0.1:0', '--log-level', 'error'],
    ],
    { stdio: 'inherit' },
  );
  try {
    while ((await stored(api, '/registry/userns-audit.dev/nodeaudits/')).length < NODES) await sleep(500);
    for (let node = 0; node < NODES; node += 1) {
      const own = pods.filter((_, index) => index % NODES === node);
      await publish(client, nodeName(node), own);
    }
    await settled(api);
  } finally {
    controller.kill();
  }
  const all = await stored(api, '/registry/userns-audit.dev/');
  const namespaces = all.filter(({ key }) => key.includes('/namespaceaudits/'));
  process.stdout.write(`${pods.length} pods on ${NODES} nodes, ${WORKLOADS} workloads, half of them private\n`);
  const total =
    print(
      'NodeAudit',
      all.filter(({ key }) => key.includes('/nodeaudits/')),
    ) +
    print(
      'NamespaceAudit with pods',
      namespaces.filter(({ key }) => key.includes(`/${NAMESPACE}/`)),
    ) +
    print(
      'NamespaceAudit without',
      namespaces.filter(({ key }) => !key.includes(`/${NAMESPACE}/`)),
    ) +
    print(
      'AuditPolicy',
      all.filter(({ key }) => key.includes('/auditpolicies/')),
    );
  const own = (await stored(api, `/registry/pods/${NAMESPACE}/`)).reduce((sum, { value }) => sum + value.length, 0);
  process.stdout.write(
    `  in all ${(total / 1000).toFixed(1)} kB (budget 100 kB); the pods themselves, of one container and no probes, ${(own / 1000).toFixed(0)} kB\n`,
  );
  if (process.env['SHOW'] !== undefined)
    for (const { key, value } of [all.find((one) => one.key.includes('/nodeaudits/')), ...namespaces].flatMap(
      (one) => one ?? [],
    ))
      process.stdout.write(`${key} ${value}\n`);
  client.close();
}

const programs = requireControlPlane();
if (isSkipped(programs)) process.stdout.write(`etcd: not measured, because ${programs.skipped}\n`);
else {
  const api = await startApiServer(programs, { flags: ['--disable-admission-plugins=ServiceAccount'] });
  try {
    await measure(api);
  } finally {
    await api.stop();
  }
}
