import { expect, test } from '@jest/globals';
import { NODE_RULES } from '../../src/rules/index.ts';
import { MAX_CRITICAL_FINDINGS, MAX_FINDINGS, MAX_FLOORS, MAX_HISTORY_DAYS } from '../../src/resources/limits.ts';
import type { HistoryDay } from '../../src/resources/audit-policy.ts';
import type { AuditPolicy } from '../../src/core/policy.ts';
import type { ClusterModel } from '../../src/cluster/model.ts';
import type { ApiObject } from '../../src/cluster/pod-spec.ts';
import {
  clusterSummary,
  evidenceOf,
  modelAt,
  namespaceSummary,
  NOON,
  podOf,
  policyOf,
  uidOf,
} from './cluster-facts.ts';

const PRIVATE = { hostUsers: false };
const DAY_MS = 86_400_000;

function withPolicy(policy: Partial<AuditPolicy>): ClusterModel {
  const { model } = modelAt();
  model.setSettings({ policy: policyOf(policy) });
  return model;
}

/** Private and other running pods, on a node whose agent sees them all. */
function fill(model: ClusterModel, namespace: string, own: number, host: number, node = `node-${namespace}`): void {
  const pods: [string, string][] = [];
  for (let index = 0; index < own + host; index++) {
    const uid = uidOf(index);
    const isPrivate = index < own;
    model.upsertPod(
      podOf({ uid, name: `${namespace}-${index}`, namespace, node, ...(isPrivate ? { spec: PRIVATE } : {}) }),
    );
    pods.push(isPrivate ? [`${uid} 0 ${65_536 * (index + 1)} 65536`, 'UpniumC-'] : [uid, '-pniumC-']);
  }
  model.setEvidence(evidenceOf({ node, pods }));
}

test('the floor that asks for most holds, of number and share each', () => {
  const model = withPolicy({
    floors: [
      { namespaces: ['*'], minPrivatePods: 1 },
      { namespaces: ['sh?p', 'other*'], minPrivatePods: 2 },
      { namespaces: ['shop'], minAdoptionPercent: 50 },
      { namespaces: ['elsewhere*'], minPrivatePods: 100 },
    ],
  });
  fill(model, 'shop', 2, 2);
  expect(namespaceSummary(model).floor).toEqual({ minPrivatePods: 2, minAdoptionPercent: 50, met: true });
  expect(clusterSummary(model).floors).toEqual([]);
  model.upsertPod(podOf({ uid: uidOf(99), name: 'one-more' }));
  expect(namespaceSummary(model).floor).toEqual({ minPrivatePods: 2, minAdoptionPercent: 50, met: false });
  expect(clusterSummary(model).floors).toEqual([
    { namespace: 'shop', required: '2 private pods and 50 % of running pods', actual: '2 of 5 running pods' },
  ]);
});

test('pods nobody has seen meet no floor', () => {
  const model = withPolicy({ floors: [{ namespaces: ['shop'], minPrivatePods: 1 }] });
  model.upsertPod(podOf({ spec: PRIVATE }));
  expect(namespaceSummary(model).floor).toMatchObject({ met: false });
});

test('where nothing runs a share is met, and a number is not', () => {
  const model = withPolicy({
    floors: [
      { namespaces: ['share'], minAdoptionPercent: 100 },
      { namespaces: ['number', 'absent', 'absent-*'], minPrivatePods: 1 },
      { namespaces: ['none'], minPrivatePods: 0 },
    ],
  });
  for (const name of ['share', 'number', 'free']) model.setNamespace(name, {});
  expect(namespaceSummary(model, 'free').floor).toBeUndefined();
  expect(namespaceSummary(model, 'share').floor).toMatchObject({ met: true });
  expect(clusterSummary(model).floors).toEqual([
    { namespace: 'absent', required: 'private pods', actual: 'no such namespace' },
    { namespace: 'number', required: '1 private pods', actual: '0 of 0 running pods' },
  ]);
});

test('adoption is rounded down: 100 means every pod', () => {
  const model = withPolicy({});
  fill(model, 'shop', 199, 1);
  expect(namespaceSummary(model).adoptionPercent).toBe(99);
  expect(clusterSummary(model)).toMatchObject({ adoptionPercent: 99, pods: { running: 200, private: 199, host: 1 } });
});

test('an empty cluster has no share, no finding and no compliance', () => {
  const { model } = modelAt();
  const summary = clusterSummary(model);
  expect(summary).toMatchObject({ pods: { running: 0 }, nodes: { total: 0 }, criticalFindings: [] });
  expect(summary.adoptionPercent).toBeUndefined();
  expect(summary.profiles?.flatMap(({ compliancePercent = [] }) => compliancePercent)).toEqual([]);
});

test('history has one entry a day, the newest last, and forgets the oldest', () => {
  const clock = { now: NOON };
  const { model } = modelAt(clock);
  let history: readonly HistoryDay[] = [];
  for (let hour = 0; hour < 24 * (MAX_HISTORY_DAYS + 5); hour += 6) {
    clock.now = NOON + hour * 3_600_000;
    model.tick();
    model.upsertPod(podOf({ uid: uidOf(hour), name: `p${hour}` }));
    history = clusterSummary(model, history).history ?? [];
  }
  const dates = history.map(({ date }) => date);
  expect(dates).toHaveLength(MAX_HISTORY_DAYS);
  expect(dates).toEqual([...new Set(dates)].sort());
  expect(dates.at(-1)).toBe(new Date(clock.now).toISOString().slice(0, 10));
  // Four pods a day came; an old day keeps what it had, today has all.
  expect(history.at(-1)?.running).toBe(4 * (MAX_HISTORY_DAYS + 5));
  const grown = history.slice(1).map(({ running }, index) => running - (history[index]?.running ?? 0));
  expect(grown.slice(0, -1)).toEqual(grown.slice(0, -1).map(() => 4));
});

test('what is written is bounded, says so, and counts everything all the same', () => {
  const model = withPolicy({ floors: [{ namespaces: ['*'], minPrivatePods: 1 }] });
  const many = MAX_FINDINGS + 20;
  for (let index = 0; index < many; index++)
    model.upsertPod(podOf({ uid: uidOf(index), name: `p${index}`, spec: { hostPID: true } }));
  for (let index = 0; index <= MAX_FLOORS; index++) model.setNamespace(`n${index}`, {});
  const summary = namespaceSummary(model);
  expect(summary.findings).toHaveLength(MAX_FINDINGS);
  expect(summary).toMatchObject({ truncated: true, findingTotals: { high: many, medium: many } });
  // The worst are those that stay.
  expect(new Set(summary.findings?.map(({ severity }) => severity))).toEqual(new Set(['high']));
  model.setEvidence(
    evidenceOf({ pods: Array.from({ length: many }, (_, index) => [uidOf(index), '---iumC-'] as const) }),
  );
  const cluster = clusterSummary(model);
  expect(cluster.criticalFindings).toHaveLength(MAX_CRITICAL_FINDINGS);
  expect(cluster.floors).toHaveLength(MAX_FLOORS);
  expect(cluster).toMatchObject({ findingTotals: { critical: many } });
});

test('a rule that is off finds nothing, and one that weighs more weighs more', () => {
  const { model } = modelAt();
  fill(model, 'shop', 0, 1);
  const rulesOf = (policy: Partial<AuditPolicy>) => {
    model.setSettings({ policy: policyOf(policy) });
    const found = namespaceSummary(model).findings ?? [];
    return found.map(({ rule, severity }) => `${rule} ${severity}`);
  };
  expect(rulesOf({})).toEqual(['user-namespace medium']);
  expect(rulesOf({ rules: [{ id: 'user-namespace', enabled: false }] })).toEqual([]);
  expect(rulesOf({ rules: [{ id: 'user-namespace', severity: 'critical' }] })).toEqual(['user-namespace critical']);
  expect(clusterSummary(model).criticalFindings).toMatchObject([{ rule: 'user-namespace', pods: 1 }]);
  expect(rulesOf({ profiles: ['nsa-cisa'] })).toEqual([]);
  expect(rulesOf({ profiles: ['nsa-cisa'], rules: [{ id: 'user-namespace', enabled: true }] })).toEqual([
    'user-namespace medium',
  ]);
  model.setSettings({ policy: undefined, version: { major: 1, minor: 32 } });
  expect(namespaceSummary(model).findings).toEqual([]);
});

test('what is in force is judged whatever the profiles say, until the policy takes it out', () => {
  const model = withPolicy({ profiles: ['nsa-cisa'] });
  model.upsertPod(podOf({ spec: PRIVATE }));
  model.setEvidence(evidenceOf({ pods: [[uidOf(1), '-pniumC-']] }));
  expect(clusterSummary(model).findingTotals).toMatchObject({ critical: 1 });
  model.setSettings({ policy: policyOf({ rules: [{ id: 'user-namespace-not-effective', enabled: false }] }) });
  expect(clusterSummary(model).findingTotals).toMatchObject({ critical: 0 });
  expect(namespaceSummary(model).pods.notEffective).toBe(1);
});

/** The state of a control of a profile. */
function control(model: ClusterModel, profile: string, id: string): string | undefined {
  const found = clusterSummary(model).profiles?.find((one) => one.id === profile);
  return found?.controls.find((one) => one.id === id)?.status;
}

const EFFECTIVE_CONTROL = ['userns-rollout', 'in-force'] as const;
const allPass: ApiObject = {
  rules: NODE_RULES.map(({ id }) => ({ rule: id, severity: 'high', status: 'pass', message: 'so it is' })),
};

test('a control over what is in force passes only where that was seen', () => {
  const { model } = modelAt();
  expect(control(model, ...EFFECTIVE_CONTROL)).toBe('not-applicable');
  model.upsertPod(podOf({ spec: PRIVATE, phase: 'Pending' }));
  expect(control(model, ...EFFECTIVE_CONTROL)).toBe('not-applicable');
  model.upsertPod(podOf({ uid: uidOf(2), name: 'b', spec: PRIVATE }));
  expect(control(model, ...EFFECTIVE_CONTROL)).toBe('unknown');
  model.setEvidence(evidenceOf({ pods: [[`${uidOf(2)} 0 65536 65536`, 'UpniumC-']] }));
  expect(control(model, ...EFFECTIVE_CONTROL)).toBe('pass');
  model.setSettings({ policy: policyOf({ rules: [{ id: 'id-range-overlap', enabled: false }] }) });
  expect(control(model, ...EFFECTIVE_CONTROL)).toBe('unknown');
});

test('pods that have ended comply with nothing and break nothing', () => {
  const { model } = modelAt();
  model.upsertPod(podOf({ phase: 'Succeeded', spec: { hostPID: true } }));
  expect(control(model, 'nsa-cisa', '1.4')).toBe('not-applicable');
  expect(clusterSummary(model).profiles?.flatMap(({ compliancePercent = [] }) => compliancePercent)).toEqual([]);
});

test('a control over nodes is unknown where a node does not answer, or its rule is off', () => {
  const { model } = modelAt();
  const state = () => control(model, 'cis-docker-1.6', '2.9');
  model.setNode('node-1');
  expect(state()).toBe('unknown');
  model.setEvidence(evidenceOf({ status: allPass }));
  expect(state()).toBe('pass');
  model.setEvidence(evidenceOf({ status: { rules: [] } }));
  expect(state()).toBe('unknown');
  model.setEvidence(evidenceOf({ status: allPass }));
  model.setSettings({ policy: policyOf({ rules: [{ id: 'docker-userns-remap', enabled: false }] }) });
  expect(state()).toBe('unknown');
});

test('containers outside Kubernetes are asked of nodes, and of several the worst counts', () => {
  const { model } = modelAt();
  const state = () => control(model, 'cis-docker-1.6', '5.16');
  const outside = (...states: readonly string[]): void => {
    const system = { kernelRelease: '6.8.0' };
    const unmanaged = states.map((status, id) => ({ id: `${id}`, status, message: 'so it is' }));
    model.setEvidence(evidenceOf({ pods: [[`${uidOf(1)} 0 65536 65536`, 'UpniumC-']], status: { unmanaged, system } }));
  };
  model.setNode('node-1');
  model.upsertPod(podOf({ spec: PRIVATE }));
  expect(state()).toBe('unknown');
  outside();
  expect(state()).toBe('pass');
  outside('pass', 'fail');
  expect(state()).toBe('fail');
  outside('pass', 'unknown');
  expect(state()).toBe('unknown');
});

test('nodes that say nothing of themselves are not of one kind', () => {
  const { model } = modelAt();
  for (const [node, status] of [
    ['node-1', 'pass'],
    ['node-2', 'fail'],
  ] as const) {
    model.setNode(node);
    const rules = [{ rule: 'docker-userns-remap', severity: 'high', status, message: 'so it is' }];
    model.setEvidence(evidenceOf({ node, status: { rules } }));
  }
  expect(control(model, 'cis-docker-1.6', '2.9')).toBe('fail');
});

test('nodes by readiness, with what speaks against it', () => {
  const clock = { now: NOON };
  const { model } = modelAt(clock);
  const readiness = (status: string, reasons: readonly string[] = []) => ({ readiness: { status, reasons } });
  for (const node of ['ready', 'not', 'unknown', 'silent', 'liar']) model.setNode(node);
  model.setEvidence(evidenceOf({ node: 'ready', status: readiness('Ready') }));
  model.setEvidence(evidenceOf({ node: 'not', status: readiness('NotReady', ['user-namespace-limit']) }));
  model.setEvidence(evidenceOf({ node: 'unknown', status: readiness('Unknown', ['idmapped-mounts']) }));
  model.setEvidence(evidenceOf({ node: 'liar', heardAt: NOON + DAY_MS, status: readiness('Ready') }));
  model.setEvidence(evidenceOf({ node: 'no-node', status: readiness('Ready') }));
  expect(clusterSummary(model).nodes).toEqual({
    total: 5,
    ready: 1,
    notReady: 1,
    unknown: 3,
    stale: 1,
    reasons: [
      { rule: 'idmapped-mounts', nodes: 1 },
      { rule: 'user-namespace-limit', nodes: 1 },
    ],
  });
  clock.now += 600_000;
  model.tick();
  expect(clusterSummary(model).nodes).toMatchObject({ total: 5, ready: 0, unknown: 5, stale: 5, reasons: [] });
});
