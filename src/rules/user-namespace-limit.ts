import { evidenceOf } from '../core/evidence.ts';
import type { NodeFacts } from '../core/facts.ts';
import { isAtLeast, rhel7Minor } from '../core/kernel-version.ts';
import { fail, type NodeRule, notApplicable, pass, unknown, type Verdict } from '../core/rule.ts';

const SYSCTL = 'user.max_user_namespaces';

/** What Red Hat's own recipe for RHEL 7 sets. */
const SUGGESTED = 15_076;

/** More pods than any kubelet is set to run on one node. */
const MOST_PODS = 2048;

export const userNamespaceLimit: NodeRule = {
  kind: 'node',
  id: 'user-namespace-limit',
  title: 'user.max_user_namespaces leaves room for every pod',
  severity: 'high',
  readiness: 'kernel',
  rationale:
    'The sysctl limits how many user namespaces each user may create; 0 means none, and clone(2) fails with ENOSPC, "no space left on device". RHEL 7.4 and later, Talos and Bottlerocket ship 0, and hardening guides ask for it.',
  remediation: `Set ${SYSCTL} above the number of pods, in a file of /etc/sysctl.d so that it outlasts a reboot.`,
  references: [
    'https://docs.kernel.org/admin-guide/sysctl/user.html',
    'https://github.com/siderolabs/talos/blob/main/pkg/kernel/kspp/kspp.go',
    'https://github.com/bottlerocket-os/bottlerocket-core-kit/blob/develop/packages/release/release-sysctl.conf',
  ],
  check(facts) {
    const limit = facts.sysctls[SYSCTL];
    const evidence = [evidenceOf(limit, (value) => `${SYSCTL} = ${value}`)];
    if (!limit.ok)
      return limit.why === 'absent' ? judgeAbsent(facts, evidence) : unknown(`${SYSCTL} could not be read`, evidence);
    if (limit.value <= 0)
      return fail(`${SYSCTL} is ${limit.value}: no user namespace can be created`, evidence, fixFor(facts, SUGGESTED));
    if (facts.sight.userNamespace === 'child') {
      return unknown(
        `${SYSCTL} is that of the reader's own user namespace; the host's can not be read from inside`,
        evidence,
      );
    }
    const { presence, maxPods, config } = facts.kubelet;
    if (presence !== 'absent' && limit.value < maxPods.value) {
      const room = [...evidence, { source: maxPods.source, value: `maxPods: ${maxPods.value}` }];
      return fail(
        `${SYSCTL} is ${limit.value}, fewer than this node's ${maxPods.value} pods`,
        room,
        fixFor(facts, Math.max(SUGGESTED, maxPods.value)),
      );
    }
    if (presence !== 'absent' && limit.value < MOST_PODS && !config.ok && config.why !== 'absent')
      return unknown(`whether ${limit.value} is enough for maxPods could not be read`, [
        ...evidence,
        evidenceOf(config),
      ]);
    return pass(`${SYSCTL} is ${limit.value}`, evidence);
  },
};

/** The sysctl came with Linux 4.9 and was backported to RHEL 7.4. */
function judgeAbsent({ kernelRelease, sight }: NodeFacts, evidence: Verdict['evidence']): Verdict {
  if (kernelRelease.ok && sight.procfs !== 'absent') {
    const { value: release } = kernelRelease;
    const minor = rhel7Minor(release);
    const predates = minor === undefined ? !isAtLeast(release, 4, 9) : minor < 4;
    if (predates)
      return notApplicable(`${release.raw} has no ${SYSCTL}: the limit came with Linux 4.9 and RHEL 7.4`, evidence);
  }
  return unknown(`${SYSCTL} is not there to read`, evidence);
}

function fixFor({ osRelease }: NodeFacts, value: number): string {
  const id = osRelease.ok ? osRelease.value.id : '';
  if (id === 'talos') return `machine config:\n  machine:\n    sysctls:\n      ${SYSCTL}: "${value}"`;
  if (id === 'bottlerocket') return `apiclient set 'settings.kernel.sysctl."${SYSCTL}"="${value}"'`;
  return `echo '${SYSCTL} = ${value}' > /etc/sysctl.d/99-user-namespaces.conf && sysctl --system`;
}
