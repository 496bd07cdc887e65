// Containers of Debian's runc, as the audit sees them and as stat(1) and lsns(8) do.
import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { NAMESPACE_TYPES } from '../../src/core/namespace.ts';
import type { ReportedContainer } from '../../src/report/node-report.ts';
import { lsnsOf, namespaceInodes, ownNamespaces } from '../lab/kernel.ts';
import { isSkipped, requireLab } from '../lab/lab.ts';
import { cgroupPath, type Container, type ContainerOptions, execIn, startContainer, stopAll } from '../lab/runc.ts';
import { waitSync } from '../lab/run-directory.ts';
import { auditMachine, containerIn, statusesOf } from '../support/audit.ts';

const lab = requireLab();
const title = 'containers of a real runc';
if (isSkipped(lab)) {
  test.skip(`${title} (skipped, because ${lab.skipped})`, () => undefined);
} else {
  describe(title, () => {
    afterEach(stopAll);

    const start = (options: ContainerOptions = {}): Container => startContainer(lab, options);
    const see = ({ id }: Container): ReportedContainer => containerIn(auditMachine(), id);

    const mapping = (hostID: number, size = 65_536, containerID = 0) => [{ containerID, hostID, size }];
    const user = { user: 'new' } as const;

    test.each<readonly [string, ContainerOptions, string]>([
      ['by default shares the host user namespace only', {}, '-pnium--'],
      ['with a user namespace shares none', { namespaces: user }, 'Upnium--'],
      ['with the host PID namespace', { namespaces: { pid: 'host' } }, '--nium--'],
      ['with the host UTS namespace', { namespaces: { uts: 'host' } }, '-pni-m--'],
      ['with the host IPC namespace', { namespaces: { ipc: 'host' } }, '-pn-um--'],
      ['with the host network', { namespaces: { network: 'host' } }, '-p-ium--'],
      ['with a cgroup namespace', { namespaces: { cgroup: 'new' } }, '-pniumC-'],
      ['with a user namespace and the host PID namespace', { namespaces: { ...user, pid: 'host' } }, 'U-nium--'],
      ['with a user namespace and the host network', { namespaces: { ...user, network: 'host' } }, 'Up-ium--'],
      ['with a user namespace and the host IPC namespace', { namespaces: { ...user, ipc: 'host' } }, 'Upn-um--'],
      ['with a user namespace and the host UTS namespace', { namespaces: { ...user, uts: 'host' } }, 'Upni-m--'],
      ['of uid 1000', { uid: 1000 }, '-pnium--'],
      ['created and not started', { state: 'created', namespaces: user }, 'Upnium--'],
    ])('a container %s', (_, options, vector) => {
      const container = start(options);
      const seen = see(container);
      expect(seen.vector).toBe(vector);
      expect(seen.init.pid).toBe(container.pid);
      const inodes = namespaceInodes(container.pid);
      const own = ownNamespaces(container.pid);
      for (const type of NAMESPACE_TYPES) {
        expect(seen.namespaces[type]).toEqual({
          relation: own.includes(type) ? 'private' : 'host',
          basis: 'inode',
          inode: inodes[type],
        });
      }
      // lsns names a container's init as the lowest process of each namespace that is the container's own.
      for (const row of lsnsOf(container.pid).filter(({ type }) => own.includes(type))) {
        expect(seen.namespaces[row.type]).toMatchObject({ inode: row.inode });
        expect(row.pid).toBe(seen.init.pid);
      }
    });

    test('a container that starts and ends changes the answer', () => {
      const container = start();
      expect(see(container).state).toBe('running');
      container.stop();
      // Until its parent takes notice, the kernel keeps what is left of the process.
      const left = auditMachine().containers.filter(({ id }) => id === container.id);
      expect(left.filter(({ state }) => state === 'running')).toEqual([]);
    });

    test('root in a container is named as what it is on the host', () => {
      const shared = start();
      const apart = start({ namespaces: user, uidMappings: mapping(165_536) });
      const apart1000 = start({ namespaces: user, uidMappings: mapping(265_536), uid: 1000 });
      expect(see(shared)).toMatchObject({ rootHostUid: { value: 0 }, hostUid: { value: 0 } });
      expect(see(apart)).toMatchObject({ rootHostUid: { value: 165_536 }, hostUid: { value: 165_536 } });
      expect(see(apart1000)).toMatchObject({ rootHostUid: { value: 265_536 }, hostUid: { value: 266_536 } });
      const owner = Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${apart1000.pid}/status`, 'utf8'))?.[1]);
      expect(owner).toBe(266_536);
    });

    test('maps of several ranges are read whole', () => {
      const uidMappings = [...mapping(2_000_000, 1000), ...mapping(1000, 1, 1000), ...mapping(2_001_001, 64_535, 1001)];
      const container = start({ namespaces: user, uidMappings });
      expect(see(container).uidMap).toMatchObject({
        value: [
          { inside: 0, outside: 2_000_000, length: 1000 },
          { inside: 1000, outside: 1000, length: 1 },
          { inside: 1001, outside: 2_001_001, length: 64_535 },
        ],
      });
      expect(statusesOf(auditMachine(), container.id)).toMatchObject({
        'id-range-host-ids': 'fail',
        'id-range-short': 'pass',
      });
    });

    test('a user namespace that maps every id to itself is private in name only', () => {
      const container = start({ namespaces: user, uidMappings: mapping(0, 4_294_967_295) });
      const report = auditMachine();
      expect(containerIn(report, container.id)).toMatchObject({ vector: 'Upnium--', rootHostUid: { value: 0 } });
      expect(statusesOf(report, container.id)).toMatchObject({
        'id-range-host-ids': 'fail',
        'id-range-overlap': 'not-applicable',
      });
    });

    test('overlapping ranges of two containers are found on both, a third one is left alone', () => {
      const one = start({ namespaces: user, uidMappings: mapping(1_000_000_000) });
      const two = start({ namespaces: user, uidMappings: mapping(1_000_032_768) });
      const apart = start({ namespaces: user, uidMappings: mapping(1_000_131_072) });
      const report = auditMachine();
      const overlap = (container: Container): string | undefined =>
        statusesOf(report, container.id)['id-range-overlap'];
      expect([one, two, apart].map(overlap)).toEqual(['fail', 'fail', 'pass']);
    });

    test('containers that join namespaces share them, and are no overlap', () => {
      const pause = start({ namespaces: user, uidMappings: mapping(1_100_000_000) });
      const join = (type: string) => ({ join: `/proc/${pause.pid}/ns/${type}` });
      const shared = { user: join('user'), network: join('net'), ipc: join('ipc'), uts: join('uts') };
      const member = start({ namespaces: shared });
      const withPid = start({ namespaces: { ...shared, pid: join('pid') } });
      const report = auditMachine();
      const [p, m, w] = [pause, member, withPid].map(({ id }) => containerIn(report, id));
      for (const type of ['user', 'net', 'ipc', 'uts'] as const) {
        expect(m?.namespaces[type]).toEqual(p?.namespaces[type]);
        expect(w?.namespaces[type]).toEqual(p?.namespaces[type]);
      }
      expect(m?.namespaces.pid).not.toEqual(p?.namespaces.pid);
      expect(w?.namespaces.pid).toEqual(p?.namespaces.pid);
      expect(w?.init.pid).toBe(withPid.pid);
      expect(w?.nspid).toMatchObject({ value: [withPid.pid, expect.any(Number)] });
      expect(statusesOf(report, member.id)['id-range-overlap']).toBe('pass');
    });

    test('a process that left for a user namespace of its own does not make its container private', () => {
      const container = start();
      const nested = execIn(container, ['unshare', '-U', 'sleep', '3600']);
      expect(waitSync(() => ownNamespaces(nested).includes('user'))).toBe(true);
      const seen = see(container);
      expect(seen).toMatchObject({ vector: '-pnium--', init: { pid: container.pid }, processes: 2 });
    });

    test('with the host PID namespace the oldest process is the init, whatever it started in namespaces of its own', () => {
      const args = ['sh', '-c', 'unshare -U -p -f sleep 3600 & exec sleep 3600'];
      const container = start({ namespaces: { pid: 'host' }, args });
      const seen = see(container);
      expect(seen).toMatchObject({ vector: '--nium--', init: { pid: container.pid } });
    });

    const podUid = randomUUID();
    const staticUid = podUid.replaceAll('-', '');
    test.each<readonly [string, (pod: string, id: string) => string, string, string]>([
      ['cgroupfs, guaranteed', cgroupPath.cgroupfsGuaranteed, podUid, 'unknown'],
      ['cgroupfs, burstable', cgroupPath.cgroupfsBurstable, podUid, 'unknown'],
      ['cgroupfs, best effort', cgroupPath.cgroupfsBestEffort, podUid, 'unknown'],
      ['cgroupfs, static pod', cgroupPath.cgroupfsBurstable, staticUid, 'unknown'],
      ['systemd, containerd', cgroupPath.systemdContainerd, podUid, 'containerd'],
      ['systemd, CRI-O', cgroupPath.systemdCrio, podUid, 'cri-o'],
      ['systemd, CRI-O with a cgroup below', cgroupPath.systemdCrioNested, podUid, 'cri-o'],
      ['a slice given to the cgroupfs driver', cgroupPath.colon, podUid, 'containerd'],
      ['kind', cgroupPath.kind, podUid, 'unknown'],
      ['kind with systemd', cgroupPath.kindSystemd, podUid, 'containerd'],
    ])('the cgroup path of %s names pod and container', (_, path, pod, runtime) => {
      const container = start({ cgroupsPath: path(pod, 'f'.repeat(60) + randomUUID().slice(0, 4)) });
      const id = container.cgroupsPath.replace(/\.scope|\/container/g, '').slice(-64);
      const seen = containerIn(auditMachine(), id);
      expect(seen).toMatchObject({ podUid: pod, runtime, init: { pid: container.pid } });
      expect(seen.staticPod === true).toBe(pod === staticUid);
    });

    test.each([
      ['cgroupfs', cgroupPath.dockerCgroupfs],
      ['systemd', cgroupPath.dockerSystemd],
    ])('a container of Docker with %s belongs to no pod', (_, path) => {
      const container = start({ cgroupsPath: path('', 'e'.repeat(60) + randomUUID().slice(0, 4)) });
      const id = container.cgroupsPath.replace('.scope', '').slice(-64);
      const report = auditMachine();
      expect(containerIn(report, id)).toMatchObject({ runtime: 'docker', init: { pid: container.pid } });
      expect(containerIn(report, id)).not.toHaveProperty('podUid');
      expect(statusesOf(report, id)['unmanaged-container']).toBe('fail');
    });

    test("a runtime's monitor beside the container is not the container", () => {
      const id = 'd'.repeat(60) + randomUUID().slice(0, 4);
      const monitor = start({ cgroupsPath: cgroupPath.systemdCrioConmon(podUid, id) });
      expect(auditMachine().containers.map(({ init }) => init.pid)).not.toContain(monitor.pid);
    });

    test('a container that names its sub-cgroup after another pod stays in its own', () => {
      const [own, other] = [randomUUID(), randomUUID()];
      const outer = cgroupPath.cgroupfsBurstable(own, 'a'.repeat(64));
      const container = start({ cgroupsPath: `${outer}${cgroupPath.cgroupfsBurstable(other, 'b'.repeat(64))}` });
      const seen = auditMachine().containers.find(({ init }) => init.pid === container.pid);
      expect(seen).toMatchObject({ podUid: own, nestedIn: 'a'.repeat(64) });
    });

    test('a name that looks like a shim or a sandbox proves nothing', () => {
      const script = "printf 'containerd-shim-kata-v2' > /proc/self/comm; while :; do sleep 3600; done";
      const container = start({ args: ['sh', '-c', script] });
      expect(see(container)).not.toHaveProperty('sandbox');
    });

    test('a container without a pattern in its cgroup is found by its namespaces', () => {
      const container = start({ cgroupsPath: `/my-box-${randomUUID()}` });
      const seen = auditMachine().containers.find(({ init }) => init.pid === container.pid);
      expect(seen).toMatchObject({ id: container.cgroupsPath.slice(1), runtime: 'unknown', vector: '-pnium--' });
    });

    test('a named network namespace is found by its inode', () => {
      const container = start();
      const name = `userns-audit-${process.pid}`;
      const file = `/run/netns/${name}`;
      mkdirSync('/run/netns', { recursive: true });
      writeFileSync(file, '');
      try {
        execFileSync('mount', ['--bind', `/proc/${container.pid}/ns/net`, file]);
        const { facts, containers } = auditMachine();
        expect(containers.find(({ id }) => id === container.id)?.networkNamespaceName).toBe(name);
        const named = facts.networkNamespaces.ok
          ? facts.networkNamespaces.value.find((one) => one.name === name)
          : undefined;
        expect(named?.inode).toMatchObject({ value: namespaceInodes(container.pid).net });
      } finally {
        execFileSync('umount', [file]);
        rmSync(file);
      }
    });

    test('the hostname is read from the container, and only from a plain file', () => {
      const named = start({ args: ['sh', '-c', 'rm -f /etc/hostname; echo web-0 > /etc/hostname; exec sleep 3600'] });
      expect(see(named).hostname).toMatchObject({ ok: true, value: 'web-0' });
      const piped = start({ args: ['sh', '-c', 'rm -f /etc/hostname; mkfifo /etc/hostname; exec sleep 3600'] });
      expect(see(piped).hostname).toMatchObject({ ok: false, why: 'malformed' });
      const linked = start({
        args: ['sh', '-c', 'rm -f /etc/hostname; ln -s /etc/shadow /etc/hostname; exec sleep 3600'],
      });
      expect(see(linked).hostname).toMatchObject({ ok: false });
    });
  });
}
