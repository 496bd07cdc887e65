import { evidenceOf } from '../core/evidence.ts';
import { fail, type NodeRule, notApplicable, unknown } from '../core/rule.ts';

const SYSCTL = 'user.max_user_namespaces';
const GUIDES = 'DISA STIG RHEL-09-213105 (V-257816), RHEL-08-040284 and the KSPP settings';

export const hardeningConflict: NodeRule = {
  kind: 'node',
  id: 'hardening-conflict',
  title: 'Hardening guides and private user namespaces ask for opposite values',
  severity: 'info',
  readiness: 'none',
  rationale:
    'DISA STIG and the Kernel Self-Protection Project want user.max_user_namespaces to be 0, because user namespaces widen what an attacker reaches in the kernel. hostUsers: false needs it above 0. One machine can not satisfy both, so the choice must be written down.',
  remediation:
    'Decide, and record the exception: the STIG rule does not apply where containers are in use and the need is documented with the ISSM.',
  references: [
    'https://www.stigviewer.com/stigs/red_hat_enterprise_linux_9/',
    'https://kspp.github.io/Recommended_Settings',
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/',
  ],
  check({ sysctls }) {
    const limit = sysctls[SYSCTL];
    const evidence = [evidenceOf(limit, (value) => `${SYSCTL} = ${value}`)];
    if (!limit.ok)
      return limit.why === 'absent'
        ? notApplicable(`there is no ${SYSCTL}`, evidence)
        : unknown(`${SYSCTL} could not be read`, evidence);
    if (limit.value === 0)
      return fail(`${SYSCTL} is 0, as ${GUIDES} ask; hostUsers: false can not work with it`, evidence);
    return fail(`${SYSCTL} is ${limit.value}, as hostUsers: false needs; ${GUIDES} ask for 0`, evidence);
  },
};
