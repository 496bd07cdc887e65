// What the audit sees with the privileges an agent may have, in real containers of runc that read the host's procfs.
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSkipped, requireLab } from '../lab/lab.ts';
import { bind, type Container, type ContainerOptions, nodeMounts, startContainer, stopAll } from '../lab/runc.ts';
import type { NodeReport } from '../../src/report/node-report.ts';
import { CLI, containerIn, parseReport } from '../support/audit.ts';

const found = requireLab();
const title = 'the view of an agent';
if (isSkipped(found)) {
  test.skip(`${title} (skipped, because ${found.skipped})`, () => undefined);
} else {
  const lab = found;
  describe(title, () => {
    let directory: string;
    let plain: Container;
    let apart: Container;
    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'userns-audit-agent-'));
      cpSync(dirname(CLI), directory, { recursive: true });
      // The agent is another user.
      chmodSync(directory, 0o755);
      plain = startContainer(lab, { uid: 1000 });
      apart = startContainer(lab, { namespaces: { user: 'new' }, uid: 1000 });
    });
    afterAll(() => {
      stopAll();
      rmSync(directory, { recursive: true });
    });

    async function auditFrom(options: ContainerOptions, script = AUDIT): Promise<NodeReport> {
      const mounts = [
        ...nodeMounts(process.execPath, directory),
        bind('/proc', '/host/proc'),
        ...(options.mounts ?? []),
      ];
      const reader = startContainer(lab, { ...options, mounts, args: ['sh', '-c', `${script}; echo; echo done`] });
      try {
        return parseReport(await outputOf(reader));
      } finally {
        reader.stop();
      }
    }

    const AUDIT = '/opt/node /agent/userns-audit.cjs node --host-root /host -o json --fail-on never';

    test('uid 65532 with CAP_SYS_PTRACE alone sees every namespace', async () => {
      const report = await auditFrom({
        uid: 65_532,
        capabilities: [],
        ambientCapabilities: ['CAP_SYS_PTRACE'],
        noNewPrivileges: true,
      });
      expect(report.facts.sight).toMatchObject({ complete: true, procfs: 'host', namespaceLinks: 'readable' });
      expect(containerIn(report, plain.id)).toMatchObject({ vector: '-pnium--', hostUid: { value: 1000 } });
      expect(containerIn(report, apart.id)).toMatchObject({ vector: 'Upnium--', rootHostUid: { value: 100_000 } });
    });

    test('uid 65532 with no capability proves user, PID and network namespaces, and says what it can not see', async () => {
      const report = await auditFrom({ uid: 65_532, capabilities: [] });
      expect(report.facts.sight).toMatchObject({ complete: false, procfs: 'host', namespaceLinks: 'denied' });
      expect(containerIn(report, plain.id)).toMatchObject({
        vector: '-pn?????',
        namespaces: { user: { basis: 'uid_map' }, pid: { basis: 'NSpid' }, net: { basis: 'net/dev' } },
      });
      expect(containerIn(report, apart.id).vector).toBe('Upn?????');
    });

    test('root without CAP_SYS_PTRACE is not taken in by the part it can see', async () => {
      const report = await auditFrom({ capabilities: [] });
      expect(report.facts.sight).toMatchObject({ complete: false, namespaceLinks: 'denied' });
      expect(containerIn(report, plain.id).vector).toBe('-pn?????');
    });

    test('a reader in a user namespace of its own does not trust the ids it sees', async () => {
      const report = await auditFrom({ namespaces: { user: 'new' }, capabilities: ['CAP_SYS_PTRACE'] });
      expect(report.facts.sight).toMatchObject({ complete: false, userNamespace: 'child' });
      const seen = containerIn(report, plain.id);
      expect(seen).toMatchObject({
        namespaces: { user: { relation: 'unknown' } },
        hostUid: { ok: false },
        rootHostUid: { ok: false },
      });
      expect(report.findings.find(({ rule }) => rule === 'user-namespace-limit')).toMatchObject({ status: 'unknown' });
    });

    test('a reader without the procfs of the host knows that it is blind', async () => {
      const report = await auditFrom({}, '/opt/node /agent/userns-audit.cjs node -o json --fail-on never');
      expect(report.facts.sight).toMatchObject({ complete: false, procfs: 'child' });
    });

    test.each(['invisible', 'noaccess'])(
      'hidepid=%s takes processes away from a reader without privilege, and it says so',
      async (mode) => {
        const remount = `mount -t proc -o hidepid=${mode} proc /host/proc 2>/dev/null || exit 9`;
        const reader = startContainer(lab, {
          namespaces: { pid: 'host' },
          capabilities: ['CAP_SYS_ADMIN', 'CAP_SETUID', 'CAP_SETGID'],
          mounts: nodeMounts(process.execPath, directory),
          args: [
            'sh',
            '-c',
            `${remount}; /usr/bin/setpriv --reuid 65532 --regid 65532 --clear-groups ${AUDIT}; echo; echo done`,
          ],
        });
        try {
          const report = parseReport(await outputOf(reader));
          expect(report.facts.sight.complete).toBe(false);
          expect(report.facts.sight.reasons.join()).toContain('hidepid');
        } finally {
          reader.stop();
        }
      },
    );
  });
}

/** What the container's program printed, once it is done. */
async function outputOf(container: Container): Promise<string> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const output = container.output();
    if (output.endsWith('done\n')) return output.slice(0, output.lastIndexOf('done'));
    if (Date.now() > deadline) throw new Error(`the audit in the container did not end: ${output.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
