import fc from 'fast-check';
import { parseCgroup } from '../../src/probes/cgroup.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const POD = '2c48913c-b29f-11e7-9350-020968147796';
const OTHER = '11111111-2222-3333-4444-555555555555';
const STATIC = 'd76e26fba3bf2bfd215eb29011d55250';
const U = POD.replaceAll('-', '_');
const SLICES = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${U}.slice`;

/** `container <id> <runtime> pod <uid> in <outer>`, long ids by their first digit. */
function told(text: string): string {
  const membership = parseCgroup(text.includes(':') && /^\d+:/.test(text) ? text : `0::${text}\n`);
  if (membership.kind === 'host') return 'host';
  const { id, runtime, podUid, staticPod, nestedIn } = membership.reference;
  const short = (name: string): string => (/^([0-9a-f])\1{63}$/.test(name) ? name.slice(0, 1) : name);
  const kind = membership.kind === 'candidate' ? 'candidate ' : '';
  const owner = podUid ? ` ${staticPod ? 'static ' : ''}pod ${podUid}` : '';
  return `${kind}${short(id)} ${runtime}${owner}${nestedIn ? ` in ${short(nestedIn)}` : ''}`;
}

describe('pods of Kubernetes', () => {
  test.each([
    ['containerd, cgroupfs, burstable', `/kubepods/burstable/pod${POD}/${A}`, `a unknown pod ${POD}`],
    ['containerd, cgroupfs, guaranteed', `/kubepods/pod${POD}/${A}`, `a unknown pod ${POD}`],
    ['a static pod, named after its hash', `/kubepods/burstable/pod${STATIC}/${A}`, `a unknown static pod ${STATIC}`],
    ['containerd, systemd', `${SLICES}/cri-containerd-${A}.scope`, `a containerd pod ${POD}`],
    ['CRI-O, systemd', `${SLICES}/crio-${A}.scope`, `a cri-o pod ${POD}`],
    ['CRI-O with crun, one below', `${SLICES}/crio-${A}.scope/container`, `a cri-o pod ${POD}`],
    ['CRI-O, its sandbox without ".scope"', `${SLICES}/crio-${A}`, `a cri-o pod ${POD}`],
    ['CRI-O, cgroupfs', `/kubepods/pod${POD}/crio-${A}`, `a cri-o pod ${POD}`],
    ['cri-dockerd, systemd', `${SLICES}/docker-${A}.scope`, `a docker pod ${POD}`],
    ['a systemd pod slice with dashes', `/kubepods-pod${POD}.slice/docker-${A}.scope`, `a docker pod ${POD}`],
    [
      'the name of a slice where cgroupfs is in use',
      `/kubepods-burstable-pod${U}.slice:cri-containerd:${A}`,
      `a containerd pod ${POD}`,
    ],
    [
      'the same below the service of the runtime',
      `/system.slice/containerd.service/kubepods-pod${U}.slice:cri-containerd:${A}`,
      `a containerd pod ${POD}`,
    ],
    ['a cgroup root of its own', `/my/root/kubepods/pod${POD}/${A}`, `a unknown pod ${POD}`],
    [
      'rootless k3s',
      `/user.slice/user-1000.slice/user@1000.service/k3s-rootless.service/kubepods/pod${POD}/${A}`,
      `a unknown pod ${POD}`,
    ],
    ['Kata', `/kubepods/pod${POD}/kata_${A}`, `a unknown pod ${POD}`],
    [
      'gVisor, whose sandbox is in the cgroup of the pod',
      `/kubepods/burstable/pod${POD}`,
      `candidate pod${POD} unknown pod ${POD}`,
    ],
    ['from another pod of its class', `/../../pod${POD}/${A}`, `a unknown pod ${POD}`],
    ['from another class', `/../../../burstable/pod${POD}/${A}`, `a unknown pod ${POD}`],
    ['from its own pod', `/../${A}`, 'a unknown'],
    [
      'kind',
      `/docker/${B}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${U}.slice/cri-containerd-${A}.scope`,
      `a containerd pod ${POD} in b`,
    ],
    ['minikube', `/system.slice/docker-${B}.scope${SLICES}/docker-${A}.scope`, `a docker pod ${POD} in b`],
    ['a node in LXC', `/lxc.payload.node1/kubepods/pod${POD}/${A}`, `a unknown pod ${POD} in node1`],
    ['a systemd inside', `${SLICES}/cri-containerd-${A}.scope/init.scope`, `a containerd pod ${POD}`],
    ['a service of a systemd inside', `/kubepods/pod${POD}/${A}/system.slice/sshd.service`, `a unknown pod ${POD}`],
    ['a cgroup that is gone', `${SLICES}/cri-containerd-${A}.scope (deleted)`, `a containerd pod ${POD}`],
  ])('%s', (_, path, expected) => {
    expect(told(path)).toBe(expected);
  });
});

describe('containers of no pod', () => {
  test.each([
    ['Docker, cgroupfs', `/docker/${A}`, 'a docker'],
    ['Docker, systemd', `/system.slice/docker-${A}.scope`, 'a docker'],
    ['Docker, rootless', `/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${A}.scope`, 'a docker'],
    ['Docker in Docker', `/docker/${B}/docker/${A}`, 'a docker in b'],
    ['Docker with a parent', `/actions_job/${A}`, 'a unknown'],
    ['Podman', `/machine.slice/libpod-${A}.scope/container`, 'a podman'],
    ['Podman, in a pod', `/machine.slice/machine-libpod_pod_${B}.slice/libpod-${A}.scope`, 'a podman'],
    ['Podman, in a pod without systemd', `/libpod_parent/${B}/libpod-${A}`, 'a podman'],
    ['Podman, split by a service', `/system.slice/web.service/libpod-payload-${A}`, 'a podman'],
    ['nerdctl', `/system.slice/nerdctl-${A}.scope`, 'a containerd'],
    ['nerdctl, cgroupfs', `/default/${A}`, 'a unknown'],
    ['ECS', `/ecs/0123456789abcdef0123456789abcdef/${A}`, 'a unknown'],
    ['ECS, systemd', `/ecstasks.slice/ecstasks-0123456789abcdef0123456789abcdef.slice/docker-${A}.scope`, 'a docker'],
    [
      'Fargate',
      '/ecs/34dc0b5e626f2c5c4c5170e34b10e765/34dc0b5e626f2c5c4c5170e34b10e765-1234567890',
      '34dc0b5e626f2c5c4c5170e34b10e765-1234567890 unknown',
    ],
    [
      'Garden',
      '/system.slice/garden.service/garden/6f265890-5165-7fab-6b52-18d1',
      '6f265890-5165-7fab-6b52-18d1 unknown',
    ],
    ['LXC', '/lxc.payload.web/init.scope', 'web lxc'],
    ['LXC 3', '/lxc.payload/web', 'web lxc'],
    ['LXC 2', '/lxc/web/system.slice/cron.service', 'web lxc'],
    ['LXC in LXC', '/lxc.payload.a/lxc.payload.b', 'b lxc in a'],
    ['Docker in LXC', `/lxc.payload.web/docker/${A}`, 'a docker in web'],
    ['systemd-nspawn', String.raw`/machine.slice/machine-my\x2dbox.scope/payload/init.scope`, 'my-box systemd-nspawn'],
    [
      'systemd-nspawn as a service',
      '/machine.slice/systemd-nspawn@box.service/payload/system.slice/cron.service',
      'box systemd-nspawn',
    ],
    [
      'systemd-nspawn as a service, v1',
      '1:name=systemd:/machine.slice/systemd-nspawn@box.service/init.scope',
      'box systemd-nspawn',
    ],
  ])('%s', (_, path, expected) => {
    expect(told(path)).toBe(expected);
  });
});

describe('cgroups whose namespaces must tell', () => {
  test.each([
    ['a bare runtime', '/mycontainer', 'candidate mycontainer unknown'],
    ['a bare runtime, seen from a cgroup namespace', '/../../mycontainer', 'candidate mycontainer unknown'],
    ['a bare runtime, systemd', '/system.slice/runc-web.scope', 'candidate web unknown'],
    [
      'a bare runtime, systemd, one below',
      '/user.slice/user-0.slice/crun-web.scope/container',
      'candidate web unknown',
    ],
    ['a systemd in a bare runtime', '/system.slice/runc-web.scope/system.slice/cron.service', 'candidate web unknown'],
    ['a systemd in a bare runtime, cgroupfs', '/mycontainer/init.scope', 'candidate mycontainer unknown'],
    ['a service of it', '/mycontainer/system.slice/cron.service', 'candidate mycontainer unknown'],
    ['ctr', '/default/web', 'candidate web unknown'],
    ['BuildKit', '/docker/buildkit/ivk2sxyzr3wy5yq1ymnuc0kzc', 'candidate ivk2sxyzr3wy5yq1ymnuc0kzc unknown'],
    [
      'BuildKit, systemd',
      '/system.slice/docker-ivk2sxyzr3wy5yq1ymnuc0kzc.scope',
      'candidate ivk2sxyzr3wy5yq1ymnuc0kzc unknown',
    ],
    ['Nomad', `/nomad.slice/share.slice/${POD}.web.scope`, 'candidate web unknown'],
    ['Mesos', `/mesos/${POD}`, `candidate ${POD} unknown`],
    [
      'Apptainer',
      '/user.slice/user-1000.slice/user@1000.service/user.slice/apptainer-4711.scope',
      'candidate 4711 unknown',
    ],
    ['a monitor of LXC', '/lxc.monitor.web', 'candidate lxc.monitor.web unknown'],
    ['conmon, cgroupfs', `/kubepods/pod${POD}/crio-conmon-${A}`, `candidate crio-conmon-${A} unknown pod ${POD}`],
    ['a service of Talos', '/system/runtime', 'candidate runtime unknown'],
  ])('%s', (_, path, expected) => {
    expect(told(path)).toBe(expected);
  });
});

describe('the host', () => {
  test.each([
    ['kernel threads', '/'],
    ['the init', '/init.scope'],
    ['a service', '/system.slice/containerd.service'],
    ['a process in a sub-cgroup of a service', '/system.slice/systemd-udevd.service/udev'],
    ['a session', '/user.slice/user-1000.slice/session-3.scope'],
    ['an application of a desktop', '/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-4711.scope'],
    ["the user's manager", '/user.slice/user-1000.slice/user@1000.service/init.scope'],
    ['conmon of CRI-O', `${SLICES}/crio-conmon-${A}.scope`],
    ['conmon of Podman', `/machine.slice/libpod-conmon-${A}.scope`],
    ['a mount of a container', `/system.slice/var-lib-docker-overlay2-${A}-merged.mount`],
    ['a health check of Podman', `/system.slice/${A}.service`],
    ['nspawn itself', '/machine.slice/systemd-nspawn@box.service/supervisor'],
    ['a virtual machine', String.raw`/machine.slice/machine-qemu\x2d1\x2dweb.scope/libvirt/emulator`],
    ['from a cgroup namespace', '/../../../..'],
    ['a service, from a cgroup namespace', '/../../../system.slice/kubelet.service'],
    ['nothing', ''],
  ])('%s', (_, path) => {
    expect(told(path)).toBe('host');
  });
});

describe('files of many lines', () => {
  test.each([
    ['v1', `12:pids:/docker/${A}\n1:name=systemd:/docker/${A}\n0::/system.slice/containerd.service\n`, 'a docker'],
    ['v2 beside an idle v1', `4:memory:/\n1:name=systemd:/\n0::/docker/${A}\n`, 'a docker'],
    ['v1 beside an idle v2', `2:cpu,cpuacct:/docker/${A}\n0::/\n`, 'a docker'],
    ['one controller only', `3:rdma:/\n2:pids:/docker/${A}\n1:name=systemd:/user.slice\n0::/\n`, 'a docker'],
    [
      'a container in a container that only some hierarchies show',
      `2:pids:/docker/${B}/docker/${A}\n1:name=systemd:/docker/${B}\n`,
      'a docker in b',
    ],
    ['a container before a candidate', `1:name=systemd:/tool/x\n0::/docker/${A}\n`, 'a docker'],
    ['a named hierarchy of another manager', `5:name=openrc:/docker\n0::/docker/${A}\n`, 'a docker'],
    ['no newline at the end', `0::/docker/${A}`, 'a docker'],
    ['lines that are none', `\n:\n::\n0:\nx\n0::/docker/${A}\n`, 'a docker'],
  ])('%s', (_, text, expected) => {
    expect(told(text)).toBe(expected);
  });

  test('the line that systemd writes names the cgroup', () => {
    const membership = parseCgroup(`4:memory:/elsewhere/${A}\n1:name=systemd:/docker/${A}\n`);
    expect(membership).toMatchObject({ reference: { cgroup: `/docker/${A}` } });
  });
});

describe('a container that names its own sub-cgroups', () => {
  const own = `/kubepods/pod${POD}/${A}`;
  test.each([
    ['after another pod', `${own}/kubepods/pod${OTHER}/${B}`],
    ["after another pod's slice", `${own}/kubepods-pod${OTHER.replaceAll('-', '_')}.slice/cri-containerd-${B}.scope`],
    ['after another pod, deep down', `${own}/x/${C}/pod${OTHER}/${B}`],
  ])('%s stays in its pod', (_, path) => {
    expect(told(path)).toMatch(new RegExp(`^b \\w+ pod ${POD} in [ac]$`));
  });

  test.each([
    ['x.service'],
    ['session-1.scope'],
    ['crio-conmon-x'],
    ['supervisor'],
    [`libpod-conmon-${B}.scope`],
    ['..x'],
  ])('%s does not leave its container', (name) => {
    expect(parseCgroup(`0::${own}/${name}\n`)).toMatchObject({ reference: { id: A, cgroup: own, podUid: POD } });
  });

  test('in a kind node, the pod of its container counts', () => {
    expect(told(`/docker/${C}/kubepods/pod${POD}/${A}/pod${OTHER}/${B}`)).toBe(`b unknown pod ${POD} in a`);
  });
});

describe('generated paths', () => {
  const hex = (length: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length });
  const uid = fc.tuple(hex(8), hex(4), hex(4), hex(4), hex(12)).map((groups) => groups.join('-'));
  const qos = fc.constantFrom('', 'burstable', 'besteffort');
  const scope = fc.constantFrom('cri-containerd', 'crio', 'docker');
  /** A pod's container as a runtime writes it. */
  const inPod = fc
    .record({
      uid: fc.oneof(uid, hex(32)),
      id: hex(64),
      qos,
      scope,
      shape: fc.constantFrom('cgroupfs', 'systemd', 'colon'),
    })
    .map(({ uid: pod, id, qos: quality, scope: prefix, shape }) => {
      const slice = `kubepods${quality && `-${quality}`}-pod${pod.replaceAll('-', '_')}.slice`;
      if (shape === 'colon') return { id, pod, path: `/${slice}:cri-containerd:${id}` };
      if (shape === 'cgroupfs') return { id, pod, path: `/kubepods${quality && `/${quality}`}/pod${pod}/${id}` };
      const parent = quality ? `/kubepods.slice/kubepods-${quality}.slice` : '/kubepods.slice';
      return { id, pod, path: `${parent}/${slice}/${prefix}-${id}.scope` };
    });
  const node = hex(64).chain((id) =>
    fc.constantFrom(
      { id, path: `/docker/${id}` },
      { id, path: `/system.slice/docker-${id}.scope` },
      { id, path: `/machine.slice/libpod-${id}.scope/container` },
      { id: 'node', path: '/lxc.payload.node' },
      { id: undefined, path: '' },
      { id: undefined, path: '/../..' },
    ),
  );
  const below = fc.constantFrom('', '/container', '/init.scope', '/system.slice/cron.service', '/a/b', ' (deleted)');
  const filler = fc.array(fc.constantFrom('12:pids:/', '9:name=openrc:/x', '5:rdma:/', '3:cpu,cpuacct:/user.slice'));

  test('exactly the ids of the innermost container, its pod and its node are found', () => {
    fc.assert(
      fc.property(node, inPod, below, filler, (outer, container, rest, lines) => {
        const text = [...lines, `0::${outer.path}${container.path}${rest}`, ''].join('\n');
        const membership = parseCgroup(text);
        expect(membership.kind).toBe('container');
        if (membership.kind !== 'container') return;
        const { id, podUid, nestedIn, cgroup, staticPod } = membership.reference;
        expect({ id, podUid, nestedIn }).toEqual({ id: container.id, podUid: container.pod, nestedIn: outer.id });
        expect(cgroup).toBe(outer.path + container.path);
        expect(staticPod).toBe(container.pod.includes('-') ? undefined : true);
      }),
      { numRuns: 500 },
    );
  });

  test('whatever a container names its sub-cgroups, pod and outer container stay', () => {
    const part = fc.oneof(
      inPod.map(({ path }) => path),
      fc.constantFrom(
        '/x.service',
        '/init.scope',
        '/lxc.payload.x',
        '/lxc/y',
        '/machine-z.scope',
        '/crio-conmon-1',
        '/docker',
      ),
      fc.string({ unit: 'grapheme-ascii', minLength: 1 }).map((name) => `/${name.replaceAll('/', '')}`),
    );
    fc.assert(
      fc.property(inPod, fc.array(part, { maxLength: 4 }), (container, parts) => {
        const membership = parseCgroup(`0::${container.path}${parts.join('')}\n`);
        expect(membership).toMatchObject({ kind: 'container', reference: { podUid: container.pod } });
        if (membership.kind === 'container') expect(membership.reference.cgroup.startsWith(container.path)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('no text makes it throw', () => {
    const piece = fc.constantFrom(
      '0::',
      '1:name=systemd:',
      '/',
      '..',
      A,
      'pod',
      POD,
      '.scope',
      '.slice',
      '\n',
      '\\x2d',
      '-',
      ':',
      ' (deleted)',
      'lxc',
      'é',
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseCgroup(text)));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => void parseCgroup(pieces.join(''))),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['slashes', '/'.repeat(4_000_000)],
    ['dots', '.'.repeat(4_000_000)],
    ['digits', 'a'.repeat(4_000_000)],
    ['pods', '/pod'.repeat(1_000_000)],
    ['groups', 'aaaaaaaa-'.repeat(400_000)],
    ['ids', `/${A}`.repeat(60_000)],
    ['dashes', 'docker-'.repeat(500_000)],
    ['escapes', String.raw`/lxc/\x2d`.repeat(400_000)],
    ['lines', `0::/${A}\n`.repeat(60_000)],
  ])('4 MB of %s are read in no time', (_, path) => {
    expect(typeof told(`/${path}`)).toBe('string');
  });
});
