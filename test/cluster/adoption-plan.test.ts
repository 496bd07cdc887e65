import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { AdoptionEvidence } from '../../src/cluster/adoption-evidence.ts';
import type { AdoptionObstacle } from '../../src/cluster/adoption-obstacles.ts';
import { type AdoptionStanding, countAdoption, judgeAdoption, planAdoption } from '../../src/cluster/adoption-plan.ts';
import { LATEST_KUBERNETES_VERSION } from '../../src/core/pod-user-namespace.ts';
import type { Workload } from '../../src/core/workload.ts';
import { MANIFEST_RULES } from '../../src/rules/index.ts';
import { workloadOf } from '../rules/workload-sample.ts';
import { adoptionFixtures, FIXTURES } from './adoption-fixtures.ts';

const ALL = adoptionFixtures();

function named(name: string): Workload {
  const found = ALL.find((workload) => workload.name === name);
  if (!found) throw new Error(`no fixture is called ${name}`);
  return found;
}

/** The effect, the cause and the text of the line it points at. */
type Expected = readonly [effect: AdoptionObstacle['effect'], cause: AdoptionObstacle['cause'], line: string];

/** Judged by hand from the manifests and the sources in docs/plan.md, the obstacle that decides first. */
const JUDGED: readonly (readonly [name: string, standing: AdoptionStanding, ...Expected[]])[] = [
  ['storefront', 'ready'],
  ['legacy-php', 'ready'],
  ['invoices', 'ready'],
  ['migrate', 'ready'],
  ['cert-operator', 'ready'],
  ['vpn-gateway', 'ready'],
  ['debug', 'ready'],
  ['recommender', 'ready'],
  ['ingress-behind-lb', 'ready'],
  ['secrets-from-vault', 'ready'],
  ['iscsi-archive', 'ready'],
  ['leftover-hostpath', 'ready'],
  ['adopted-api', 'adopted'],
  ['opted-out', 'change', ['change', 'host-users', 'hostUsers: true']],
  [
    'high-uid',
    'change',
    ['change', 'ids', 'runAsUser: 1000660000'],
    ['change', 'ids', 'supplementalGroups: [1000660001]'],
  ],
  [
    'high-uid-with-disk',
    'blocked',
    ['blocked', 'ids', 'runAsUser: 1000660000'],
    ['unknown', 'claim', 'claimName: app-data'],
  ],
  ['vault-agent', 'change', ['change', 'capability', 'add: [IPC_LOCK]']],
  ['image-builder', 'change', ['change', 'privileged', 'privileged: true']],
  ['nested-builder', 'change', ['change', 'capability', 'add: [CAP_SYS_ADMIN]']],
  ['postgres', 'unknown', ['unknown', 'claim', 'metadata: { name: data }']],
  ['queue', 'unknown', ['unknown', 'claim', 'metadata: { name: log }']],
  ['shared-media', 'unknown', ['unknown', 'claim', 'metadata: { name: media }']],
  ['wiki', 'unknown', ['unknown', 'claim', 'claimName: wiki-pages']],
  ['nfs-client-provisioner', 'blocked', ['blocked', 'volume', 'nfs: {']],
  ['reader-efs', 'blocked', ['blocked', 'volume', 'efs.csi.aws.com']],
  ['reader-ceph', 'blocked', ['blocked', 'volume', 'cephfs.csi.ceph.com']],
  ['odd-driver', 'unknown', ['unknown', 'claim', 'csi.vendor.example.org']],
  ['scratch-disk', 'unknown', ['unknown', 'claim', 'name: scratch']],
  ['raw-disk-db', 'blocked', ['blocked', 'block-device', 'volumeDevices:'], ['unknown', 'claim', 'claimName: raw']],
  ['gluster-reader', 'blocked', ['blocked', 'volume', 'glusterfs:']],
  ['azure-share', 'blocked', ['blocked', 'volume', 'azureFile:']],
  ['packet-processor', 'unknown', ['unknown', 'volume', 'medium: HugePages']],
  ['model-server', 'unknown', ['unknown', 'volume', 'image: { reference']],
  [
    'ebs-csi-node',
    'blocked',
    ['blocked', 'host-namespace', 'hostNetwork: true'],
    ['blocked', 'host-path', 'path: /var/lib/kubelet,'],
    ['blocked', 'host-path', 'path: /dev,'],
    ['change', 'privileged', 'privileged: true'],
  ],
  [
    'cni-agent',
    'blocked',
    ['blocked', 'host-namespace', 'hostNetwork: true'],
    ['blocked', 'host-path', 'path: /opt/cni/bin'],
    ['blocked', 'host-path', 'path: /sys/fs/bpf'],
    ['blocked', 'capability', 'SYS_MODULE'],
    ['unknown', 'host-path', 'path: /lib/modules'],
    ['change', 'privileged', 'privileged: true'],
    ['change', 'capability', 'BPF'],
  ],
  [
    'node-exporter',
    'blocked',
    ['blocked', 'host-namespace', 'hostPID: true'],
    ['blocked', 'host-namespace', 'hostNetwork: true'],
    ['blocked', 'host-path', 'path: /sys '],
    ['blocked', 'host-path', 'path: / '],
  ],
  ['log-shipper', 'unknown', ['unknown', 'host-path', 'path: /var/log']],
  [
    'log-shipper-with-offsets',
    'blocked',
    ['blocked', 'host-path', 'path: /var/lib/log-shipper'],
    ['unknown', 'host-path', 'path: /var/log'],
  ],
  [
    'kube-proxy',
    'blocked',
    ['blocked', 'host-namespace', 'hostNetwork: true'],
    ['blocked', 'host-path', '/run/xtables.lock'],
    ['change', 'privileged', 'privileged: true'],
  ],
  ['ingress', 'blocked', ['blocked', 'host-namespace', 'hostNetwork: true']],
  ['ci-runner', 'blocked', ['blocked', 'host-path', '/var/run/docker.sock']],
  ['shared-memory', 'blocked', ['blocked', 'host-namespace', 'hostIPC: true']],
  ['clock', 'blocked', ['blocked', 'capability', 'SYS_TIME']],
  [
    'runtime-detector',
    'blocked',
    ['blocked', 'host-namespace', 'hostPID: true'],
    ['blocked', 'host-path', 'path: /proc'],
    ['change', 'privileged', 'privileged: true'],
  ],
  ['train', 'blocked', ['blocked', 'device', 'nvidia.com/gpu: 2']],
  ['gpu-device-plugin', 'blocked', ['blocked', 'host-path', 'path: /var/lib/kubelet/device-plugins']],
  ['inference-dra', 'unknown', ['unknown', 'device', 'resourceClaimTemplateName: single-gpu']],
  ['licensed', 'unknown', ['unknown', 'device', 'example.org/license: 1']],
  ['sandboxed', 'unknown', ['unknown', 'runtime-class', 'runtimeClassName: gvisor']],
  ['in-a-machine', 'unknown', ['unknown', 'runtime-class', 'runtimeClassName: kata']],
  ['iis', 'not-applicable', ['blocked', 'windows', 'name: windows']],
  ['lint', 'unknown', ['unknown', 'pod-elsewhere', 'spec:']],
  ['contradiction', 'blocked', ['blocked', 'host-namespace', 'hostNetwork: true']],
];

describe('workloads judged by hand', () => {
  test('every fixture is judged', () => {
    expect(JUDGED.map(([name]) => name).toSorted()).toEqual(ALL.map(({ name }) => name).toSorted());
    expect(JUDGED.length).toBeGreaterThanOrEqual(40);
  });

  test.each(JUDGED)('%s is %s', (name, standing, ...expected) => {
    const workload = named(name);
    const judged = judgeAdoption(workload, LATEST_KUBERNETES_VERSION);
    expect(judged.standing).toBe(standing);
    const found = judged.obstacles.map(({ effect, cause }) => [effect, cause]);
    expect(found).toEqual(expected.map(([effect, cause]) => [effect, cause]));
    judged.obstacles.forEach(({ path, message, remedy, reference }, index) => {
      const { file, line } = workload.locate(path);
      const text = readFileSync(join(FIXTURES, file), 'utf8').split('\n')[line - 1];
      expect(text).toContain(expected[index]?.[2]);
      expect(message).not.toBe('');
      expect(remedy).toMatch(/\.$/);
      expect(reference).toMatch(/^https:\/\//);
    });
  });
});

describe('evidence', () => {
  const standing = (name: string, evidence: AdoptionEvidence): AdoptionStanding =>
    judgeAdoption(named(name), LATEST_KUBERNETES_VERSION, evidence).standing;

  test.each([
    ['ebs.csi.aws.com', 'ready'],
    ['ext4', 'ready'],
    ['xfs', 'ready'],
    ['nfs.csi.k8s.io', 'blocked'],
    ['nfs', 'blocked'],
    ['cifs', 'blocked'],
    ['ceph', 'blocked'],
    ['constructor', 'unknown'],
    ['driver.longhorn.io', 'unknown'],
  ])('a storage class by %s is %s', (driver, expected) => {
    expect(standing('postgres', { storageClasses: new Map([['fast', driver]]) })).toBe(expected);
    expect(standing('scratch-disk', { storageClasses: new Map([['fast', driver]]) })).toBe(expected);
    expect(standing('queue', { storageClasses: new Map([['', driver]]) })).toBe(expected);
    expect(standing('wiki', { claims: new Map([['data/wiki-pages', driver]]) })).toBe(expected);
    expect(standing('wiki', { claims: new Map([['/wiki-pages', driver]]) })).toBe(expected);
  });

  test('of another class, claim or namespace says nothing', () => {
    expect(standing('postgres', { storageClasses: new Map([['slow', 'ext4']]) })).toBe('unknown');
    expect(standing('wiki', { claims: new Map([['other/wiki-pages', 'ext4']]) })).toBe('unknown');
  });

  test.each([
    ['runc', undefined, 'ready'],
    ['crun', undefined, 'ready'],
    ['runsc', undefined, 'unknown'],
    ['runsc', true, 'ready'],
    ['runc', false, 'blocked'],
    ['kata-qemu', undefined, 'blocked'],
  ])('a runtime class by %s, userNamespaces %s, is %s', (handler, userNamespaces, expected) => {
    const known = { handler, ...(userNamespaces === undefined ? {} : { userNamespaces }) };
    expect(standing('sandboxed', { runtimeClasses: new Map([['gvisor', known]]) })).toBe(expected);
  });

  const node = (name: string, status: 'ready' | 'not-ready' | 'unknown', labels = {}): never[] | object => ({
    name,
    status,
    labels,
  });
  const on = (...nodes: unknown[]): AdoptionEvidence => ({ nodes: nodes as NonNullable<AdoptionEvidence['nodes']> });

  test.each([
    ['every node is ready', on(node('a', 'ready'), node('b', 'ready')), 'ready'],
    ['it may be put on a node that can not', on(node('a', 'not-ready'), node('b', 'ready')), 'change'],
    ['a node beside a ready one could not be judged', on(node('a', 'unknown'), node('b', 'ready')), 'ready'],
    ['no node is ready', on(node('a', 'not-ready')), 'blocked'],
    ['the only hope could not be judged', on(node('a', 'not-ready'), node('b', 'unknown')), 'unknown'],
    ['there is no node', on(), 'unknown'],
  ])('%s', (_, evidence, expected) => {
    expect(standing('storefront', evidence)).toBe(expected);
  });

  test('a DaemonSet needs every node, a nodeSelector leaves some', () => {
    const daemon = workloadOf({}, { kind: 'DaemonSet' });
    const evidence = on(
      node('a', 'ready', { disk: 'ssd' }),
      node('b', 'not-ready'),
      node('c', 'unknown', { disk: 'hdd' }),
    );
    const judge = (workload: Workload) => judgeAdoption(workload, LATEST_KUBERNETES_VERSION, evidence);
    expect(judge(daemon)).toMatchObject({ standing: 'blocked', hosts: { ready: 1, 'not-ready': 1, unknown: 1 } });
    const only = (disk: string): Workload => workloadOf({ nodeSelector: { disk } }, { kind: 'DaemonSet' });
    expect(judge(only('ssd'))).toMatchObject({ standing: 'ready', hosts: { ready: 1, 'not-ready': 0, unknown: 0 } });
    expect(judge(only('hdd')).standing).toBe('unknown');
    expect(judge(only('tape')).standing).toBe('unknown');
  });
});

describe('hostNetwork, by what nodes declare', () => {
  const declares = (word?: boolean, status: 'ready' | 'not-ready' | 'unknown' = 'ready') => ({
    name: 'n',
    status,
    ...(word === undefined ? {} : { declaresHostNetwork: word }),
  });
  type Nodes = NonNullable<AdoptionEvidence['nodes']>;
  const judge = (nodes: Nodes | undefined, kind = 'Deployment', spec: object = {}, minor = 36) => {
    const { standing, obstacles } = judgeAdoption(
      workloadOf({ hostNetwork: true, ...spec }, { kind }),
      { major: 1, minor },
      nodes ? { nodes } : {},
    );
    return [standing, obstacles.find(({ cause }) => cause === 'host-namespace')?.message] as const;
  };
  const TODAY = 'has hostNetwork: true, beside which the API server rejects hostUsers: false';

  test.each<[string, Nodes | undefined]>([
    ['nobody knows the nodes', undefined],
    ['there is none', []],
    ['none declares anything', [declares(), declares()]],
  ])('nothing is said where %s', (_, nodes) => {
    expect(judge(nodes)).toEqual(['blocked', TODAY]);
  });

  test.each<[string, Nodes, kind: string, standing: AdoptionStanding, told: string]>([
    ['one of several is enough', [declares(true), declares(false), declares()], 'Deployment', 'change', '1 of 3 nodes'],
    ['none is not', [declares(false), declares()], 'Deployment', 'blocked', '0 of 2 nodes'],
    ['a DaemonSet needs all', [declares(true), declares(true)], 'DaemonSet', 'change', '2 of 2 nodes'],
    ['and none may be silent', [declares(true), declares()], 'DaemonSet', 'blocked', '1 of 2 nodes'],
    ['a node that can not is none', [declares(true, 'not-ready')], 'Deployment', 'blocked', '0 of 1 nodes'],
    ['one that could not be judged is one', [declares(true, 'unknown')], 'Deployment', 'unknown', '1 of 1 nodes'],
  ])('%s', (_, nodes, kind, standing, told) => {
    const [judged, message] = judge(nodes, kind);
    expect(judged).toBe(standing);
    expect(message).toContain(`; ${told} it may run on declare`);
  });

  test('it is never ready, nor adopted, for the gate of the API server is not known', () => {
    expect(judge([declares(true)], 'Deployment', { hostUsers: false })).toEqual([
      'change',
      'combines hostNetwork: true with hostUsers: false: the API server rejects its pods, unless the alpha gate UserNamespacesHostNetworkSupport is on; 1 of 1 nodes it may run on declares UserNamespacesHostNetworkSupport',
    ]);
  });

  test('other host namespaces, and an API server without the gate, stay as they are', () => {
    expect(judge([declares(true)], 'Deployment', { hostPID: true })[0]).toBe('blocked');
    expect(judge([declares(true)], 'Deployment', {}, 34)).toEqual(['blocked', TODAY]);
  });
});

describe('the plan', () => {
  const plan = planAdoption(ALL, LATEST_KUBERNETES_VERSION);
  const steps = plan.workloads.filter(({ step }) => step !== undefined);

  test('goes by standing, then by blast radius', () => {
    expect(steps.map(({ workload }) => workload.name)).toEqual([
      'invoices',
      'migrate',
      'cert-operator',
      'ingress-behind-lb',
      'vpn-gateway',
      'legacy-php',
      'storefront',
      'debug',
      'recommender',
      'iscsi-archive',
      'secrets-from-vault',
      'leftover-hostpath',
      'high-uid',
      'opted-out',
      'image-builder',
      'nested-builder',
      'vault-agent',
    ]);
  });

  test.each([
    [
      'stateless before stateful',
      workloadOf({ volumes: [{ name: 'v', source: 'iscsi' }] }, { name: 'a' }),
      workloadOf({}, { name: 'b' }),
    ],
    [
      'a Deployment before a StatefulSet',
      workloadOf({}, { name: 'a', kind: 'StatefulSet' }),
      workloadOf({}, { name: 'b' }),
    ],
    [
      'a StatefulSet before a DaemonSet',
      workloadOf({}, { name: 'a', kind: 'DaemonSet' }),
      workloadOf({}, { name: 'b', kind: 'StatefulSet' }),
    ],
    [
      'system namespaces last',
      workloadOf({}, { name: 'a', namespace: 'kube-system' }),
      workloadOf({}, { name: 'b', kind: 'DaemonSet' }),
    ],
    ['by name where nothing else tells', workloadOf({}, { name: 'b' }), workloadOf({}, { name: 'a' })],
  ])('%s', (_, later, sooner) => {
    const order = planAdoption([later, sooner], LATEST_KUBERNETES_VERSION).workloads.map(({ workload }) => workload);
    expect(order).toEqual([sooner, later]);
  });

  test('tells the adoption after each step', () => {
    const counted = ALL.length - 2; // Windows, and the Tekton task, which is only a part of a pod.
    const shares = steps.map(({ adoptionAfter }) => adoptionAfter ?? Number.NaN);
    shares.forEach((share, index) => {
      expect(share).toBeCloseTo((1 + index + 1) / counted, 10);
    });
    expect(plan.adoption?.now).toBeCloseTo(1 / counted, 10);
    expect(plan.adoption?.withChanges).toBeCloseTo(shares.at(-1) ?? 0, 10);
    expect(plan.totals).toMatchObject({ adopted: 1, ready: 12, change: 5, 'not-applicable': 1 });
  });

  test('weighs by pods where they are known', () => {
    const big = workloadOf({}, { name: 'big' });
    const small = workloadOf({ hostUsers: false }, { name: 'small' });
    const { adoption } = planAdoption([big, small], LATEST_KUBERNETES_VERSION, {
      podsOf: ({ name }) => (name === 'big' ? 9 : 1),
    });
    expect(adoption).toEqual({ now: 0.1, withReady: 1, withChanges: 1 });
  });

  test('of nothing has no adoption, and of an old cluster no step', () => {
    expect(planAdoption([], LATEST_KUBERNETES_VERSION)).toMatchObject({ workloads: [], totals: { ready: 0 } });
    expect(planAdoption([], LATEST_KUBERNETES_VERSION).adoption).toBeUndefined();
    const old = planAdoption(ALL, { major: 1, minor: 32 });
    expect(old.workloads.filter(({ step }) => step !== undefined)).toEqual([]);
    expect(old.totals).toMatchObject({ ready: 0, change: 0, unknown: 0, adopted: 0 });
    const raw = judgeAdoption(named('raw-disk-db'), { major: 1, minor: 34 });
    expect(raw.obstacles[0]).toMatchObject({ effect: 'blocked', cause: 'block-device' });
  });

  test('agrees with what a scan sums up', () => {
    const { ready, blocked, unknown = 0, adopted } = countAdoption(ALL, LATEST_KUBERNETES_VERSION);
    expect({ ready, blocked, unknown, adopted }).toEqual({
      ready: plan.totals.ready,
      blocked: plan.totals.blocked + plan.totals.change,
      unknown: plan.totals.unknown - 1, // the Tekton task
      adopted: plan.totals.adopted,
    });
  });

  test('what is ready breaks no rule over user-namespaced pods once it has the line', () => {
    const rules = MANIFEST_RULES.filter(({ id }) =>
      ['user-namespace-conflict', 'user-namespace-ids', 'user-namespace-volumes'].includes(id),
    );
    expect(rules).toHaveLength(3);
    for (const { workload, standing } of plan.workloads) {
      if (standing !== 'ready') continue;
      const adopted = { ...workload, podSpec: { ...workload.podSpec, hostUsers: false } };
      for (const rule of rules) {
        if (rule.kind !== 'workload') continue;
        expect([...rule.check(adopted, LATEST_KUBERNETES_VERSION)]).toEqual([]);
      }
    }
  });
});
