import { expect, test } from '@jest/globals';
import { EFFECTIVE_RULES } from '../../src/rules/index.ts';
import type { PodState, UnknownReason } from '../../src/cluster/judgement.ts';
import {
  type AuditFacts,
  clusterSummary,
  evidenceOf,
  modelAt,
  namespaceSummary,
  NOON,
  podOf,
  type PodFacts,
  QUIET,
  STALE_AFTER_MS,
  uidOf,
} from './cluster-facts.ts';

const A = uidOf(1);
const B = uidOf(2);
const OWN = '0 65536 65536';
const PRIVATE = 'UpniumC-';
const HOST = '-pniumC-';
const HASH = '0123456789abcdef0123456789abcdef';
const DECLARED = { spec: { hostUsers: false } };
const MIRROR = {
  annotations: { 'kubernetes.io/config.mirror': 'x', 'kubernetes.io/config.hash': HASH },
  owner: ['Node', 'node-1'],
} as const;
const EFFECTIVE: ReadonlySet<string> = new Set(EFFECTIVE_RULES.map(({ id }) => id));

interface Case {
  readonly pod?: PodFacts;
  /** What the agent of its node reports; undefined where there is none. */
  readonly audit?: AuditFacts | undefined;
  readonly state: PodState | 'not counted';
  readonly why?: UnknownReason;
  /** Of the rules over what is in force: `rule severity status`. */
  readonly found?: readonly string[];
}

const NOT_EFFECTIVE = 'user-namespace-not-effective critical fail';
const UNDECLARED = 'undeclared-host-namespace critical fail';

const CASES: Readonly<Record<string, Case>> = {
  'declared private, and it is': {
    pod: DECLARED,
    audit: { pods: [[`${A} ${OWN}`, PRIVATE]] },
    state: 'private',
  },
  'declared nothing, and is in the user namespace of the host': { audit: { pods: [[A, HOST]] }, state: 'host' },
  'hostUsers: true is no other answer than nothing': {
    pod: { spec: { hostUsers: true } },
    audit: { pods: [[A, HOST]] },
    state: 'host',
  },
  'declared private, and root in it is root of the host': {
    pod: DECLARED,
    audit: { pods: [[A, HOST]] },
    state: 'notEffective',
    found: [NOT_EFFECTIVE],
  },
  'private, and nobody declared it': { audit: { pods: [[`${A} ${OWN}`, PRIVATE]] }, state: 'undeclaredPrivate' },
  'private with the ids of another pod': {
    pod: DECLARED,
    audit: {
      pods: [
        [`${A} ${OWN}`, PRIVATE],
        [`${B} 0 131071 65536`, PRIVATE],
      ],
    },
    state: 'overlapping',
    found: ['id-range-overlap critical fail'],
  },
  'next to the ids of another pod': {
    pod: DECLARED,
    audit: {
      pods: [
        [`${A} ${OWN}`, PRIVATE],
        [`${B} 0 131072 65536`, PRIVATE],
      ],
    },
    state: 'private',
  },
  'ids of a sandbox are none of the host': {
    pod: DECLARED,
    audit: {
      pods: [
        [`${A} ${OWN}`, PRIVATE],
        [`${B} ${OWN}`, PRIVATE, 'gvisor'],
      ],
    },
    state: 'private',
  },
  'undeclared private with the ids of another pod': {
    audit: {
      pods: [
        [`${A} ${OWN}`, PRIVATE],
        [`${B} ${OWN}`, PRIVATE],
      ],
    },
    state: 'overlapping',
    found: ['id-range-overlap critical fail'],
  },
  'no agent': { pod: DECLARED, state: 'unknown', why: 'NoAgent' },
  'an agent that never said anything': {
    pod: DECLARED,
    audit: { status: { lastHeartbeatTime: undefined, podGroups: [{ namespaces: PRIVATE, pods: [A] }] } },
    state: 'unknown',
    why: 'NoAgent',
  },
  'an agent that has been silent for too long': {
    pod: DECLARED,
    audit: { heardAt: NOON - STALE_AFTER_MS - 1, pods: [[A, HOST]] },
    state: 'unknown',
    why: 'Stale',
  },
  'an agent heard of just in time': {
    pod: DECLARED,
    audit: { heardAt: NOON - STALE_AFTER_MS, pods: [[A, HOST]] },
    state: 'notEffective',
    found: [NOT_EFFECTIVE],
  },
  'an agent that last found a change long ago and is alive': {
    audit: { pods: [[A, HOST]], status: { observedTime: new Date(NOON - 86_400_000).toISOString() } },
    state: 'host',
  },
  'a report that contradicts itself': {
    audit: {
      pods: [
        [A, HOST],
        [A, PRIVATE],
      ],
    },
    state: 'unknown',
    why: 'EvidenceRejected',
  },
  'not among the pods its agent sees': { audit: { pods: [[B, HOST]] }, state: 'unknown', why: 'NotSeen' },
  'not in a list that was cut': {
    audit: { pods: [[B, HOST]], status: { conditions: [{ type: 'Truncated', status: 'True' }] } },
    state: 'unknown',
    why: 'NotSeen',
  },
  'a kernel of its own': { pod: DECLARED, audit: { pods: [[A, HOST, 'kata']] }, state: 'unknown', why: 'Sandboxed' },
  'its user namespace can not be seen': {
    pod: DECLARED,
    audit: { pods: [[A, '?pniumC-']] },
    state: 'unknown',
    why: 'NotVisible',
    found: [
      'user-namespace-not-effective critical unknown',
      'id-range-overlap critical unknown',
      'id-range-host-ids high unknown',
      'id-range-short low unknown',
    ],
  },
  'private, and its map can not be read': {
    pod: DECLARED,
    audit: { pods: [[A, PRIVATE]] },
    state: 'private',
    found: [
      'user-namespace-not-effective critical unknown',
      'id-range-overlap critical unknown',
      'id-range-host-ids high unknown',
      'id-range-short low unknown',
    ],
  },
  'a static pod, known by the hash of its manifest': {
    pod: { ...MIRROR, ...DECLARED },
    audit: { pods: [[`${HASH} ${OWN}`, PRIVATE]] },
    state: 'private',
  },
  'a static pod is not known by the uid of its mirror': {
    pod: { ...MIRROR, ...DECLARED },
    audit: { pods: [[`${A} ${OWN}`, PRIVATE]] },
    state: 'unknown',
    why: 'NotSeen',
  },
  'a hash alone makes no mirror pod': {
    pod: { annotations: { 'kubernetes.io/config.hash': HASH } },
    audit: {
      pods: [
        [HASH, PRIVATE],
        [A, HOST],
      ],
    },
    state: 'host',
  },
  'Windows has no user namespaces': {
    pod: { spec: { os: { name: 'windows' } } },
    audit: { pods: [[A, HOST]] },
    state: 'not counted',
  },
  'does not run yet': { pod: { ...DECLARED, phase: 'Pending' }, audit: { pods: [[A, HOST]] }, state: 'not counted' },
  'has no phase yet': { pod: { ...DECLARED, phase: '' }, audit: { pods: [[A, HOST]] }, state: 'not counted' },
  'has succeeded': { pod: { ...DECLARED, phase: 'Succeeded' }, audit: { pods: [[A, HOST]] }, state: 'not counted' },
  'has failed': { pod: { ...DECLARED, phase: 'Failed' }, audit: { pods: [[A, HOST]] }, state: 'not counted' },
  'has no node yet': { pod: { ...DECLARED, node: '' }, audit: { pods: [[A, HOST]] }, state: 'unknown', why: 'NoAgent' },
  'the network of the host brings its UTS namespace (containerd)': {
    pod: { spec: { hostNetwork: true } },
    audit: { pods: [[A, '-p-i-mC-']] },
    state: 'host',
    found: ['host-uts-namespace medium fail'],
  },
  'the network of the host alone (CRI-O)': {
    pod: { spec: { hostNetwork: true } },
    audit: { pods: [[A, '-p-iumC-']] },
    state: 'host',
  },
  'a UTS namespace of the host that came with no network': {
    audit: { pods: [[A, '-pni-mC-']] },
    state: 'host',
    found: [UNDECLARED, 'host-uts-namespace medium fail'],
  },
  'host PID and IPC namespaces, as declared': {
    pod: { spec: { hostPID: true, hostIPC: true } },
    audit: { pods: [[A, '--n-umC-']] },
    state: 'host',
  },
  'an undeclared host PID namespace': { audit: { pods: [[A, '--niumC-']] }, state: 'host', found: [UNDECLARED] },
  'an undeclared host network namespace': { audit: { pods: [[A, '-p-iumC-']] }, state: 'host', found: [UNDECLARED] },
  'an undeclared host IPC namespace': { audit: { pods: [[A, '-pn-umC-']] }, state: 'host', found: [UNDECLARED] },
  'one host namespace declared, another taken': {
    pod: { spec: { hostPID: true } },
    audit: { pods: [[A, '--n-umC-']] },
    state: 'host',
    found: [UNDECLARED],
  },
  'an undeclared host namespace beside one that can not be seen': {
    audit: { pods: [[A, '--n?umC-']] },
    state: 'host',
    found: [UNDECLARED],
  },
  'private in its ids, and in the PID namespace of the host': {
    pod: DECLARED,
    audit: { pods: [[`${A} ${OWN}`, 'U-niumC-']] },
    state: 'private',
    found: [UNDECLARED],
  },
  'an agent of basic evidence sees no IPC, UTS, mount and cgroup namespaces': {
    pod: DECLARED,
    audit: { pods: [[`${A} ${OWN}`, 'Upn?????']], status: { agent: { evidence: 'basic' } } },
    state: 'private',
    found: ['undeclared-host-namespace critical unknown', 'host-uts-namespace medium unknown'],
  },
  'what can not be seen was declared': {
    pod: { spec: { hostNetwork: true, hostIPC: true } },
    audit: { pods: [[A, '-p-?umC-']] },
    state: 'host',
  },
  'maps the ids of the host': {
    pod: DECLARED,
    audit: { pods: [[`${A} 0 0 65536`, PRIVATE]] },
    state: 'private',
    found: ['id-range-host-ids high fail'],
  },
  'maps every id to itself': {
    pod: DECLARED,
    audit: { pods: [[`${A} 0 0 4294967295`, PRIVATE]] },
    state: 'private',
    found: ['id-range-host-ids high fail'],
  },
  'maps the groups of the host alone': {
    pod: DECLARED,
    audit: { pods: [[`${A} ${OWN} gid 0 1000 65536`, PRIVATE]] },
    state: 'private',
    found: ['id-range-host-ids high fail'],
  },
  'maps too few ids': {
    pod: DECLARED,
    audit: { pods: [[`${A} 0 65536 65535`, PRIVATE]] },
    state: 'private',
    found: ['id-range-short low fail'],
  },
  'maps enough ids in several ranges': {
    pod: DECLARED,
    audit: { pods: [[`${A} 0 65536 1, 1 165536 65535`, PRIVATE]] },
    state: 'private',
  },
  'a kernel without user namespaces has room for no private pod': {
    pod: DECLARED,
    audit: { pods: [[A, HOST]], status: { system: { userNamespaces: 'not-set' } } },
    state: 'notEffective',
    found: [NOT_EFFECTIVE],
  },
};

test.each(Object.entries(CASES))('%s', (_, { pod, audit, state, why, found = [] }) => {
  const { model } = modelAt();
  const bystander = podOf({ uid: uidOf(99), name: 'bystander', namespace: 'elsewhere', node: 'node-2' });
  model.upsertPod(bystander);
  model.upsertPod(podOf({ ...pod, uid: A }));
  if (audit) model.setEvidence(evidenceOf(audit));
  const summary = namespaceSummary(model);
  const { running, ...states } = summary.pods;
  expect(Object.entries(states).filter(([, count]) => count > 0)).toEqual(state === 'not counted' ? [] : [[state, 1]]);
  expect(running).toBe(state === 'not counted' ? 0 : 1);
  expect(summary.adoptionPercent).toBe(state === 'not counted' ? undefined : Number(state === 'private') * 100);
  expect(summary.unknown).toEqual(why === undefined ? undefined : [{ reason: why, pods: 1 }]);
  const effective = (summary.findings ?? []).filter(({ rule }) => EFFECTIVE.has(rule));
  expect(effective.map(({ rule, severity, status }) => `${rule} ${severity} ${status}`).sort()).toEqual(
    [...found].sort(),
  );
  for (const { message, pods } of effective) expect([pods, message === '']).toEqual([1, false]);
  const critical = found.filter((line) => line.endsWith('critical fail')).length;
  expect(clusterSummary(model)).toMatchObject({ findingTotals: { critical }, pods: { running: running + 1 } });
  expect(clusterSummary(model).criticalFindings).toHaveLength(critical);
  expect(namespaceSummary(model, 'elsewhere').unknown).toEqual([{ reason: 'NoAgent', pods: 1 }]);
});

test.each([
  ['containers', { containers: [{ name: 'x', securityContext: { privileged: true } }] }],
  ['initContainers', { initContainers: [{ name: 'x', securityContext: { privileged: true } }] }],
  ['ephemeralContainers', { ephemeralContainers: [{ name: 'x', securityContext: { privileged: true } }] }],
])('%s are judged by what they declare', (_, spec) => {
  const { model } = modelAt();
  model.upsertPod(podOf({ spec }));
  expect(namespaceSummary(model).findings).toContainEqual(
    expect.objectContaining({
      rule: 'privileged-in-host-user-namespace',
      severity: 'critical',
      status: 'fail',
    }),
  );
});

test('beside the network of the host, a user namespace that the API server has taken is no conflict', () => {
  const { model } = modelAt();
  model.upsertPod(podOf({ uid: A, spec: { hostUsers: false, hostNetwork: true } }));
  model.setEvidence(evidenceOf({ pods: [[`${A} ${OWN}`, 'Up-i-mC-']] }));
  const { pods, findings = [], workloads } = namespaceSummary(model);
  expect(pods.private).toBe(1);
  expect(findings.map(({ rule }) => rule)).not.toContain('user-namespace-conflict');
  expect(workloads).toEqual({ adopted: 1, ready: 0, blocked: 0 });
});

test('the network of the host stays in the way of a user namespace that was not asked for', () => {
  const { model } = modelAt();
  model.upsertPod(podOf({ uid: A, spec: { hostNetwork: true } }));
  const { workloads, blockers } = namespaceSummary(model);
  expect(workloads).toEqual({ adopted: 0, ready: 0, blocked: 1 });
  expect(blockers?.map(({ reason }) => reason)).toEqual([expect.stringContaining('hostNetwork')]);
});

test('a pod that waits is judged by what it declares, one that has ended is not', () => {
  const { model } = modelAt();
  model.upsertPod(podOf({ phase: 'Pending', spec: { hostPID: true } }));
  model.upsertPod(podOf({ uid: B, name: 'b', phase: 'Succeeded', spec: { hostIPC: true } }));
  const { findings = [] } = namespaceSummary(model);
  expect(findings.map(({ rule }) => rule)).toEqual(['host-pid-namespace', 'user-namespace']);
});

test.each<[PodFacts, string]>([
  [{ name: 'lone' }, 'Pod/lone'],
  [{ owner: ['ReplicaSet', 'web-5d4f8'], labels: { 'pod-template-hash': '5d4f8' } }, 'Deployment/web'],
  [{ owner: ['ReplicaSet', 'web-5d4f8'] }, 'ReplicaSet/web-5d4f8'],
  [{ owner: ['ReplicaSet', 'web'], labels: { 'pod-template-hash': '5d4f8' } }, 'ReplicaSet/web'],
  [{ owner: ['Job', 'report-29012345'] }, 'CronJob/report'],
  [{ owner: ['Job', 'report-2901234'] }, 'Job/report-2901234'],
  [{ owner: ['StatefulSet', 'db'] }, 'StatefulSet/db'],
  [{ name: 'etcd-node-1', owner: ['Node', 'node-1'] }, 'Pod/etcd-node-1'],
])('the workload of %j is %s', (facts, workload) => {
  const { model } = modelAt();
  model.upsertPod(podOf(facts));
  expect(namespaceSummary(model).findings?.[0]?.workload).toBe(workload);
});

test('pods of one template share one shape, whatever differs without meaning', () => {
  const { model } = modelAt();
  const volume = (suffix: string) => [{ name: `kube-api-access-${suffix}`, projected: {} }];
  const one = podOf({ spec: { containers: [{ ...QUIET, image: 'a:1' }], volumes: volume('x1') } });
  const two = podOf({ spec: { containers: [{ ...QUIET, image: 'a:2' }], volumes: volume('x2') } });
  model.upsertPod(one);
  expect(JSON.stringify(one.shape.spec)).toBe(JSON.stringify(two.shape.spec));
});
