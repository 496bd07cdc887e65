import { expect, test } from '@jest/globals';
import type { ApiObject } from '../../src/cluster/pod-spec.ts';
import { createPodInterner } from '../../src/cluster/pod.ts';
import {
  auditObject,
  clusterSummary,
  evidenceOf,
  modelAt,
  namespaceSummary,
  podOf,
  QUIET,
  uidOf,
} from './cluster-facts.ts';

const DAEMON = ['DaemonSet', 'agent'] as const;
const PRIVATE = { spec: { hostUsers: false } };

test('the example of a finding is a pod that is there', () => {
  const { model } = modelAt();
  const [first, second, third] = [1, 2, 3].map((number) =>
    podOf({ uid: uidOf(number), name: `agent-${number}`, owner: DAEMON }),
  ) as [ReturnType<typeof podOf>, ReturnType<typeof podOf>, ReturnType<typeof podOf>];
  model.upsertPod(first);
  model.upsertPod(second);
  expect(namespaceSummary(model).findings).toMatchObject([{ pods: 2, example: 'agent-1' }]);
  model.removePod(first);
  expect(namespaceSummary(model).findings).toMatchObject([{ pods: 1, example: 'agent-2' }]);
  model.upsertPod(third);
  const adopted = podOf({ uid: uidOf(2), name: 'agent-2', owner: DAEMON, ...PRIVATE, phase: 'Pending' });
  model.upsertPod(adopted, second);
  expect(namespaceSummary(model).findings).toMatchObject([{ pods: 1, example: 'agent-3' }]);
  model.upsertPod(second, adopted);
  model.removePod(third);
  expect(namespaceSummary(model).findings).toMatchObject([{ pods: 1, example: 'agent-2' }]);
});

test('a finding speaks of the namespaces that are shared now, not of those of a pod before it', () => {
  const { model } = modelAt();
  model.upsertPod(podOf({ owner: DAEMON }));
  const messageWith = (vector: string): string | undefined => {
    model.setEvidence(evidenceOf({ pods: [[uidOf(1), vector]] }));
    return namespaceSummary(model).findings?.find(({ rule }) => rule === 'undeclared-host-namespace')?.message;
  };
  expect(messageWith('--nium--')).toContain('pid namespace');
  expect(messageWith('-p-ium--')).toContain('net namespace');
  expect(clusterSummary(model).criticalFindings).toMatchObject([{ message: expect.stringContaining('net namespace') }]);
});

test('a text is that of pods that still stand so', () => {
  const { model } = modelAt();
  const interner = createPodInterner();
  const pid = podOf({ uid: uidOf(1), name: 'a', owner: DAEMON }, interner);
  const net = podOf({ uid: uidOf(2), name: 'b', owner: DAEMON }, interner);
  model.upsertPod(pid);
  model.upsertPod(net);
  model.setEvidence(
    evidenceOf({
      pods: [
        [uidOf(1), '--nium--'],
        [uidOf(2), '-p-ium--'],
      ],
    }),
  );
  model.removePod(pid);
  const found = namespaceSummary(model).findings?.find(({ rule }) => rule === 'undeclared-host-namespace');
  expect(found).toMatchObject({ pods: 1, message: expect.stringContaining('net namespace') });
});

test('a workload looks like most of its pods, however differently these stand', () => {
  const { model } = modelAt();
  const interner = createPodInterner();
  // Two private and two not seen against three of another template: four of seven have adopted.
  for (let number = 1; number <= 7; number++)
    model.upsertPod(
      podOf({ uid: uidOf(number), name: `p${number}`, owner: DAEMON, ...(number > 3 ? {} : PRIVATE) }, interner),
    );
  model.upsertPod(podOf({ uid: uidOf(8), name: 'p8', owner: DAEMON, ...PRIVATE }, interner));
  model.upsertPod(podOf({ uid: uidOf(9), name: 'p9', owner: DAEMON, ...PRIVATE, phase: 'Pending' }, interner));
  model.setEvidence(
    evidenceOf({
      pods: [
        [`${uidOf(1)} 0 65536 65536`, 'UpniumC-'],
        [`${uidOf(2)} 0 131072 65536`, 'UpniumC-'],
      ],
    }),
  );
  expect(namespaceSummary(model).workloads).toEqual({ adopted: 1, ready: 0, blocked: 0 });
});

test('pods that have ended say nothing of their workload', () => {
  const { model } = modelAt();
  model.upsertPod(podOf({ owner: DAEMON, phase: 'Succeeded' }));
  model.upsertPod(podOf({ uid: uidOf(2), name: 'b', owner: DAEMON, phase: 'Failed' }));
  expect(namespaceSummary(model)).toMatchObject({
    pods: { running: 0 },
    workloads: { adopted: 0, ready: 0, blocked: 0 },
    findings: [],
  });
  expect(namespaceSummary(model).adoptionPercent).toBeUndefined();
});

test('a text that is cut ends in no half of a character', () => {
  const { model } = modelAt();
  model.setNode('node-1');
  const message = `${'x'.repeat(1022)}\u{1F600}tail`;
  const rules = [{ rule: 'kernel-user-namespaces', severity: 'high', status: 'fail', message }];
  model.setSettings({
    policy: { profiles: [], exceptions: [], rules: [{ id: 'kernel-user-namespaces', severity: 'critical' }] },
  });
  model.setEvidence(evidenceOf({ status: { ...(auditObject()['status'] as object), rules } }));
  const [found] = clusterSummary(model).criticalFindings ?? [];
  expect(found?.message).toBe(`${'x'.repeat(1022)}…`);
  expect(found?.message.isWellFormed()).toBe(true);
});

const HOST_PATH = { volumes: [{ name: 'v', hostPath: { path: '/etc' } }] };
const gpu = { limits: { cpu: '1', 'nvidia.com/gpu': '1' } };

test.each<[string, ApiObject, standing: 'ready' | 'blocked', because: string]>([
  ['nothing special', {}, 'ready', ''],
  ['a device of a plugin', { containers: [{ ...QUIET, resources: gpu }] }, 'blocked', 'nvidia.com/gpu'],
  ['a device of an init container', { initContainers: [{ ...QUIET, resources: gpu }] }, 'blocked', 'nvidia.com/gpu'],
  ['a claimed device', { resourceClaims: [{ name: 'card' }] }, 'blocked', 'card'],
  ['huge pages', { volumes: [{ name: 'v', emptyDir: { medium: 'HugePages' } }] }, 'blocked', 'huge pages'],
  ['scratch space', { volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] }, 'ready', ''],
  ['a claim', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data-db-0' } }] }, 'blocked', 'data-db'],
  ['a share', { volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] }, 'blocked', 'NFS'],
  ['a driver', { volumes: [{ name: 'v', csi: { driver: 'nfs.csi.k8s.io' } }] }, 'blocked', 'NFS'],
  [
    'files of the node that it writes',
    { ...HOST_PATH, containers: [{ ...QUIET, volumeMounts: [{ name: 'v', mountPath: '/x' }] }] },
    'blocked',
    'writes to /etc',
  ],
  [
    'files of the node that it reads',
    { ...HOST_PATH, containers: [{ ...QUIET, volumeMounts: [{ name: 'v', mountPath: '/x', readOnly: true }] }] },
    'blocked',
    'reads /etc',
  ],
])('what keeps a live workload from adopting: %s', (_, spec, standing, because) => {
  const { model } = modelAt();
  model.upsertPod(podOf({ spec }));
  const { workloads, blockers = [] } = namespaceSummary(model);
  expect(workloads).toEqual({ adopted: 0, ready: 0, blocked: 0, [standing]: 1 });
  expect(blockers.map(({ reason }) => reason)).toEqual(
    standing === 'ready' ? [] : [expect.stringContaining(because) as unknown],
  );
});

test('the pods of a StatefulSet are of one shape', () => {
  const interner = createPodInterner();
  const shapes = [0, 1, 12].map((ordinal) => {
    const claim = { name: 'data', persistentVolumeClaim: { claimName: `data-db-${ordinal}` } };
    return podOf({ spec: { volumes: [claim] } }, interner).shape;
  });
  expect(new Set(shapes).size).toBe(1);
});
