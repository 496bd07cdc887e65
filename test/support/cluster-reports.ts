import type { ClusterReport, ReportedNamespace, ReportedNode } from '../../src/report/cluster-report.ts';

/** Reports of clusters that are not: empty, of three nodes, of as many as asked for. Nothing in them is random twice. */

type NamespaceStatus = ReportedNamespace['status'];
type NodeStatus = ReportedNode['status'];
type Finding = NonNullable<NamespaceStatus['findings']>[number];
type HistoryDay = NonNullable<NonNullable<ClusterReport['policy']>['status']['history']>[number];
type Verdict = NonNullable<NodeStatus['rules']>[number];

export const GENERATED_AT = '2026-11-24T10:00:00Z';

export const EMPTY_REPORT: ClusterReport = {
  apiVersion: 'userns-audit.dev/v1alpha1',
  kind: 'ClusterReport',
  generatedAt: GENERATED_AT,
  policy: undefined,
  namespaces: [],
  nodes: [],
};

const NODE_RULE_IDS = [
  'hardening-conflict',
  'idmapped-mounts',
  'kernel-namespaces',
  'kernel-user-namespaces',
  'kubelet-user-namespaces',
  'runtime-user-namespaces',
  'subordinate-ids',
  'user-namespace-boot-parameter',
  'user-namespace-limit',
] as const;

function verdicts(failing: Readonly<Record<string, Partial<Verdict>>>): readonly Verdict[] {
  return NODE_RULE_IDS.map((rule) => {
    const failed = failing[rule];
    if (failed) return { rule, severity: 'high', status: 'fail', message: 'as it should not be', ...failed };
    if (rule === 'hardening-conflict') return { rule, status: 'not-applicable' };
    return { rule, status: 'pass', message: 'as it should be' };
  });
}

interface NodeOptions {
  readonly ready: 'Ready' | 'NotReady' | 'Unknown';
  readonly reasons?: readonly string[];
  readonly kernel?: string;
  readonly runtime?: string;
  readonly os?: string;
  readonly failing?: Readonly<Record<string, Partial<Verdict>>>;
  readonly pods?: number;
  readonly privatePods?: number;
}

function nodeStatus(options: NodeOptions): NodeStatus {
  const { ready, reasons = [], failing = {}, pods = 30, privatePods = 10 } = options;
  return {
    observedTime: '2026-11-24T08:00:00Z',
    lastHeartbeatTime: '2026-11-24T09:58:00Z',
    agent: { version: '0.1.0', evidence: 'full' },
    system: {
      osImage: options.os ?? 'Ubuntu 24.04.3 LTS',
      kernelRelease: options.kernel ?? '6.8.0-88-generic',
      userNamespaces: 'y',
      maxUserNamespaces: 255_614,
      engine: 'Kubernetes',
      runtime: options.runtime ?? 'containerd 2.2.0',
      kubeletVersion: 'v1.36.1',
      idsPerPod: 65_536,
    },
    readiness: { status: ready, reasons: [...reasons] },
    totals: {
      containers: pods + 4,
      pods,
      privatePods,
      hostPods: pods - privatePods,
      unknownPods: 0,
      unmanagedContainers: 0,
    },
    rules: verdicts(failing),
    conditions: [
      {
        type: 'EvidenceAccepted',
        status: 'True',
        reason: 'Plausible',
        message: 'the evidence is joined with what pods declare',
        lastTransitionTime: '2026-11-20T08:00:00Z',
      },
    ],
  };
}

const OLD_RUNTIME: NodeOptions = {
  ready: 'NotReady',
  reasons: ['runtime-user-namespaces'],
  runtime: 'containerd 1.7.24',
  failing: {
    'runtime-user-namespaces': {
      status: 'fail',
      message: 'containerd 1.7.24 ignores hostUsers: false; 2.0 is the first that obeys it',
      evidence: [{ source: '/usr/bin/containerd', value: 'version 1.7.24' }],
      fix: 'Upgrade containerd to 2.0 or later.',
    },
  },
};

const NO_LIMIT: NodeOptions = {
  ready: 'NotReady',
  reasons: ['user-namespace-limit'],
  os: 'Red Hat Enterprise Linux 9.6 (Plow)',
  kernel: '5.14.0-570.el9.x86_64',
  failing: {
    'user-namespace-limit': {
      status: 'fail',
      message: 'user.max_user_namespaces is 0: no user namespace can be made',
      evidence: [{ source: '/proc/sys/user/max_user_namespaces', value: '0' }],
      fix: "echo 'user.max_user_namespaces = 62000' > /etc/sysctl.d/99-userns.conf && sysctl --system",
    },
    'hardening-conflict': {
      status: 'fail',
      message: 'user.max_user_namespaces = 0 obeys DISA STIG RHEL-09-213105 and stops hostUsers: false',
      evidence: [{ source: '/etc/sysctl.d/99-stig.conf', value: 'user.max_user_namespaces = 0' }],
    },
  },
};

function namespaceStatus(
  pods: Partial<NamespaceStatus['pods']>,
  rest: Partial<Omit<NamespaceStatus, 'pods'>> = {},
): NamespaceStatus {
  const counts = { private: 0, host: 0, notEffective: 0, undeclaredPrivate: 0, overlapping: 0, unknown: 0, ...pods };
  const running = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const findings = rest.findings ?? [];
  const totals = { critical: 0, high: 0, medium: 0, low: 0, info: 0, accepted: 0 };
  for (const { severity, status, accepted } of findings)
    if (status === 'fail') totals[accepted === undefined ? severity : 'accepted'] += 1;
  return {
    observedTime: '2026-11-24T09:41:00Z',
    pods: { running, ...counts },
    ...(running === 0 ? {} : { adoptionPercent: Math.floor((100 * counts.private) / running) }),
    findingTotals: totals,
    ...rest,
  };
}

export const NOT_EFFECTIVE: Finding = {
  rule: 'user-namespace-not-effective',
  severity: 'critical',
  status: 'fail',
  workload: 'Deployment/api',
  pods: 2,
  message: "declares hostUsers: false and runs in the host's user namespace",
  example: 'api-7c9d-x2x4q',
};

const ROOT: Finding = {
  rule: 'root-in-host-user-namespace',
  severity: 'high',
  status: 'fail',
  workload: 'Deployment/web',
  pods: 12,
  message: 'container web runs as root of the host',
};

const HOST_NETWORK: Finding = {
  rule: 'host-network-namespace',
  severity: 'high',
  status: 'fail',
  workload: 'DaemonSet/node-exporter',
  pods: 3,
  message: 'shares the network namespace of the host, and with it its UTS namespace',
  accepted: 'reads the network of the node, which is its task',
};

const NO_USER_NAMESPACE: Finding = {
  rule: 'user-namespace',
  severity: 'medium',
  status: 'fail',
  workload: 'StatefulSet/ledger',
  pods: 3,
  message: "runs in the host's user namespace",
};

const NOT_SEEN: Finding = {
  rule: 'user-namespace-not-effective',
  severity: 'critical',
  status: 'unknown',
  workload: 'Job/nightly',
  pods: 1,
  message: 'declares hostUsers: false, and no agent saw it',
};

/** Days up to the day of the report: adoption rises to what it is now, and nodes become ready. */
function historyTo(running: number, adopted: number, nodes: number, ready: number): readonly HistoryDay[] {
  return Array.from({ length: 45 }, (_, index) => {
    const share = index === 44 ? 1 : 0.2 + 0.8 * (index / 44) ** 1.3 + ((index * 7) % 5) / 150;
    return {
      date: new Date(Date.UTC(2026, 9, 11 + index)).toISOString().slice(0, 10),
      running,
      private: Math.round(adopted * Math.min(1, share)),
      critical: index > 38 ? 1 : 0,
      high: 9,
      readyNodes: Math.round(ready * (index > 30 ? 1 : index > 12 ? 0.8 : 0.5)),
      nodes,
    };
  });
}

const USERNS_ROLLOUT_CONTROLS = [
  { id: 'nodes', status: 'fail', findings: 1 },
  { id: 'adopted', status: 'fail', findings: 3 },
  { id: 'startable', status: 'pass', findings: 0 },
  { id: 'worst-first', status: 'fail', findings: 1 },
  { id: 'in-force', status: 'fail', findings: 1 },
] as const;

/** Three nodes: one ready, one with an old runtime, one that no agent speaks for; four namespaces. */
export const MIXED_REPORT: ClusterReport = {
  ...EMPTY_REPORT,
  policy: {
    generation: 4,
    spec: {
      profiles: ['pod-security-baseline', 'userns-rollout'],
      exceptions: [
        {
          rules: ['host-network-namespace'],
          namespaces: ['monitoring'],
          workloads: ['DaemonSet/*'],
          reason: 'reads the network of the node, which is its task',
          approver: 'platform team',
          expires: '2027-03-31',
        },
        {
          rules: ['root-in-host-user-namespace'],
          namespaces: ['legacy-*'],
          reason: 'waits for the new image',
          approver: 'security team',
          expires: '2026-11-01',
        },
        { rules: ['*'], namespaces: ['sandbox'], reason: 'a playground' },
      ],
      floors: [{ namespaces: ['payments'], minAdoptionPercent: 80 }],
    },
    status: {
      observedTime: '2026-11-24T09:41:00Z',
      observedGeneration: 4,
      kubernetes: { version: 'v1.36.1', keepsHostUsers: 'True', reason: 'the feature is on in its metrics' },
      adoptionPercent: 46,
      nodes: {
        total: 3,
        ready: 1,
        notReady: 1,
        unknown: 1,
        stale: 1,
        reasons: [{ rule: 'runtime-user-namespaces', nodes: 1 }],
      },
      profiles: [
        {
          id: 'pod-security-baseline',
          compliancePercent: 50,
          controls: [
            { id: 'hostNamespaces', status: 'fail', findings: 1 },
            { id: 'procMount', status: 'pass', findings: 0 },
          ],
        },
        {
          id: 'userns-rollout',
          compliancePercent: 20,
          controls: USERNS_ROLLOUT_CONTROLS,
        },
      ],
      exceptions: [
        {
          index: 0,
          reason: 'reads the network of the node, which is its task',
          state: 'matched',
          matched: 1,
          expires: '2027-03-31',
        },
        { index: 1, reason: 'waits for the new image', state: 'expired', matched: 1, expires: '2026-11-01' },
        { index: 2, reason: 'a playground', state: 'unused', matched: 0 },
      ],
      floors: [{ namespace: 'payments', required: '80 % of running pods', actual: '30 of 42 running pods' }],
      history: historyTo(84, 39, 3, 1),
    },
  },
  namespaces: [
    {
      name: 'legacy-shop',
      status: namespaceStatus(
        { host: 27 },
        {
          workloads: { adopted: 0, ready: 3, blocked: 2 },
          findings: [ROOT, NO_USER_NAMESPACE],
          blockers: [{ reason: 'a volume of type nfs can not be idmapped', workloads: 2, example: 'Deployment/web' }],
        },
      ),
    },
    {
      name: 'monitoring',
      status: namespaceStatus(
        { private: 9, host: 6 },
        {
          workloads: { adopted: 2, ready: 1, blocked: 2 },
          findings: [HOST_NETWORK],
          blockers: [
            { reason: 'hostNetwork: true excludes hostUsers: false', workloads: 1, example: 'DaemonSet/node-exporter' },
            { reason: 'writes to a hostPath volume', workloads: 1, example: 'DaemonSet/logs' },
          ],
        },
      ),
    },
    {
      name: 'payments',
      status: namespaceStatus(
        { private: 30, host: 9, notEffective: 2, unknown: 1 },
        {
          unknown: [{ reason: 'NoAgent', pods: 1 }],
          workloads: { adopted: 6, ready: 2, blocked: 0 },
          findings: [NOT_EFFECTIVE, NO_USER_NAMESPACE, NOT_SEEN],
          floor: { minAdoptionPercent: 80, met: false },
        },
      ),
    },
    { name: 'sandbox', status: namespaceStatus({}) },
  ],
  nodes: [
    { name: 'node-a', status: nodeStatus({ ready: 'Ready', pods: 44, privatePods: 39 }) },
    { name: 'node-b', status: nodeStatus({ ...OLD_RUNTIME, pods: 38, privatePods: 0 }) },
    { name: 'node-c', status: {} },
  ],
};

const SHORT_LIMIT: NodeOptions = {
  ready: 'NotReady',
  reasons: ['user-namespace-limit'],
  failing: { 'user-namespace-limit': { status: 'fail', message: 'user.max_user_namespaces is 0' } },
};

/** Nine nodes that should be alike, two of which are not, and one of another kind. */
export const INCONSISTENT_REPORT: ClusterReport = {
  ...MIXED_REPORT,
  policy: {
    spec: { profiles: ['userns-rollout'] },
    status: {
      profiles: [
        {
          id: 'userns-rollout',
          compliancePercent: 0,
          controls: [{ id: 'nodes', status: 'inconsistent', findings: 2 }],
        },
      ],
    },
  },
  nodes: [
    ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((letter) => ({
      name: `node-${letter}`,
      status: nodeStatus({ ready: 'Ready' }),
    })),
    { name: 'node-x', status: nodeStatus(SHORT_LIMIT) },
    { name: 'node-y', status: nodeStatus(SHORT_LIMIT) },
    { name: 'other-z', status: nodeStatus({ ready: 'Ready', runtime: 'cri-o 1.35.0' }) },
  ],
};

/** Numbers from 0 to 1, the same for a seed on every machine (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const WORDS = ['orders', 'search', 'billing', 'ingest', 'media', 'auth', 'catalog', 'mail', 'ledger', 'risk', 'maps'];
const TEAMS = ['team-a', 'team-b', 'core', 'data', 'edge', 'ml', 'retail'];

/** A cluster of any size: ten workloads or so in a namespace, six kinds of nodes. */
export function largeReport(nodeCount: number, namespaceCount: number, seed = 1): ClusterReport {
  const next = random(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item;
  const namespaces = Array.from({ length: namespaceCount }, (_, index): ReportedNamespace => {
    const size = Math.ceil(next() ** 3 * 400);
    const adopted = Math.floor(size * next() ** 1.4);
    const lost = next() < 0.04 ? Math.min(2, size - adopted) : 0;
    const unknown = next() < 0.1 ? Math.min(3, size - adopted - lost) : 0;
    const workloads = Array.from(
      { length: 1 + Math.floor(next() * 14) },
      () => `Deployment/${pick(WORDS)}-${Math.floor(next() * 40)}`,
    );
    const findings = workloads.flatMap((workload): Finding[] => [
      ...(next() < 0.5 ? [{ ...NO_USER_NAMESPACE, workload, pods: 1 + Math.floor(next() * 8) }] : []),
      ...(next() < 0.3
        ? [{ ...ROOT, workload, message: `container ${workload.slice(11)} runs as root of the host` }]
        : []),
    ]);
    return {
      name: `${pick(TEAMS)}-${pick(WORDS)}-${String(index).padStart(3, '0')}`,
      status: namespaceStatus(
        { private: adopted, notEffective: lost, unknown, host: size - adopted - lost - unknown },
        {
          workloads: {
            adopted: Math.floor(workloads.length / 3),
            ready: Math.floor(workloads.length / 3),
            blocked: workloads.length - 2 * Math.floor(workloads.length / 3),
          },
          findings: [...(lost > 0 ? [{ ...NOT_EFFECTIVE, pods: lost }] : []), ...findings],
          blockers: [
            { reason: 'a volume of type nfs can not be idmapped', workloads: 1, example: workloads[0] ?? '' },
            ...(next() < 0.4
              ? [{ reason: 'writes to a hostPath volume', workloads: 1, example: workloads.at(-1) ?? '' }]
              : []),
          ],
        },
      ),
    };
  });
  const kinds: readonly NodeOptions[] = [
    { ready: 'Ready' },
    { ready: 'Ready' },
    { ready: 'Ready', os: 'Fedora CoreOS 43', kernel: '6.17.7-300.fc43.x86_64', runtime: 'cri-o 1.35.0' },
    { ready: 'Ready', kernel: '6.14.0-1017-aws' },
    OLD_RUNTIME,
    NO_LIMIT,
  ];
  const nodes = Array.from({ length: nodeCount }, (_, index): ReportedNode => {
    const name = `ip-10-${index >> 14}-${(index >> 6) & 255}-${index & 63}.eu-central-1.compute.internal`;
    return { name, status: next() < 0.01 ? {} : nodeStatus({ ...pick(kinds), pods: 30, privatePods: 12 }) };
  });
  const running = namespaces.reduce((sum, { status }) => sum + status.pods.running, 0);
  const adopted = namespaces.reduce((sum, { status }) => sum + status.pods.private, 0);
  const ready = nodes.filter(({ status }) => status.readiness?.status === 'Ready').length;
  const { spec = {}, status: { kubernetes, profiles, exceptions } = {} } = MIXED_REPORT.policy ?? {};
  const status = {
    ...(kubernetes ? { kubernetes } : {}),
    ...(profiles ? { profiles } : {}),
    ...(exceptions ? { exceptions } : {}),
  };
  const history = historyTo(running, adopted, nodeCount, ready);
  return {
    ...EMPTY_REPORT,
    policy: { spec, status: { ...status, history } },
    namespaces,
    nodes: nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** What somebody could write to make a page do what it should not. */
export const HOSTILE_NAMES = [
  '<script>alert(1)</script>',
  '</script><img src=x onerror=alert(1)>',
  `"'><svg onload=alert(1)>`,
  '\u202egnp.exe\u2066',
  '{{constructor}}${1}&lt;b&gt;',
  'a\u0000b\u001b[31mred\u0007\ud800',
] as const;

/** A report in which every text is one of those. */
export function hostileReport(name: string): ClusterReport {
  const replace = (value: unknown, key = ''): unknown => {
    if (Array.isArray(value)) return value.map((item) => replace(item));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([inner, item]) => [inner, replace(item, inner)]));
    return typeof value === 'string' && !FIXED_FIELDS.has(key) ? name : value;
  };
  return { ...(replace(MIXED_REPORT) as ClusterReport), generatedAt: GENERATED_AT };
}

const FIXED_FIELDS = new Set([
  'apiVersion',
  'kind',
  'severity',
  'status',
  'state',
  'keepsHostUsers',
  'evidence',
  'lastHeartbeatTime',
  'type',
]);
