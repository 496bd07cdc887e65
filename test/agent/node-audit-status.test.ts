// What the agent reports of a node: expected by hand from the files of the node.
import { join } from 'node:path';
import type { NodeFacts } from '../../src/core/facts.ts';
import { createHostFs } from '../../src/host/host-fs.ts';
import { createProcFs } from '../../src/host/procfs.ts';
import { collectFacts } from '../../src/probes/collect.ts';
import { createNodeAuditStatus, type NodeAuditContent } from '../../src/report/node-audit-status.ts';
import { factsOf, type HostTreeSpec, makeHostTree, type ProcessSpec } from '../support/host-tree.ts';

const POD = '11111111-2222-3333-4444-555555555555';
const OTHER_POD = '66666666-7777-8888-9999-aaaaaaaaaaaa';
const STATIC_POD = '0123456789abcdef0123456789abcdef';

function id(digits: string): string {
  return digits.repeat(32);
}

function inPod(pod: string, digits: string, spec: ProcessSpec = {}): ProcessSpec {
  return { cgroup: `/kubepods/burstable/pod${pod}/${id(digits)}`, ns: {}, ...spec };
}

function inDocker(digits: string, spec: ProcessSpec = {}): ProcessSpec {
  return { cgroup: `/system.slice/docker-${id(digits)}.scope`, ns: {}, ...spec };
}

const PRIVATE: ProcessSpec = { ns: { user: 4026540001 }, uidMap: '0 131072 65536' };

const KUBELET = { module: 'k8s.io/kubernetes', version: 'v1.36.1' };
const CONTAINERD = { module: 'github.com/containerd/containerd/v2', version: 'v2.1.4' };

const KUBERNETES: HostTreeSpec = {
  kernel: '6.12.9',
  sysctls: { 'user.max_user_namespaces': 31000 },
  files: {
    '/etc/os-release': 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
    '/boot/config-6.12.9': '# Linux/x86 6.12.9 Kernel Configuration\nCONFIG_USER_NS=y\n',
    '/var/lib/kubelet/config.yaml': 'kind: KubeletConfiguration\nuserNamespaces: { idsPerPod: 131072 }\n',
  },
  programs: { '/usr/bin/kubelet': KUBELET, '/usr/bin/containerd': CONTAINERD },
};

const DAEMONS: Readonly<Record<number, ProcessSpec>> = {
  50: { cmdline: '/usr/bin/kubelet --config /var/lib/kubelet/config.yaml', cgroup: '/system.slice/kubelet.service' },
  51: { cmdline: '/usr/bin/containerd', cgroup: '/system.slice/containerd.service' },
};

function nodeWith(processes: Readonly<Record<number, ProcessSpec>>, more: HostTreeSpec = {}): NodeFacts {
  const programs = { '/proc/50/exe': KUBELET, '/proc/51/exe': CONTAINERD };
  return factsOf({ ...KUBERNETES, programs, ...more, processes: { ...DAEMONS, ...processes } });
}

function contentOf(facts: NodeFacts): NodeAuditContent {
  return createNodeAuditStatus(facts, '1.2.3').content;
}

function conditionOf(facts: NodeFacts, type: string) {
  return createNodeAuditStatus(facts, '1.2.3').conditions.find((condition) => condition.type === type);
}

describe('the pods of a node', () => {
  test('stand in groups by their least isolated container, those with host namespaces first', () => {
    const facts = nodeWith({
      100: inPod(POD, 'a1', PRIVATE),
      101: inPod(POD, 'a2', PRIVATE),
      110: inPod(OTHER_POD, 'b1', { ns: { pid: 'host' } }),
      111: inPod(OTHER_POD, 'b2', { ns: { net: 'host' } }),
      120: inPod(STATIC_POD, 'c1', { ns: { net: 'host', pid: 'host', ipc: 'host', uts: 'host' } }),
    });
    expect(contentOf(facts).podGroups).toEqual([
      { namespaces: '-----m--', pods: [STATIC_POD] },
      { namespaces: '---ium--', pods: [OTHER_POD] },
      { namespaces: 'Upnium--', pods: [`${POD} 131072`] },
    ]);
    expect(contentOf(facts).totals).toEqual({
      containers: 5,
      pods: 3,
      privatePods: 1,
      hostPods: 2,
      unknownPods: 0,
      unmanagedContainers: 0,
    });
  });

  test('a map of another size than the usual is told whole', () => {
    const facts = nodeWith({ 100: inPod(POD, 'a1', { ...PRIVATE, uidMap: '0 131072 131072' }) });
    expect(contentOf(facts).podGroups?.[0]?.pods).toEqual([`${POD} 0 131072 131072`]);
  });

  test('a gid_map is named where it differs', () => {
    const facts = nodeWith({ 100: inPod(POD, 'a1', { ...PRIVATE, gidMap: '0 200000 65536' }) });
    expect(contentOf(facts).podGroups?.[0]?.pods).toEqual([`${POD} 0 131072 65536 gid 0 200000 65536`]);
  });

  test('whose containers have different maps show the lines of all of them', () => {
    const facts = nodeWith({
      100: inPod(POD, 'a1', PRIVATE),
      101: inPod(POD, 'a2', { ns: { user: 4026540002 }, uidMap: '0 0 65536' }),
    });
    expect(contentOf(facts).podGroups?.[0]?.pods).toEqual([`${POD} 0 0 65536, 0 131072 65536`]);
  });

  test('one container in the host user namespace makes the pod one of the host, and no map is claimed for it', () => {
    const facts = nodeWith({ 100: inPod(POD, 'a1', PRIVATE), 101: inPod(POD, 'a2') });
    expect(contentOf(facts).podGroups).toEqual([{ namespaces: '-pnium--', pods: [POD] }]);
  });

  test('a namespace that could not be seen is a question mark and never one of its own', () => {
    const facts = nodeWith(
      { 100: inPod(POD, 'a1', PRIVATE) },
      { denied: ['/proc/100/ns/*', '/proc/1/ns/*', '/proc/2/ns/*'] },
    );
    expect(contentOf(facts)).toMatchObject({
      agent: { evidence: 'basic' },
      podGroups: [{ namespaces: 'Upn?????', pods: [`${POD} 131072`] }],
    });
    expect(conditionOf(facts, 'EvidenceComplete')).toMatchObject({ status: 'False', reason: 'LimitedSight' });
  });

  test('in a sandbox stand apart and count neither as private nor as of the host', () => {
    const facts = nodeWith({
      100: inPod(POD, 'a1', { cmdline: 'runsc-sandbox --root=/run/runsc boot', ppid: 99 }),
      99: {
        cmdline: '/usr/bin/containerd-shim-runsc-v1 -namespace k8s.io',
        cgroup: '/system.slice/containerd.service',
      },
    });
    expect(contentOf(facts)).toMatchObject({
      totals: { pods: 1, privatePods: 0, hostPods: 0, unknownPods: 1 },
      podGroups: [{ sandbox: 'gvisor', pods: [POD] }],
    });
  });

  test('what exited and what runs inside another container is left out', () => {
    const facts = nodeWith({
      100: inPod(POD, 'a1', { state: 'Z' }),
      110: inDocker('d1'),
      111: { cgroup: `/system.slice/docker-${id('d1')}.scope/kubelet/kubepods/pod${OTHER_POD}/${id('e1')}`, ns: {} },
    });
    expect(contentOf(facts)).toMatchObject({
      totals: { containers: 1, pods: 0, unmanagedContainers: 1 },
      podGroups: [],
      unmanaged: [{ id: id('d1'), runtime: 'docker', namespaces: '-pnium--', status: 'fail' }],
    });
  });

  test('a map with more lines than an entry holds is cut at a line, and that is said', () => {
    const lines = Array.from({ length: 40 }, (_, line) => `${line} ${200_000 + line} 1`);
    const facts = nodeWith({ 100: inPod(POD, 'a1', { ...PRIVATE, uidMap: lines.join(',') }) });
    const [entry = ''] = contentOf(facts).podGroups?.[0]?.pods ?? [];
    expect(entry.length).toBeLessThanOrEqual(512);
    expect(entry).toMatch(/^[0-9a-f-]{36}( [0-9]+ [0-9]+ [0-9]+(, [0-9]+ [0-9]+ [0-9]+)*( gid .*)?)?$/);
    expect(conditionOf(facts, 'Truncated')).toMatchObject({ status: 'True', reason: 'TooMany' });
  });
});

describe('containers outside Kubernetes', () => {
  test('those in host namespaces come first, and of too many the totals still tell', () => {
    const sharing = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [
        200 + index,
        { ...inDocker('00'), cgroup: `/system.slice/docker-${String(index).padStart(64, '0')}.scope` },
      ]),
    );
    const facts = nodeWith({ ...sharing, 190: inDocker('ff', PRIVATE) });
    const content = contentOf(facts);
    expect(content.totals?.unmanagedContainers).toBe(61);
    expect(content.unmanaged).toHaveLength(50);
    expect(new Set(content.unmanaged?.map(({ status }) => status))).toEqual(new Set(['fail']));
    expect(conditionOf(facts, 'Truncated')?.status).toBe('True');
  });

  test('a cgroup that takes the id of an isolated container does not hide what it does', () => {
    const facts = nodeWith({
      100: inDocker('d1', PRIVATE),
      101: { cgroup: `/elsewhere/docker-${id('d1')}.scope`, ns: { net: 'host' } },
    });
    expect(contentOf(facts).unmanaged?.map(({ status }) => status)).toEqual(['fail', 'fail']);
  });
});

describe('the node', () => {
  test('is described by its own files', () => {
    const facts = nodeWith({});
    expect(contentOf(facts).agent).toEqual({ version: '1.2.3', evidence: 'full' });
    expect(contentOf(facts).system).toEqual({
      osImage: 'Debian GNU/Linux 13 (trixie)',
      kernelRelease: '6.12.9',
      userNamespaces: 'y',
      maxUserNamespaces: 31000,
      engine: 'Kubernetes',
      runtime: 'containerd 2.1.4',
      kubeletVersion: '1.36.1',
      idsPerPod: 131072,
    });
    expect(contentOf(facts).readiness).toEqual({ status: 'Ready', reasons: [] });
    expect(conditionOf(facts, 'UserNamespacesReady')).toMatchObject({ status: 'True', reason: 'Ready' });
    expect(conditionOf(facts, 'Truncated')).toBeUndefined();
  });

  test('that is not ready says by which rule, in words a program reads and in those a person reads', () => {
    const facts = nodeWith({}, { sysctls: { 'user.max_user_namespaces': 0 } });
    expect(contentOf(facts).readiness).toEqual({ status: 'NotReady', reasons: ['user-namespace-limit'] });
    expect(conditionOf(facts, 'UserNamespacesReady')).toEqual({
      type: 'UserNamespacesReady',
      status: 'False',
      reason: 'UserNamespaceLimit',
      message: 'user-namespace-limit: user.max_user_namespaces is 0: no user namespace can be created',
    });
  });

  test('texts with control characters and of any length fit what the API server takes', () => {
    const name = `evil\u001b[2J\u202e${'x'.repeat(4000)}`;
    const facts = nodeWith({}, { files: { ...KUBERNETES.files, '/etc/os-release': `PRETTY_NAME="${name}"\n` } });
    const { osImage = '' } = contentOf(facts).system ?? {};
    expect(osImage).toMatch(/^evil \[2J x+$/);
    expect(osImage).toHaveLength(256);
  });

  test('a fix of several lines stays one', () => {
    const facts = nodeWith(
      {},
      {
        files: { ...KUBERNETES.files, '/etc/os-release': 'ID=talos\n' },
        sysctls: { 'user.max_user_namespaces': 0 },
      },
    );
    const fix = contentOf(facts).rules?.find(({ rule }) => rule === 'user-namespace-limit')?.fix;
    expect(fix?.split('\n')).toHaveLength(4);
  });

  test('two audits are equal byte by byte though every process has another pid', () => {
    const shifted = (by: number): NodeAuditContent =>
      contentOf(
        factsOf({
          ...KUBERNETES,
          programs: { [`/proc/${50 + by}/exe`]: KUBELET, [`/proc/${51 + by}/exe`]: CONTAINERD },
          processes: Object.fromEntries(
            Object.entries({
              ...DAEMONS,
              100: inPod(POD, 'a1', { ...PRIVATE, ns: { user: 4026540001 + by } }),
              110: inPod(OTHER_POD, 'b1'),
              120: inDocker('d1'),
            }).map(([pid, spec]) => [Number(pid) + by, spec]),
          ),
        }),
      );
    expect(JSON.stringify(shifted(1000))).toBe(JSON.stringify(shifted(0)));
    expect(JSON.stringify(shifted(0))).not.toMatch(/\/proc\/\d|\[40265/);
  });
});

/** The facts of a node of which only some directories are mounted. */
function factsThrough(spec: HostTreeSpec, mounted: readonly string[]): NodeFacts {
  const tree = makeHostTree(spec);
  try {
    const host = createHostFs(
      tree.root,
      mounted.map((path) => join(tree.root, path)),
    );
    const steps = collectFacts(host, createProcFs(tree.root));
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  } finally {
    tree.remove();
  }
}

describe('an agent that was given only /proc', () => {
  const spec: HostTreeSpec = {
    ...KUBERNETES,
    processes: { ...DAEMONS, 52: { cmdline: '/usr/bin/dockerd', cgroup: '/system.slice/docker.service' } },
  };
  const statuses = (facts: NodeFacts): Readonly<Record<string, string>> =>
    Object.fromEntries((contentOf(facts).rules ?? []).map(({ rule, status }) => [rule, status]));

  test('judges what processes and the running kernel show, and nothing else', () => {
    const facts = factsThrough(spec, ['/proc']);
    expect(statuses(facts)).toMatchObject({
      'kernel-user-namespaces': 'pass',
      'kernel-namespaces': 'pass',
      'user-namespace-limit': 'pass',
      'user-namespace-boot-parameter': 'not-applicable',
      'idmapped-mounts': 'pass',
      'subordinate-ids': 'unknown',
      'docker-userns-remap': 'unknown',
      'runtime-user-namespaces': 'unknown',
      'kubelet-user-namespaces': 'unknown',
    });
    const { system, readiness } = contentOf(facts);
    expect(system).toMatchObject({ userNamespaces: 'unknown', engine: 'Kubernetes' });
    expect(system).not.toHaveProperty('idsPerPod');
    expect(system).not.toHaveProperty('osImage');
    expect(readiness?.status).toBe('Unknown');
  });

  test('says that it was not given the file', () => {
    const rule = contentOf(factsThrough(spec, ['/proc'])).rules?.find(({ rule }) => rule === 'subordinate-ids');
    expect(rule?.evidence).toContainEqual({
      source: '/etc/subuid',
      value: 'denied: not mounted below the host root',
    });
  });

  test('and /etc does not take a kubelet line for unused because it can not see getsubids', () => {
    const files = {
      ...KUBERNETES.files,
      '/etc/passwd': 'kubelet:x:990:990::/:/usr/sbin/nologin\n',
      '/etc/subuid': 'kubelet:65536:65536\n',
      '/etc/subgid': 'kubelet:65536:65536\n',
    };
    const whole = { ...spec, files, programs: { ...KUBERNETES.programs, '/usr/bin/getsubids': null } };
    expect(statuses(factsThrough(whole, ['/proc', '/etc', '/usr', '/var']))['subordinate-ids']).toBe('fail');
    expect(statuses(factsThrough(whole, ['/proc', '/etc']))['subordinate-ids']).toBe('unknown');
  });

  test('and the directories that count judges as one that was given everything', () => {
    const rules = contentOf(factsThrough(spec, ['/proc', '/etc', '/usr', '/var', '/boot'])).rules;
    expect(rules).toEqual(contentOf(factsOf(spec)).rules);
  });
});
