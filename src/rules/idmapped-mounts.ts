import type { NodeFacts } from '../core/facts.ts';
import { isAtLeast } from '../core/kernel-version.ts';
import { engineOf } from '../core/readiness.ts';
import { fail, type NodeRule, notApplicable, pass, unknown } from '../core/rule.ts';

export const idmappedMounts: NodeRule = {
  kind: 'node',
  id: 'idmapped-mounts',
  title: 'The kernel can idmap the mounts of pods',
  severity: 'medium',
  readiness: 'kubernetes',
  rationale:
    'Kubernetes gives a pod with hostUsers: false its image and volumes through idmapped mounts. Linux has them since 5.12, overlayfs since 5.19, and tmpfs, which holds Secrets and service account tokens, since 6.3.',
  remediation:
    'Run Linux 6.3 or later, or a distribution kernel with the backports (RHEL 9 as shipped with OpenShift 4.20).',
  references: [
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/',
    'https://man7.org/linux/man-pages/man2/mount_setattr.2.html',
  ],
  check(facts) {
    const { kernelRelease } = facts;
    if (engineOf(facts) === 'Docker') return notApplicable('Docker maps ids without idmapped mounts');
    if (!kernelRelease.ok)
      return unknown('the kernel release is not known', [
        { source: kernelRelease.source, value: kernelRelease.detail },
      ]);
    const { value: release, source } = kernelRelease;
    const evidence = [{ source, value: release.raw }];
    if (isAtLeast(release, 6, 3))
      return pass(`Linux ${release.version.join('.')} idmaps all filesystems pods need (6.3 or later)`, evidence);
    const running = privatePods(facts);
    if (running > 0) return pass(`${running} pods run in private user namespaces here`, evidence);
    if (release.family === 'rhel' && release.familyMajor === 9) {
      return unknown(
        'RHEL 9 has part of the support backported; a running pod with hostUsers: false would prove it',
        evidence,
      );
    }
    const lacking = isAtLeast(release, 5, 12)
      ? 'tmpfs can not be idmapped, so Secrets and service account tokens can not be mounted'
      : 'no filesystem can be idmapped';
    return fail(
      `Linux ${release.version.join('.')} is older than 6.3: ${lacking}`,
      evidence,
      'Boot a kernel of Linux 6.3 or later.',
    );
  },
};

function privatePods({ containers }: NodeFacts): number {
  const pods = containers.filter(
    ({ podUid, namespaces }) => podUid !== undefined && namespaces.user.relation === 'private',
  );
  return new Set(pods.map(({ podUid }) => podUid)).size;
}
