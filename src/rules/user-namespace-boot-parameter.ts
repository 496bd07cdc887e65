import { booleanParameter } from '../core/boot-parameters.ts';
import { evidenceOf } from '../core/evidence.ts';
import type { NodeFacts } from '../core/facts.ts';
import { rhel7Minor } from '../core/kernel-version.ts';
import { fail, type NodeRule, notApplicable, pass, unknown, type Verdict } from '../core/rule.ts';

const PARAMETER = 'user_namespace.enable';
const ENABLE = `grubby --update-kernel=ALL --args="${PARAMETER}=1" && reboot`;

export const userNamespaceBootParameter: NodeRule = {
  kind: 'node',
  id: 'user-namespace-boot-parameter',
  title: 'User namespaces are not switched off at boot',
  severity: 'high',
  readiness: 'kernel',
  rationale:
    'The kernels of RHEL and CentOS 7.2 and 7.3 have user namespaces built in but switched off until the boot parameter user_namespace.enable=1 is given. From 7.4 on the sysctl user.max_user_namespaces replaces it, and the parameter has no effect any more.',
  remediation:
    'RHEL 7.2 and 7.3: grubby --update-kernel=ALL --args="user_namespace.enable=1" and reboot. 7.0 and 7.1: update first. 7.4 and later: set user.max_user_namespaces instead.',
  references: [
    'https://github.com/moby/moby/blob/v24.0.0/contrib/check-config.sh',
    'https://github.com/containers/bubblewrap/issues/102',
    'https://github.com/hpc/charliecloud/blob/v0.9.0/README.EL7',
  ],
  check(facts) {
    const { userNamespaceEnable: state } = facts.moduleSwitches;
    const shown = evidenceOf(state, (on) => (on ? 'Y' : 'N'));
    const evidence = [shown, ...parameterEvidence(facts)];
    if (state.ok) {
      if (state.value) return pass(`${PARAMETER} is on`, evidence);
      return fail(`the kernel has user namespaces switched off: ${PARAMETER} is N`, evidence, ENABLE);
    }
    const release = facts.kernelRelease;
    if (!release.ok && state.why === 'absent')
      return unknown('the kernel release is not known, so neither whether it has this switch', [
        evidenceOf(release),
        ...evidence,
      ]);
    const minor = release.ok ? rhel7Minor(release.value) : undefined;
    const kernel = evidenceOf(release, ({ raw }) => raw);
    if (release.ok && minor === undefined)
      return notApplicable('only the kernels of RHEL 7.2 and 7.3 have this switch', [kernel]);
    if (minor === undefined || (state.why !== 'absent' && minor < 4))
      return unknown(`whether ${PARAMETER} is on could not be read`, evidence);
    return judgeRhel7(minor, facts, [kernel, ...evidence]);
  },
};

function parameterEvidence({ bootParameters }: NodeFacts): Verdict['evidence'] {
  const given = (name: string): string => {
    if (!bootParameters.ok) return '';
    const last = bootParameters.value.findLast((parameter) => parameter.name === name);
    return last ? `${name}${last.value === undefined ? '' : `=${last.value}`}` : `no ${name}`;
  };
  return [evidenceOf(bootParameters, () => `${given(PARAMETER)}, ${given('namespace.unpriv_enable')}`)];
}

/** RHEL 7 without the switch's file: a host whose /sys is not visible, or a minor that has no such switch. */
function judgeRhel7(minor: number, facts: NodeFacts, evidence: Verdict['evidence']): Verdict {
  if (minor < 2) {
    return fail(
      `RHEL 7.${minor} has no usable user namespaces`,
      evidence,
      `yum update kernel && reboot    # 7.9 needs user.max_user_namespaces only; 7.2 and 7.3 need: ${ENABLE}`,
    );
  }
  if (minor >= 4) return notApplicable(limitDecides(minor, facts), evidence);
  const { bootParameters } = facts;
  if (!bootParameters.ok) return unknown('neither the switch nor the kernel command line could be read', evidence);
  if (booleanParameter(bootParameters.value, PARAMETER))
    return pass(`RHEL 7.${minor} was booted with ${PARAMETER}=1`, evidence);
  return fail(`RHEL 7.${minor} was booted without ${PARAMETER}=1, so user namespaces are off`, evidence, ENABLE);
}

function limitDecides(minor: number, { bootParameters }: NodeFacts): string {
  const given = bootParameters.ok && bootParameters.value.some(({ name }) => name === PARAMETER);
  const ignored = given ? `; ${PARAMETER} is given but has no effect since 7.4` : '';
  const unprivileged =
    minor < 6 ? '; unprivileged users also need: grubby --update-kernel=ALL --args="namespace.unpriv_enable=1"' : '';
  return `RHEL 7.${minor} has user.max_user_namespaces in place of this switch${ignored}${unprivileged}`;
}
