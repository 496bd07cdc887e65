import { describe, expect, test } from '@jest/globals';
import { hostIpcNamespace } from '../../src/rules/host-ipc-namespace.ts';
import { hostNetworkNamespace } from '../../src/rules/host-network-namespace.ts';
import { hostPidNamespace } from '../../src/rules/host-pid-namespace.ts';
import { MANIFEST_RULES } from '../../src/rules/index.ts';
import { NODE_CAPABILITIES, privilegedInHostUserNamespace } from '../../src/rules/privileged-in-host-user-namespace.ts';
import { rootInHostUserNamespace } from '../../src/rules/root-in-host-user-namespace.ts';
import { sccHostNamespaces } from '../../src/rules/scc-host-namespaces.ts';
import { sccUserNamespaceLevel } from '../../src/rules/scc-user-namespace-level.ts';
import { unmaskedProcMount } from '../../src/rules/unmasked-proc-mount.ts';
import { userNamespaceConflict } from '../../src/rules/user-namespace-conflict.ts';
import { userNamespaceIds } from '../../src/rules/user-namespace-ids.ts';
import { userNamespaceVolumes } from '../../src/rules/user-namespace-volumes.ts';
import { userNamespace } from '../../src/rules/user-namespace.ts';
import type { SccRule, WorkloadRule } from '../../src/core/rule.ts';
import type { SecurityContextConstraints, Workload } from '../../src/core/workload.ts';
import { containerOf, pathsOf, serviceOf, violationsOf, workloadOf } from './workload-sample.ts';

const in134 = { major: 1, minor: 34 };
const in132 = { major: 1, minor: 32 };

function manifestRule(id: string): WorkloadRule {
  const found = MANIFEST_RULES.find((rule) => rule.id === id);
  if (found?.kind !== 'workload') throw new Error(`${id} judges no workloads`);
  return found;
}

describe('host namespaces', () => {
  test.each([
    [hostPidNamespace, 'hostPID'],
    [hostIpcNamespace, 'hostIPC'],
    [hostNetworkNamespace, 'hostNetwork'],
  ] as const)('%s', (rule, field) => {
    expect(pathsOf(rule, workloadOf({ [field]: true }))).toEqual([field]);
    expect(pathsOf(rule, workloadOf({ [field]: false }))).toEqual([]);
    expect(pathsOf(rule, workloadOf())).toEqual([]);
    expect(pathsOf(rule, workloadOf({ [field]: true, osName: 'windows' }))).toEqual([]);
    expect(pathsOf(rule, serviceOf({ [field]: true }))).toEqual([field]);
  });

  test('the host network brings the UTS namespace along in Kubernetes, which the message says', () => {
    const [kubernetes] = violationsOf(hostNetworkNamespace, workloadOf({ hostNetwork: true }));
    expect(kubernetes?.message).toMatch(/not on CRI-O.*UTS namespace/);
    const [docker] = violationsOf(hostNetworkNamespace, serviceOf({ hostNetwork: true }));
    expect(docker?.message).toBe("shares the host's network namespace");
  });

  test('host-uts-namespace judges what a Compose file declares, besides what the kernel shows', () => {
    expect(pathsOf(manifestRule('host-uts-namespace'), serviceOf({ hostUTS: true }))).toEqual(['hostUTS']);
    expect(pathsOf(manifestRule('host-uts-namespace'), serviceOf())).toEqual([]);
  });
});

describe('user-namespace', () => {
  test('asks for hostUsers: false', () => {
    expect(pathsOf(userNamespace, workloadOf({ hostUsers: false }))).toEqual([]);
    expect(pathsOf(userNamespace, workloadOf({ hostUsers: true }))).toEqual(['hostUsers']);
    expect(pathsOf(userNamespace, workloadOf())).toEqual(['hostUsers']);
  });

  test('is silent where the field is not on by default, and for Windows', () => {
    expect(pathsOf(userNamespace, workloadOf(), in132)).toEqual([]);
    expect(pathsOf(userNamespace, workloadOf(), { major: 1, minor: 33 })).toEqual(['hostUsers']);
    expect(pathsOf(userNamespace, workloadOf({ osName: 'windows' }))).toEqual([]);
  });

  test('says what has to go first', () => {
    const [violation] = violationsOf(userNamespace, workloadOf({ hostPID: true, hostNetwork: true }));
    expect(violation?.fix).toBe('Drop hostPID: true and hostNetwork: true, then add hostUsers: false.');
  });

  test('of a Compose service judges only that it refuses the remapping', () => {
    expect(pathsOf(userNamespace, serviceOf())).toEqual([]);
    expect(pathsOf(userNamespace, serviceOf({ hostUsers: true }))).toEqual(['hostUsers']);
  });
});

describe('root-in-host-user-namespace', () => {
  const root = containerOf('app', { runAsUser: 0 });

  test('tells root from maybe root', () => {
    const explicit = violationsOf(rootInHostUserNamespace, workloadOf({ containers: [root] }));
    expect(explicit).toMatchObject([{ path: ['containers', 0, 'securityContext', 'runAsUser'] }]);
    expect(explicit[0]).not.toHaveProperty('severity');
    const undecided = violationsOf(rootInHostUserNamespace, workloadOf());
    expect(undecided).toMatchObject([{ path: ['securityContext', 'runAsNonRoot'], severity: 'low' }]);
    expect(undecided[0]?.message).toContain('container app runs');
  });

  test('names inherited root once, at the pod', () => {
    const podSpec = { securityContext: { runAsUser: 0 }, initContainers: [containerOf('init')] };
    const violations = violationsOf(rootInHostUserNamespace, workloadOf(podSpec));
    expect(violations).toMatchObject([{ path: ['securityContext', 'runAsUser'] }]);
    expect(violations[0]?.message).toContain('containers init and app run');
  });

  test.each([
    ['a uid above 0', { containers: [containerOf('app', { runAsUser: 1000 })] }],
    ['the uid of the pod', { securityContext: { runAsUser: 1000 } }],
    ['runAsNonRoot, which the kubelet enforces even against the image', { securityContext: { runAsNonRoot: true } }],
    [
      'runAsNonRoot against runAsUser 0: the container never starts',
      { containers: [containerOf('app', { runAsUser: 0, runAsNonRoot: true })] },
    ],
    ['a user namespace', { hostUsers: false, containers: [root] }],
    ['Windows', { osName: 'windows', containers: [root] }],
  ])('accepts %s', (_, podSpec) => {
    expect(pathsOf(rootInHostUserNamespace, workloadOf(podSpec))).toEqual([]);
  });

  test('the container overrides the pod', () => {
    const podSpec = { securityContext: { runAsNonRoot: true, runAsUser: 1000 } };
    const container = containerOf('app', { runAsUser: 0, runAsNonRoot: false });
    expect(pathsOf(rootInHostUserNamespace, workloadOf({ ...podSpec, containers: [container] }))).toHaveLength(1);
  });

  test('does not rely on hostUsers: false where it may not be in force', () => {
    const [violation] = violationsOf(
      rootInHostUserNamespace,
      workloadOf({ hostUsers: false, containers: [root] }),
      in132,
    );
    expect(violation?.message).toContain('not surely in force in Kubernetes 1.32');
    expect(pathsOf(rootInHostUserNamespace, workloadOf({ hostUsers: false, containers: [root] }), in134)).toEqual([]);
  });

  test('under Pod Security Restricted asks as its admission does', () => {
    const restricted = { podSecurity: 'restricted' as const };
    const isolated = workloadOf({ hostUsers: false, containers: [root] });
    expect(pathsOf(rootInHostUserNamespace, isolated, { ...restricted, minor: 34 })).toEqual([
      'containers[0].securityContext.runAsUser',
      'securityContext.runAsNonRoot',
    ]);
    expect(pathsOf(rootInHostUserNamespace, isolated, { ...restricted, minor: 35 })).toEqual([]);
    const byUid = workloadOf({ securityContext: { runAsUser: 1000 } });
    expect(violationsOf(rootInHostUserNamespace, byUid, restricted)).toMatchObject([
      { path: ['securityContext', 'runAsNonRoot'] },
    ]);
    const refused = workloadOf({ securityContext: { runAsNonRoot: true, runAsUser: 0 } });
    expect(pathsOf(rootInHostUserNamespace, refused, restricted)).toEqual(['securityContext.runAsUser']);
    expect(pathsOf(rootInHostUserNamespace, refused, { ...restricted, minor: 22 })).toEqual([]);
    const windows = workloadOf({ osName: 'windows', hostNetwork: true });
    expect(pathsOf(rootInHostUserNamespace, windows, restricted)).toEqual(['securityContext.runAsNonRoot']);
    expect(pathsOf(hostNetworkNamespace, windows, { podSecurity: 'baseline' })).toEqual(['hostNetwork']);
    expect(pathsOf(hostNetworkNamespace, windows)).toEqual([]);
    const allowed = workloadOf({
      securityContext: { runAsNonRoot: false },
      containers: [containerOf('app', { runAsNonRoot: true })],
    });
    expect(pathsOf(rootInHostUserNamespace, allowed, restricted)).toEqual(['securityContext.runAsNonRoot']);
  });
});

describe('privileged-in-host-user-namespace', () => {
  test.each(['initContainers', 'containers', 'ephemeralContainers'] as const)('looks into %s', (list) => {
    const podSpec = { containers: [containerOf('app')], [list]: [containerOf('bad', { privileged: true })] };
    expect(pathsOf(privilegedInHostUserNamespace, workloadOf(podSpec))).toEqual([
      `${list}[0].securityContext.privileged`,
    ]);
  });

  test.each(Object.keys(NODE_CAPABILITIES))('knows %s in every spelling', (name) => {
    for (const written of [name, `CAP_${name}`, name.toLowerCase()])
      expect(
        pathsOf(
          privilegedInHostUserNamespace,
          workloadOf({ containers: [containerOf('app', { capabilities: { add: ['NET_BIND_SERVICE', written] } })] }),
        ),
      ).toEqual(['containers[0].securityContext.capabilities.add[1]']);
  });

  test('accepts what ends at the pod', () => {
    const podSpec = {
      containers: [containerOf('app', { privileged: false, capabilities: { add: ['NET_ADMIN', 'constructor'] } })],
    };
    expect(pathsOf(privilegedInHostUserNamespace, workloadOf(podSpec))).toEqual([]);
    const isolated = { hostUsers: false, containers: [containerOf('app', { privileged: true })] };
    expect(pathsOf(privilegedInHostUserNamespace, workloadOf(isolated))).toEqual([]);
    expect(pathsOf(privilegedInHostUserNamespace, workloadOf(isolated), in132)).toHaveLength(1);
  });

  test('says privileged once, whatever capabilities stand beside it', () => {
    const podSpec = { containers: [containerOf('app', { privileged: true, capabilities: { add: ['ALL'] } })] };
    expect(pathsOf(privilegedInHostUserNamespace, workloadOf(podSpec))).toEqual([
      'containers[0].securityContext.privileged',
    ]);
  });
});

describe('user-namespace-conflict', () => {
  test.each(['hostPID', 'hostIPC', 'hostNetwork'] as const)('%s since 1.25', (field) => {
    const workload = workloadOf({ hostUsers: false, [field]: true });
    expect(pathsOf(userNamespaceConflict, workload)).toEqual([field]);
    expect(pathsOf(userNamespaceConflict, workload, { major: 1, minor: 24 })).toEqual([]);
    expect(pathsOf(userNamespaceConflict, workloadOf({ [field]: true }))).toEqual([]);
    expect(pathsOf(userNamespaceConflict, workloadOf({ hostUsers: true, [field]: true }))).toEqual([]);
  });

  test('names the alpha gate for the host network where there is one', () => {
    const workload = workloadOf({ hostUsers: false, hostNetwork: true });
    expect(violationsOf(userNamespaceConflict, workload)[0]?.message).toContain('UserNamespacesHostNetworkSupport');
    expect(violationsOf(userNamespaceConflict, workload, in134)[0]?.message).not.toContain('gate');
  });

  test('volumeDevices since 1.35, in every list of containers', () => {
    const bad = { ...containerOf('bad'), volumeDevices: [{ name: 'disk', devicePath: '/dev/xvda' }] };
    const workload = workloadOf({ hostUsers: false, initContainers: [bad], containers: [containerOf('app'), bad] });
    expect(pathsOf(userNamespaceConflict, workload)).toEqual([
      'initContainers[0].volumeDevices',
      'containers[1].volumeDevices',
    ]);
    expect(pathsOf(userNamespaceConflict, workload, in134)).toEqual([]);
  });

  test('Windows pods must not set hostUsers', () => {
    expect(pathsOf(userNamespaceConflict, workloadOf({ osName: 'windows', hostUsers: true }))).toEqual(['hostUsers']);
    expect(pathsOf(userNamespaceConflict, workloadOf({ osName: 'windows' }))).toEqual([]);
    expect(pathsOf(userNamespaceConflict, workloadOf({ osName: 'linux', hostUsers: true }))).toEqual([]);
  });
});

describe('unmasked-proc-mount', () => {
  const unmasked = { containers: [containerOf('app', { procMount: 'Unmasked' })] };
  const path = ['containers[0].securityContext.procMount'];

  test('only with hostUsers: false', () => {
    expect(pathsOf(unmaskedProcMount, workloadOf(unmasked))).toEqual(path);
    expect(pathsOf(unmaskedProcMount, workloadOf({ ...unmasked, hostUsers: false }))).toEqual([]);
    expect(
      pathsOf(unmaskedProcMount, workloadOf({ containers: [containerOf('app', { procMount: 'Default' })] })),
    ).toEqual([]);
  });

  test.each([
    ['baseline', 34, path],
    ['baseline', 35, []],
    ['restricted', 35, path],
  ] as const)('under Pod Security %s in 1.%i', (podSecurity, minor, expected) => {
    const workload = workloadOf({ ...unmasked, hostUsers: false });
    expect(pathsOf(unmaskedProcMount, workload, { podSecurity, minor })).toEqual(expected);
  });
});

describe('user-namespace-ids', () => {
  test('every id above 65535, the pod’s only where a container inherits it', () => {
    const workload = workloadOf({
      hostUsers: false,
      securityContext: {
        runAsUser: 70_000,
        runAsGroup: 65_536,
        fsGroup: 65_535,
        supplementalGroups: [0, 1_000_660_000],
      },
      initContainers: [containerOf('init', { runAsUser: 1000, runAsGroup: 100_000 })],
      containers: [containerOf('app', { runAsUser: 2000 })],
    });
    expect(pathsOf(userNamespaceIds, workload)).toEqual([
      'securityContext.runAsGroup',
      'initContainers[0].securityContext.runAsGroup',
      'securityContext.supplementalGroups[1]',
    ]);
    expect(violationsOf(userNamespaceIds, workload).at(-1)?.message).toContain('sets supplementalGroups 1000660000');
  });

  test('only with hostUsers: false', () => {
    expect(pathsOf(userNamespaceIds, workloadOf({ securityContext: { runAsUser: 70_000 } }))).toEqual([]);
  });
});

describe('user-namespace-volumes', () => {
  test.each([
    ['nfs', undefined, true],
    ['cephfs', undefined, true],
    ['glusterfs', undefined, true],
    ['azureFile', undefined, true],
    ['csi', 'efs.csi.aws.com', true],
    ['csi', 'openshift-storage.cephfs.csi.ceph.com', true],
    ['csi', 'openshift-storage.rbd.csi.ceph.com', false],
    ['csi', 'secrets-store.csi.k8s.io', false],
    ['csi', 'notnfs.csi.k8s.io', false],
    ['csi', undefined, false],
    ['iscsi', undefined, false],
    ['rbd', undefined, false],
    ['emptyDir', undefined, false],
    ['persistentVolumeClaim', undefined, false],
    ['toString', undefined, false],
    [undefined, undefined, false],
  ])('%s %s', (source, driver, broken) => {
    const volumes = [
      { name: 'tmp', source: 'emptyDir' },
      { name: 'data', source, ...(driver ? { driver } : {}) },
    ];
    expect(pathsOf(userNamespaceVolumes, workloadOf({ hostUsers: false, volumes }))).toEqual(
      broken ? ['volumes[1]'] : [],
    );
    expect(pathsOf(userNamespaceVolumes, workloadOf({ volumes }))).toEqual([]);
  });
});

describe('SecurityContextConstraints', () => {
  const sccOf = (fields: Partial<SecurityContextConstraints>): SecurityContextConstraints => ({
    name: 'custom',
    fieldName: (path) => path.join('.'),
    locate: () => ({ file: 'scc.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 }),
    ...fields,
  });
  const brokenBy = (rule: SccRule, fields: Partial<SecurityContextConstraints>): readonly string[] =>
    Array.from(rule.check(sccOf(fields)), ({ path }) => path.join('.'));

  test('scc-host-namespaces', () => {
    const all = { allowHostPID: true, allowHostIPC: true, allowHostNetwork: true };
    expect(brokenBy(sccHostNamespaces, all)).toEqual(['allowHostPID', 'allowHostIPC', 'allowHostNetwork']);
    expect(brokenBy(sccHostNamespaces, { ...all, name: 'privileged' })).toEqual([]);
    expect(brokenBy(sccHostNamespaces, { allowHostPID: false })).toEqual([]);
  });

  test('scc-user-namespace-level', () => {
    expect(brokenBy(sccUserNamespaceLevel, {})).toEqual(['userNamespaceLevel']);
    expect(brokenBy(sccUserNamespaceLevel, { userNamespaceLevel: 'AllowHostLevel' })).toEqual(['userNamespaceLevel']);
    expect(brokenBy(sccUserNamespaceLevel, { userNamespaceLevel: 'RequirePodLevel' })).toEqual([]);
    expect(brokenBy(sccUserNamespaceLevel, { name: 'restricted-v2' })).toEqual([]);
    expect(brokenBy(sccUserNamespaceLevel, { allowHostNetwork: true })).toEqual([]);
  });
});

test('what a pod made by another object leaves unsaid is not held against it', () => {
  const step = (securityContext: object = {}, podSpec: object = {}): Workload =>
    workloadOf({ containers: [containerOf('step', securityContext)], ...podSpec }, { containersOnly: true });
  expect(pathsOf(userNamespace, step())).toEqual([]);
  expect(pathsOf(userNamespace, step({}, { hostUsers: true }))).toEqual(['hostUsers']);
  expect(pathsOf(rootInHostUserNamespace, step())).toEqual([]);
  expect(pathsOf(rootInHostUserNamespace, step(), { podSecurity: 'restricted' })).toEqual([]);
  expect(pathsOf(rootInHostUserNamespace, step({ runAsUser: 0 }))).toEqual(['containers[0].securityContext.runAsUser']);
  expect(pathsOf(privilegedInHostUserNamespace, step({ privileged: true }))).toHaveLength(1);
});

test('no fix tells to add hostUsers: false where the API server would reject it', () => {
  const containers = [containerOf('app', { privileged: true, procMount: 'Unmasked', capabilities: { add: ['ALL'] } })];
  const rules = [privilegedInHostUserNamespace, rootInHostUserNamespace, unmaskedProcMount];
  const fixesOf = (podSpec: object): readonly string[] =>
    rules
      .flatMap((rule) => violationsOf(rule, workloadOf({ containers, ...podSpec }), in132))
      .map(({ fix }) => fix ?? '');
  for (const fix of fixesOf({})) expect(fix).toContain('dd hostUsers: false');
  for (const fix of [...fixesOf({ hostPID: true }), ...fixesOf({ hostUsers: false })]) {
    expect(fix).toMatch(/^(?:Drop|Set) .*\.$/);
    expect(fix).not.toContain('hostUsers');
  }
});
