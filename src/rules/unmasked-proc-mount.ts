import { couldAddHostUsers, hasOwnUserNamespace, isJudged, isSince, onPlatform } from '../core/pod-user-namespace.ts';
import type { JudgedFor, WorkloadRule } from '../core/rule.ts';
import { containersOf, type Workload } from '../core/workload.ts';

export const unmaskedProcMount: WorkloadRule = {
  kind: 'workload',
  id: 'unmasked-proc-mount',
  title: 'The masks over /proc are lifted only in a user namespace',
  severity: 'high',
  rationale:
    'The runtime hides /proc/kcore, /proc/keys, /proc/sys and others, for most of them speak of the node and not of the container. procMount: Unmasked lifts that; in a user namespace of its own the kernel still refuses what matters, in the host’s it does not.',
  remediation:
    'Add hostUsers: false beside procMount: Unmasked, or drop procMount. The API server asks for the same since 1.30; Pod Security Baseline accepts the pair from 1.35 on, Restricted never.',
  references: [
    'https://kubernetes.io/docs/concepts/security/pod-security-standards/',
    'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/4265-proc-mount',
  ],
  *check(workload, target) {
    if (!isJudged(workload, target) || isAllowed(workload, target)) return;
    for (const { container, path } of containersOf(workload.podSpec)) {
      const { procMount } = container.securityContext ?? {};
      if (procMount === undefined || procMount === 'Default') continue;
      yield {
        path: [...path, 'securityContext', 'procMount'],
        message: `lifts the masks over /proc${reason(workload)}`,
        fix: onPlatform(workload, {
          kubernetes: couldAddHostUsers(workload) ? 'Add hostUsers: false, or drop procMount.' : 'Drop procMount.',
          docker: 'Drop systempaths=unconfined from security_opt.',
        }),
      };
    }
  },
};

function isAllowed(workload: Workload, target: JudgedFor): boolean {
  if (target.podSecurity === undefined) return hasOwnUserNamespace(workload, target);
  return target.podSecurity === 'baseline' && workload.podSpec.hostUsers === false && isSince(target, 35);
}

function reason({ podSpec }: Workload): string {
  return podSpec.hostUsers === false
    ? ', which is not accepted here even with hostUsers: false'
    : " in the host's user namespace";
}
