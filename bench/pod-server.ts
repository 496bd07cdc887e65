// A large cluster as an API server would page and stream it: pods, nodes, namespaces and NodeAudits, generated on the fly. It listens
// on loopback, serves one client at a time well, and ends with its parent.
// usage: node bench/pod-server.ts PODS NODES CERT KEY [pages]   (prints its port; then a number on standard input: so many pod events)
// With `pages` it refuses streaming lists, as servers without KEP-3157 do.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

const [pods = 0, nodes = 0] = process.argv.slice(2, 4).map(Number);
const [certFile = '', keyFile = '', mode = ''] = process.argv.slice(4, 7);
const NAMESPACES = 300;
const WORKLOADS = 10_000;

/** A pod of usual size (7.4 kB of JSON): 3 containers, volumes, probes, status, managed fields. */
function podText(index: number, version: number): string {
  const workload = index % WORKLOADS;
  const namespace = `team-${workload % NAMESPACES}`;
  const name = `app-${workload}-7c9d8f6b5d-${index.toString(36).padStart(5, '0')}`;
  const uid = uidOf(index);
  const containers = [0, 1, 2].map((number) => ({
    name: `c${number}`,
    image: `registry.example.org/team/app-${workload}/component-${number}:v1.${workload % 50}.3`,
    command: ['/usr/bin/app', '--serve', `--config=/etc/app/${number}.yaml`],
    env: Array.from({ length: 12 }, (_, at) => ({
      name: `SETTING_${at}`,
      value: `value-of-setting-${at}-for-${number}`,
    })),
    ports: [{ name: 'http', containerPort: 8080 + number, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app' },
      { name: `kube-api-access-${index}`, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    livenessProbe: {
      httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' },
      periodSeconds: 10,
      failureThreshold: 3,
    },
    readinessProbe: {
      httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' },
      periodSeconds: 10,
      failureThreshold: 3,
    },
    securityContext: {
      runAsUser: 1000 + (workload % 7),
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  }));
  return JSON.stringify({
    metadata: {
      name,
      generateName: `app-${workload}-7c9d8f6b5d-`,
      namespace,
      uid,
      resourceVersion: String(version),
      creationTimestamp: '2026-11-01T10:00:00Z',
      labels: { app: `app-${workload}`, 'pod-template-hash': '7c9d8f6b5d', team: namespace },
      annotations: { 'example.org/checksum': 'b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `app-${workload}-7c9d8f6b5d`,
          uid: uidOf(workload),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: ['kube-controller-manager', 'kubelet'].map((manager) => ({
        manager,
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-11-01T10:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: Object.fromEntries(
          Array.from({ length: 14 }, (_, at) => [`f:field-${at}`, { '.': {}, 'f:inner': {}, 'f:other': {} }]),
        ),
      })),
    },
    spec: {
      ...(workload % 3 === 0 ? { hostUsers: false } : {}),
      ...(workload % 97 === 0 ? { hostNetwork: true } : {}),
      containers,
      volumes: [
        { name: 'config', configMap: { name: `app-${workload}`, defaultMode: 420 } },
        {
          name: `kube-api-access-${index}`,
          projected: {
            defaultMode: 420,
            sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }],
          },
        },
      ],
      nodeName: `node-${index % nodes}`,
      restartPolicy: 'Always',
      serviceAccountName: 'default',
      schedulerName: 'default-scheduler',
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
    },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        (type) => ({
          type,
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: '2026-11-01T10:00:05Z',
        }),
      ),
      hostIP: '10.0.0.1',
      podIP: '10.1.2.3',
      startTime: '2026-11-01T10:00:01Z',
      qosClass: 'Burstable',
      containerStatuses: containers.map(({ name: container, image }) => ({
        name: container,
        image,
        imageID: `${image}@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
        containerID: `containerd://${uid.replaceAll('-', '')}${uid.replaceAll('-', '')}`,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: '2026-11-01T10:00:04Z' } },
        lastState: {},
      })),
    },
  });
}

function uidOf(index: number): string {
  return `${index.toString(16).padStart(8, '0')}-0000-4000-8000-${(index * 7).toString(16).padStart(12, '0')}`;
}

function nodeText(index: number): string {
  return JSON.stringify({
    metadata: {
      name: `node-${index}`,
      uid: uidOf(index + 1e7),
      resourceVersion: '1',
      labels: { 'kubernetes.io/os': 'linux' },
    },
    status: {
      nodeInfo: { kernelVersion: '6.12.0', containerRuntimeVersion: 'containerd://2.1.9', kubeletVersion: 'v1.36.3' },
      runtimeHandlers: [{ name: '', features: { userNamespaces: true, recursiveReadOnlyMounts: true } }],
    },
  });
}

function nodeAuditText(index: number): string {
  const groups: Record<string, string[]> = { 'Upnium--': [], '-pnium--': [], '-p-i-m--': [] };
  for (let pod = index; pod < pods; pod += nodes) {
    const workload = pod % WORKLOADS;
    const vector = workload % 97 === 0 ? '-p-i-m--' : workload % 3 === 0 ? 'Upnium--' : '-pnium--';
    groups[vector]?.push(vector.startsWith('U') ? `${uidOf(pod)} 0 ${65_536 * (100 + pod)} 65536` : uidOf(pod));
  }
  return JSON.stringify({
    metadata: {
      name: `node-${index}`,
      uid: uidOf(index + 2e7),
      resourceVersion: '1',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: `node-${index}`, uid: uidOf(index + 1e7) }],
    },
    status: {
      observedTime: new Date().toISOString(),
      lastHeartbeatTime: new Date().toISOString(),
      agent: { version: '0.1.0', evidence: 'full' },
      system: { engine: 'Kubernetes', kernelRelease: '6.12.0', runtime: 'containerd 2.1.9', kubeletVersion: '1.36.3' },
      readiness: { status: 'Ready', reasons: [] },
      rules: [
        'kernel-user-namespaces',
        'kernel-namespaces',
        'user-namespace-limit',
        'idmapped-mounts',
        'runtime-user-namespaces',
        'kubelet-user-namespaces',
        'subordinate-ids',
      ].map((rule) => ({
        rule,
        severity: 'high',
        status: 'pass',
        message: 'as it should be',
        evidence: [{ source: '/proc/config.gz', value: 'CONFIG_USER_NS=y' }],
      })),
      podGroups: Object.entries(groups).flatMap(([namespaces, members]) =>
        members.length > 0 ? [{ namespaces, pods: members }] : [],
      ),
      unmanaged: [],
      conditions: [],
    },
  });
}

function namespaceText(index: number): string {
  return JSON.stringify({
    metadata: { name: `team-${index}`, resourceVersion: '1', labels: { team: `team-${index}` } },
  });
}

interface Collection {
  readonly kind: string;
  readonly count: number;
  readonly text: (index: number) => string;
}

const COLLECTIONS: Readonly<Record<string, Collection>> = {
  '/api/v1/pods': { kind: 'PodList', count: pods, text: (index) => podText(index, 1) },
  '/api/v1/nodes': { kind: 'NodeList', count: nodes, text: nodeText },
  '/api/v1/namespaces': { kind: 'NamespaceList', count: NAMESPACES, text: namespaceText },
  '/apis/userns-audit.dev/v1alpha1/nodeaudits': { kind: 'NodeAuditList', count: nodes, text: nodeAuditText },
  '/apis/userns-audit.dev/v1alpha1/namespaceaudits': { kind: 'NamespaceAuditList', count: 0, text: namespaceText },
  '/apis/userns-audit.dev/v1alpha1/auditpolicies': { kind: 'AuditPolicyList', count: 0, text: namespaceText },
};

let watcher: { write(text: string): unknown } | undefined;
let version = 1;

/** A streaming list (KEP-3157): every object as an event, then the bookmark that says it was the last. */
async function sendInitialEvents({ count, text }: Collection, response: ServerResponse): Promise<void> {
  for (let index = 0; index < count; index += 1)
    if (!response.write(`{"type":"ADDED","object":${text(index)}}\n`)) await once(response, 'drain');
  const metadata = { resourceVersion: '1', annotations: { 'k8s.io/initial-events-end': 'true' } };
  response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
}

function refuse(response: ServerResponse, code: number, reason: string): void {
  response
    .writeHead(code, { 'content-type': 'application/json' })
    .end(JSON.stringify({ kind: 'Status', code, reason }));
}

function sendPage({ kind, count, text }: Collection, query: URLSearchParams, response: ServerResponse): void {
  const start = Number(query.get('continue') ?? 0);
  const limit = Number(query.get('limit') ?? count) || count;
  const end = Math.min(count, start + limit);
  const metadata = {
    resourceVersion: '1',
    ...(end < count ? { continue: String(end), remainingItemCount: count - end } : {}),
  };
  response.write(`{"kind":"${kind}","apiVersion":"v1","metadata":${JSON.stringify(metadata)},"items":[`);
  for (let index = start; index < end; index += 1) response.write(`${index > start ? ',' : ''}${text(index)}`);
  response.end(']}');
}

const server = https.createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (request, response) => {
  const url = new URL(request.url ?? '/', 'https://localhost');
  request.resume();
  const collection = COLLECTIONS[url.pathname];
  if (request.method !== 'GET') {
    // Whatever is written is taken.
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"metadata":{"name":"x","uid":"x","resourceVersion":"2"}}');
    return;
  }
  if (url.pathname === '/version') {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"major":"1","minor":"36","gitVersion":"v1.36.3"}');
    return;
  }
  if (!collection) {
    refuse(response, 404, 'NotFound');
    return;
  }
  if (mode === 'pages' && url.searchParams.has('sendInitialEvents')) {
    refuse(response, 422, 'Invalid');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  if (url.searchParams.get('watch') === 'true' || url.searchParams.get('watch') === '1') {
    if (url.pathname === '/api/v1/pods') watcher = response;
    response.flushHeaders();
    if (url.searchParams.get('sendInitialEvents') === 'true') void sendInitialEvents(collection, response);
    return;
  }
  sendPage(collection, url.searchParams, response);
});

createInterface({ input: process.stdin }).on('line', (line) => {
  // One pod after the other starts anew under its old name.
  for (let left = Number(line); left > 0; left -= 1) {
    version += 1;
    const index = version % pods;
    const text = podText(index, version).replace(
      '"phase":"Running"',
      version % 2 === 0 ? '"phase":"Pending"' : '"phase":"Running"',
    );
    watcher?.write(`{"type":"MODIFIED","object":${text}}\n`);
  }
});
process.stdin.on('end', () => process.exit(0));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
