import { expect, test } from '@jest/globals';
import type { LabelSelector, PolicyException } from '../../src/core/policy.ts';
import type { ClusterModel } from '../../src/cluster/model.ts';
import {
  clusterSummary,
  exceptionOf,
  modelAt,
  namespaceSummary,
  NOON,
  podOf,
  policyOf,
  uidOf,
} from './cluster-facts.ts';

/** Declares nothing: breaks user-namespace (medium), and nothing else. */
const HOST_USER = podOf({ owner: ['DaemonSet', 'agent'] });

/** A model whose one pod breaks user-namespace, in a namespace with these labels. */
function modelWith(
  exceptions: readonly Partial<PolicyException>[],
  labels: Readonly<Record<string, string>> | undefined = {},
): ClusterModel {
  const { model } = modelAt();
  model.setSettings({ policy: policyOf({ exceptions: exceptions.map(exceptionOf) }) });
  model.setNamespace('shop', labels);
  model.upsertPod(podOf({ owner: ['DaemonSet', 'agent'] }));
  return model;
}

function isAccepted(model: ClusterModel): boolean {
  const { findings = [], findingTotals } = namespaceSummary(model);
  const found = findings.find(({ rule }) => rule === 'user-namespace');
  if (!found) throw new Error('the finding is gone');
  expect(findingTotals).toMatchObject(
    found.accepted === undefined ? { medium: 1, accepted: 0 } : { medium: 0, accepted: 1 },
  );
  return found.accepted !== undefined;
}

test.each<[labels: Record<string, string>, selector: LabelSelector, holds: boolean]>([
  [{ team: 'a' }, {}, true],
  [{ team: 'a' }, { matchLabels: { team: 'a' } }, true],
  [{ team: 'a' }, { matchLabels: { team: 'b' } }, false],
  [{}, { matchLabels: { team: 'a' } }, false],
  [{ team: 'a' }, { matchLabels: { team: 'a', tier: '1' } }, false],
  [{ team: 'a' }, { matchExpressions: [{ key: 'team', operator: 'In', values: ['b', 'a'] }] }, true],
  [{ team: 'c' }, { matchExpressions: [{ key: 'team', operator: 'In', values: ['b', 'a'] }] }, false],
  [{}, { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'] }] }, false],
  [{ team: 'c' }, { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] }, true],
  [{ team: 'a' }, { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] }, false],
  [{}, { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] }, true],
  [{ team: '' }, { matchExpressions: [{ key: 'team', operator: 'Exists' }] }, true],
  [{}, { matchExpressions: [{ key: 'team', operator: 'Exists' }] }, false],
  [{}, { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, true],
  [{ team: '' }, { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, false],
  [{}, { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, false],
  [
    {},
    { matchLabels: { constructor: 'x' }, matchExpressions: [{ key: '__proto__', operator: 'DoesNotExist' }] },
    false,
  ],
  [
    { team: 'a' },
    { matchLabels: { team: 'a' }, matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] },
    false,
  ],
])('labels %j, selector %j: %s', (labels, namespaceSelector, holds) => {
  expect(isAccepted(modelWith([{ namespaceSelector }], labels))).toBe(holds);
});

test.each<[Partial<PolicyException>, boolean]>([
  [{ namespaces: ['shop'] }, true],
  [{ namespaces: ['sh*'] }, true],
  [{ namespaces: ['sho?'] }, true],
  [{ namespaces: ['shop?'] }, false],
  [{ namespaces: ['hop'] }, false],
  [{ namespaces: ['other', '*'] }, true],
  [{ workloads: ['DaemonSet/agent'] }, true],
  [{ workloads: ['DaemonSet/*'] }, true],
  [{ workloads: ['*/agent'] }, true],
  [{ workloads: ['*'] }, false],
  [{ workloads: ['Deployment/agent', 'DaemonSet/age'] }, false],
  [{ namespaces: ['shop'], workloads: ['Deployment/*'] }, false],
  [{ rules: ['user-namespace'], namespaces: ['*'] }, true],
  [{ rules: ['host-pid-namespace', 'user-namespace'], namespaces: ['*'] }, true],
  [{ rules: ['host-pid-namespace'], namespaces: ['*'] }, false],
  [{ namespaces: ['*'], files: ['**'] }, false],
  [{ namespaces: ['*'], expires: '2026-11-27' }, true],
  [{ namespaces: ['*'], expires: '2026-11-26' }, false],
])('the exception %j accepts: %s', (exception, holds) => {
  expect(isAccepted(modelWith([exception]))).toBe(holds);
});

test('labels that come, change and go with the namespace decide anew, whoever asked before', () => {
  const { model } = modelAt();
  const outsiders = { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' as const }] };
  model.setSettings({ policy: policyOf({ exceptions: [exceptionOf({ namespaceSelector: outsiders })] }) });
  model.upsertPod(HOST_USER);
  expect(isAccepted(model)).toBe(false);
  model.setNamespace('shop', {});
  expect(isAccepted(model)).toBe(true);
  model.setNamespace('shop', { team: 'a' });
  expect(isAccepted(model)).toBe(false);
  model.setNamespace('shop', {});
  expect(isAccepted(model)).toBe(true);
  model.removeNamespace('shop');
  expect(isAccepted(model)).toBe(false);
  model.removePod(HOST_USER);
  expect(model.namespaces.size).toBe(0);
});

test('a namespace that is gone takes its labels with it', () => {
  const { model } = modelAt();
  model.setSettings({
    policy: policyOf({ exceptions: [exceptionOf({ namespaceSelector: { matchLabels: { team: 'a' } } })] }),
  });
  model.setNamespace('shop', { team: 'a' });
  const pod = podOf();
  model.upsertPod(pod);
  model.removeNamespace('shop');
  model.setNamespace('shop', {});
  expect(isAccepted(model)).toBe(false);
});

test('an exception holds to the end of its last day, by the clock alone', () => {
  const clock = { now: NOON };
  const { model, dirty, changes } = modelAt(clock);
  model.setSettings({ policy: policyOf({ exceptions: [exceptionOf({ namespaces: ['*'], expires: '2026-11-27' })] }) });
  model.upsertPod(podOf());
  clock.now = Date.parse('2026-11-27T23:59:59.999Z');
  model.tick();
  expect(isAccepted(model)).toBe(true);
  dirty.clear();
  changes.cluster = 0;
  clock.now += 1;
  model.tick();
  expect(isAccepted(model)).toBe(false);
  expect([...dirty]).toEqual(['shop']);
  expect(changes.cluster).toBeGreaterThan(0);
  expect(clusterSummary(model).exceptions).toMatchObject([{ state: 'expired', matched: 1 }]);
});

test('a day on which nothing ends is news for the cluster alone', () => {
  const clock = { now: NOON };
  const { model, dirty, changes } = modelAt(clock);
  model.setSettings({ policy: policyOf({ exceptions: [exceptionOf({ namespaces: ['*'], expires: '2026-12-11' })] }) });
  model.upsertPod(podOf());
  dirty.clear();
  changes.cluster = 0;
  clock.now += 86_400_000;
  model.tick();
  expect([[...dirty], changes.cluster > 0]).toEqual([[], true]);
  expect(clusterSummary(model)).toMatchObject({
    history: [{ date: '2026-11-28' }],
    exceptions: [{ state: 'expiring' }],
  });
  // A clock that was put back brings the exception back as well.
  clock.now = Date.parse('2026-12-12T00:00:00Z');
  model.tick();
  expect(isAccepted(model)).toBe(false);
  clock.now -= 1;
  model.tick();
  expect(isAccepted(model)).toBe(true);
});

test('how every exception is used', () => {
  const model = modelWith([
    { namespaces: ['shop'], reason: 'no end' },
    { namespaces: ['shop'], expires: '2026-11-26' },
    { namespaces: ['shop'], expires: '2026-11-27' },
    { namespaces: ['shop'], expires: '2026-12-11' },
    { namespaces: ['shop'], expires: '2026-12-12' },
    { namespaces: ['warehouse'] },
    { namespaces: ['warehouse'], expires: '2026-12-01' },
    { namespaces: ['warehouse'], expires: '2026-11-26' },
    { files: ['**'] },
    { rules: ['host-pid-namespace'], namespaces: ['*'] },
  ]);
  expect(clusterSummary(model).exceptions?.map(({ index, state, matched }) => [index, state, matched])).toEqual([
    [0, 'matched', 1],
    [1, 'expired', 1],
    [2, 'expiring', 1],
    [3, 'expiring', 1],
    [4, 'matched', 1],
    [5, 'unused', 0],
    [6, 'unused', 0],
    [7, 'expired', 0],
    [8, 'matched', 0],
    [9, 'unused', 0],
  ]);
});

test('of several exceptions the first that still holds gives the reason', () => {
  const model = modelWith([
    { namespaces: ['*'], expires: '2026-01-01', reason: 'over' },
    { namespaces: ['*'], reason: 'first' },
    { namespaces: ['*'], reason: 'second' },
  ]);
  expect(namespaceSummary(model).findings).toMatchObject([{ rule: 'user-namespace', accepted: 'first' }]);
});

test('a workload whose pods break a rule in two ways counts once for an exception', () => {
  const model = modelWith([{ rules: ['root-in-host-user-namespace'], namespaces: ['*'] }]);
  const container = (runAs: object) => ({ containers: [{ name: 'app', securityContext: runAs }] });
  model.upsertPod(podOf({ uid: uidOf(2), name: 'b', owner: ['DaemonSet', 'x'], spec: container({ runAsUser: 0 }) }));
  model.upsertPod(podOf({ uid: uidOf(3), name: 'c', owner: ['DaemonSet', 'x'], spec: container({}) }));
  const own = (namespaceSummary(model).findings ?? []).filter(({ rule }) => rule === 'root-in-host-user-namespace');
  expect(new Set(own.map(({ severity }) => severity)).size).toBe(2);
  expect(clusterSummary(model).exceptions).toMatchObject([{ matched: 1 }]);
});

test('accepted findings leave the totals and stay listed, last', () => {
  const { model } = modelAt();
  model.setSettings({ policy: policyOf({ exceptions: [exceptionOf({ workloads: ['Pod/a'], reason: 'we know' })] }) });
  model.upsertPod(podOf({ uid: uidOf(1), name: 'a', spec: { hostPID: true } }));
  model.upsertPod(podOf({ uid: uidOf(2), name: 'b' }));
  const { findings, findingTotals } = namespaceSummary(model);
  expect(findings?.map(({ rule, workload, accepted }) => [rule, workload, accepted])).toEqual([
    ['user-namespace', 'Pod/b', undefined],
    ['host-pid-namespace', 'Pod/a', 'we know'],
    ['user-namespace', 'Pod/a', 'we know'],
  ]);
  expect(findingTotals).toEqual({ critical: 0, high: 0, medium: 1, low: 0, info: 0, accepted: 2 });
});
