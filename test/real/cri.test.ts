// Pods of a real containerd over the CRI, as kubelets ask for them. What the runtime says of its OCI spec is the ground truth.
import { formatIdMap } from '../../src/core/id-map.ts';
import { type Containerd, type CriContainer, type Pod, type PodRequest, startContainerd } from '../lab/cri.ts';
import { ownNamespaces } from '../lab/kernel.ts';
import { isSkipped, requireLab } from '../lab/lab.ts';
import { auditMachine, containerIn, statusesOf } from '../support/audit.ts';

const lab = requireLab();
const title = 'pods of a real containerd';
if (isSkipped(lab)) {
  test.skip(`${title} (skipped, because ${lab.skipped})`, () => undefined);
} else {
  describe(`${title} 2`, () => {
    let containerd: Containerd;
    beforeAll(async () => {
      containerd = await startContainerd(lab, 'v2');
    });
    afterAll(async () => containerd.stop());

    test.each<readonly [string, Omit<PodRequest, 'name'>, string]>([
      ['by default shares the host user namespace only', {}, '-pnium--'],
      ['with hostNetwork is in the host UTS namespace, too', { network: 'NODE' }, '-p-i-m--'],
      ['with hostPID', { pid: 'NODE' }, '--nium--'],
      ['with hostIPC', { ipc: 'NODE' }, '-pn-um--'],
      ['with a user namespace shares nothing', { userns: { hostId: 131_072, length: 65_536 } }, 'Upnium--'],
      [
        'with a user namespace and a shared PID namespace',
        { pid: 'POD', userns: { hostId: 262_144, length: 65_536 } },
        'Upnium--',
      ],
      ['of uid 1000', { uid: 1000 }, '-pnium--'],
    ])('a pod %s', async (name, request, vector) => {
      const pod = await containerd.runPod({ name: name.replaceAll(/\W+/g, '-').slice(0, 40), ...request });
      const report = auditMachine();
      for (const { id, pid, uidMappings } of [pod.sandbox, ...pod.containers]) {
        const seen = containerIn(report, id);
        expect(seen).toMatchObject({ vector, podUid: pod.uid, runtime: 'containerd', init: { pid } });
        expect(ownNamespaces(pid).length).toBe(vector.replaceAll('-', '').length);
        if (uidMappings.length > 0) expect(seen.uidMap).toMatchObject({ value: inKernelWords(uidMappings) });
      }
      await pod.remove();
    });

    test('the containers of a pod share what pods share', async () => {
      const pod = await containerd.runPod({ name: 'two', pid: 'POD', containers: ['one', 'two'] });
      const report = auditMachine();
      const [sandbox, ...members] = [pod.sandbox, ...pod.containers].map(({ id }) => containerIn(report, id));
      for (const { namespaces, nspid } of members) {
        for (const type of ['user', 'pid', 'net', 'ipc', 'uts'] as const)
          expect(namespaces[type]).toEqual(sandbox?.namespaces[type]);
        expect(namespaces.mnt).not.toEqual(sandbox?.namespaces.mnt);
        expect(nspid).toMatchObject({ value: [expect.any(Number), expect.any(Number)] });
      }
      await pod.remove();
    });

    test("a pod's shim and hostname are named", async () => {
      const pod = await containerd.runPod({ name: 'web-0' });
      const seen = containerIn(auditMachine(), only(pod).id);
      expect(seen).toMatchObject({
        hostname: { value: 'web-0' },
      });
      expect(seen.shim.ok && seen.shim.value.command).toContain('containerd-shim-runc-v2');
      await pod.remove();
    });

    test('pods with overlapping ids are found', async () => {
      const one = await containerd.runPod({ name: 'one', userns: { hostId: 1_200_000_000, length: 65_536 } });
      const two = await containerd.runPod({ name: 'two', userns: { hostId: 1_200_032_768, length: 65_536 } });
      const report = auditMachine();
      for (const pod of [one, two]) expect(statusesOf(report, only(pod).id)['id-range-overlap']).toBe('fail');
      const { findings } = report;
      const own = findings.find(
        ({ rule, subject }) =>
          rule === 'id-range-overlap' && subject.kind === 'Container' && subject.id === only(one).id,
      );
      expect(own?.evidence.map(({ value }) => value)).toContain(`pod ${two.uid} holds 1200032768 to 1200065535 too`);
      await Promise.all([one.remove(), two.remove()]);
    });

    test('a user namespace over the host root is found', async () => {
      const pod = await containerd.runPod({ name: 'root', userns: { hostId: 0, length: 65_536 } });
      const report = auditMachine();
      expect(containerIn(report, only(pod).id)).toMatchObject({ vector: 'Upnium--', rootHostUid: { value: 0 } });
      expect(statusesOf(report, only(pod).id)['id-range-host-ids']).toBe('fail');
      await pod.remove();
    });

    test('the daemon is found, with the version it says of itself', () => {
      const { containerd: facts } = auditMachine().facts;
      expect(facts.presence).toBe('running');
      if (facts.version.ok) expect(containerd.version).toContain(facts.version.value);
    });
  });

  describe(`${title} 1.6`, () => {
    test('a user namespace that was asked for and silently ignored is seen as what it is: the host’s', async () => {
      const containerd = await startContainerd(lab, 'v1.6');
      try {
        const pod = await containerd.runPod({ name: 'ignored', userns: { hostId: 131_072, length: 65_536 } });
        const report = auditMachine();
        expect(only(pod).uidMappings).toEqual([]);
        expect(ownNamespaces(only(pod).pid)).not.toContain('user');
        const seen = containerIn(report, only(pod).id);
        expect(seen).toMatchObject({ vector: '-pnium--', rootHostUid: { value: 0 } });
        expect(seen.uidMap.ok && formatIdMap(seen.uidMap.value)).toBe('0 0 4294967295');
      } finally {
        await containerd.stop();
      }
    });
  });
}

function only({ containers }: Pod): CriContainer {
  const [container] = containers;
  if (!container) throw new Error('the pod has no container');
  return container;
}

function inKernelWords(mappings: CriContainer['uidMappings']): readonly object[] {
  return mappings.map(({ containerID, hostID, size }) => ({ inside: containerID, outside: hostID, length: size }));
}
