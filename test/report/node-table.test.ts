import { createNodeReport, type NodeReport } from '../../src/report/node-report.ts';
import { renderNodeTable } from '../../src/report/node-table.ts';
import { type Paint, plain } from '../../src/report/paint.ts';
import { factsOf, type HostTreeSpec, type ProcessSpec } from '../support/host-tree.ts';

const id = (digits: string): string => digits.repeat(64).slice(0, 64);
const POD = '0a1b2c3d-0000-4000-8000-00000000000a';

function report(spec: HostTreeSpec): NodeReport {
  return createNodeReport(
    factsOf({ kernel: '6.8.0-45-generic', sysctls: { 'user.max_user_namespaces': 63442 }, ...spec }),
  );
}

function table(spec: HostTreeSpec, { wide = false, paint = plain } = {}): string {
  return renderNodeTable(report(spec), { wide, paint });
}

/** The line of the first container, its cells apart. */
function containerCells(process: ProcessSpec, spec: HostTreeSpec = {}, wide = false): readonly string[] {
  const lines = table(
    { ...spec, processes: { 701: process, ...(spec.processes as object | undefined) } },
    { wide },
  ).split('\n');
  const head = lines.findIndex((line) => line.startsWith('  NAMESPACES'));
  return (lines[head + 1] ?? '').trim().split(/ {2,}/);
}

describe('the verdict', () => {
  test('stands on the first line, with the machine below', () => {
    const [first, second] = table({ files: { '/etc/os-release': 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\n' } }).split('\n');
    expect(first).toBe('READY  this machine can run private user namespaces');
    expect(second).toBe('  Ubuntu 24.04.1 LTS, Linux 6.8.0-45-generic');
  });

  test('names what decided against it, by sentence and rule', () => {
    const [first, second] = table({ sysctls: { 'user.max_user_namespaces': 0 } }).split('\n');
    expect(first).toBe('NOT READY  this machine can not run private user namespaces');
    expect(second).toBe('  • user.max_user_namespaces is 0: no user namespace can be created (user-namespace-limit)');
  });

  test('is UNKNOWN where nothing could be read, with what limits the sight', () => {
    const text = table({ processes: 'none', kernel: '', sysctls: {} });
    expect(text).toMatch(/^UNKNOWN {2}whether this machine can run private user namespaces is not known\n/);
    expect(text).toContain('  limited sight: ');
  });

  test('is about the engine that runs containers here', () => {
    const docker = { 800: { cmdline: 'dockerd', cgroup: '/system.slice/docker.service' } };
    expect(table({ processes: docker })).toMatch(/^NOT READY {2}Docker on this machine/);
    const kubelet = { 801: { cmdline: 'kubelet', cgroup: '/system.slice/kubelet.service' } };
    expect(table({ processes: { ...docker, ...kubelet } })).toMatch(/^NOT READY {2}Kubernetes on this machine/);
  });
});

describe('a container', () => {
  test('is shown by its vector, short id, runtime, name, pid, root and map', () => {
    const process = {
      cgroup: `/docker/${id('a1')}`,
      ns: { user: 4026532700 },
      uidMap: '0 231072 65536',
      comm: 'nginx',
    };
    expect(containerCells(process)).toEqual([
      'Upnium--',
      'a1a1a1a1a1a1',
      'docker',
      'nginx',
      '701',
      'uid 231072',
      '0 231072 65536',
    ]);
  });

  test('without a user namespace of its own has the root of the host', () => {
    const cells = containerCells({ cgroup: `/docker/${id('a1')}`, ns: { net: 'host' } });
    expect(cells[0]).toBe('-p-ium--');
    expect(cells[5]).toBe('host root');
  });

  test('has a question mark for each namespace that can not be seen', () => {
    const process = { cgroup: `/docker/${id('a1')}`, ns: { user: 4026532700 }, uidMap: '0 231072 65536' };
    expect(containerCells(process, { denied: ['/proc/701/ns/*'] })[0]).toBe('Upn?????');
  });

  test('is named by Docker where Docker has a name for it', () => {
    const files = {
      [`/var/lib/docker/containers/${id('a1')}/hostconfig.json`]: '{}',
      [`/var/lib/docker/containers/${id('a1')}/config.v2.json`]: '{"Name":"/web"}',
    };
    expect(containerCells({ cgroup: `/docker/${id('a1')}`, ns: {} }, { files })[3]).toBe('web');
  });

  test('of a pod names the pod', () => {
    const cells = containerCells({ cgroup: `/kubepods/pod${POD}/${id('a1')}`, ns: {}, comm: 'server' });
    expect(cells[3]).toBe('pod 0a1b2c3d server');
  });

  test('of which only a zombie is left is marked as exited', () => {
    const cells = containerCells({ cgroup: `/docker/${id('a1')}`, ns: {}, state: 'Z' });
    expect(cells[4]).toBe('exited');
  });

  test('in a sandbox names the sandbox', () => {
    const shim = {
      700: { cmdline: '/usr/local/bin/containerd-shim-runsc-v1', cgroup: '/system.slice/containerd.service' },
    };
    const cells = containerCells({ cgroup: `/kubepods/pod${POD}/${id('a1')}`, ppid: 700, ns: {} }, { processes: shim });
    expect(cells[2]).toContain('(gvisor)');
  });

  test('with many ranges has them cut, for the whole map is in JSON', () => {
    const uidMap = '0 100000 1000, 1000 200000 1, 1001 101001 64535';
    const cells = containerCells({ cgroup: `/docker/${id('a1')}`, ns: { user: 4026532700 }, uidMap });
    expect(cells[6]).toBe('0 100000 1000, 1000 200000 1, 1001 …');
  });

  test('has in the wide table its hostname, pod and who started it', () => {
    const shim = {
      700: {
        cmdline: '/usr/bin/containerd-shim-runc-v2 -namespace k8s.io',
        cgroup: '/system.slice/containerd.service',
      },
    };
    const process = { cgroup: `/kubepods/pod${POD}/${id('a1')}`, ppid: 700, ns: {}, hostname: 'web-0' };
    expect(containerCells(process, { processes: shim }, true).slice(-3)).toEqual([
      'web-0',
      POD,
      '700 containerd-shim-runc-v2',
    ]);
  });
});

describe('the head of the containers', () => {
  const process = (digits: string): ProcessSpec => ({ cgroup: `/docker/${id(digits)}`, ns: {} });

  test('counts them by their user namespace', () => {
    const processes = {
      701: process('a1'),
      702: { ...process('b1'), ns: { user: 4026532700 }, uidMap: '0 231072 65536' },
      703: { ...process('c1'), ns: { user: 4026532701 }, uidMap: '0 331072 65536' },
    };
    const denied = ['/proc/703/ns/*', '/proc/703/uid_map'];
    expect(table({ processes, denied })).toContain(
      "\nCONTAINERS  3: 1 in a private user namespace, 1 in the host's, 1 unknown\n",
    );
  });

  test('says where there are none', () => {
    expect(table({})).toContain('\nCONTAINERS  0\n  none\n');
  });

  test('counts those of a kernel without user namespaces as the host’s', () => {
    const text = table({ namespaces: ['pid', 'net', 'ipc', 'uts', 'mnt'], processes: { 701: process('a1') } });
    expect(text).toContain("CONTAINERS  1: 0 in a private user namespace, 1 in the host's\n");
  });
});

describe('the findings', () => {
  const shared = (digits: string): ProcessSpec => ({ cgroup: `/docker/${id(digits)}`, ns: {} });

  test('that say the same of many containers are one line', () => {
    const processes = { 701: shared('a1'), 702: shared('b1'), 703: shared('c1'), 704: shared('d1'), 705: shared('e1') };
    const lines = table({ processes })
      .split('\n')
      .filter((line) => line.includes('unmanaged-container'));
    expect(lines).toEqual([
      "  MEDIUM   unmanaged-container  containers a1a1a1a1a1a1, b1b1b1b1b1b1, c1c1c1c1c1c1 and 2 more: shares the host's user namespace",
    ]);
  });

  test('show failures and unknowns, and in the wide table the rest with evidence', () => {
    const [narrow, wide] = [table({}), table({}, { wide: true })];
    expect(narrow).not.toMatch(/^ {2}(?:PASS|N\/A) /m);
    expect(wide).toMatch(/^ {2}PASS {5}user-namespace-limit {2}user\.max_user_namespaces is 63442$/m);
    expect(wide).toContain(' /proc/sys/user/max_user_namespaces: user.max_user_namespaces = 63442\n');
    expect(wide).toMatch(/^ {2}N\/A {6}docker-userns-remap {2}no Docker daemon on this machine$/m);
  });

  test('have their fix below them, line by line', () => {
    const text = table({ sysctls: { 'user.max_user_namespaces': 0 }, files: { '/etc/os-release': 'ID=talos\n' } });
    expect(text).toContain(
      [
        '           fix: machine config:',
        '                  machine:',
        '                    sysctls:',
        '                      user.max_user_namespaces: "15076"',
      ].join('\n'),
    );
  });

  test('have no fix with control characters of the host', () => {
    const path = '/etc/k\x1b[2J.yaml';
    const text = table({
      packages: { kubelet: '1.33.1-1.1' },
      files: { [path]: 'kind: KubeletConfiguration\nfeatureGates: {UserNamespacesSupport: false}\n' },
      processes: { 501: { cmdline: ['kubelet', `--config=${path}`], cgroup: '/system.slice/kubelet.service' } },
    });
    expect(text).toContain('fix: Remove UserNamespacesSupport: false from /etc/k [2J.yaml');
    expect(text).not.toContain('\x1b');
  });
});

describe('paint', () => {
  const tagged: Paint = (style, text) => `<${style}>${text}</${style}>`;

  test('marks the verdict, the severity and every letter of a vector', () => {
    const processes = { 701: { cgroup: `/docker/${id('a1')}`, ns: { net: 'host' } } } as const;
    const text = table({ sysctls: { 'user.max_user_namespaces': 0 }, processes }, { paint: tagged });
    expect(text).toMatch(/^<bad>NOT READY<\/bad> {2}<strong>/);
    expect(text).toContain('<bad>HIGH    </bad>');
    expect(text).toContain(
      '<bad>-</bad><good>p</good><bad>-</bad><good>i</good><good>u</good><good>m</good><dim>-</dim><dim>-</dim>',
    );
  });

  test('changes nothing of the layout', () => {
    const processes = { 701: { cgroup: `/docker/${id('a1')}`, ns: {} } };
    const ansi: Paint = (_, text) => `\x1b[31m${text}\x1b[39m`;
    const colored = table({ processes }, { paint: ansi, wide: true });
    expect(colored.replace(/\x1b\[\d+m/g, '')).toBe(table({ processes }, { wide: true }));
  });
});
