import type { Profile } from '../../core/profile.ts';
import { BASELINE_CONTROLS } from './pod-security-baseline.ts';

export const podSecurityRestricted: Profile = {
  id: 'pod-security-restricted',
  title: 'Pod Security Standards, Restricted: what speaks of host namespaces and of root',
  benchmark: 'Kubernetes Pod Security Standards',
  source: 'https://github.com/kubernetes/pod-security-admission, policy/check_*.go at 8f84a87',
  notCovered:
    'The other controls of Baseline and Restricted: volume types, privilege escalation, seccomp, capabilities, and those Baseline leaves out here.',
  controls: [
    ...BASELINE_CONTROLS.map((control) =>
      control.id === 'procMount'
        ? { ...control, note: 'Restricted wants Default whatever hostUsers is, in every version.' }
        : control,
    ),
    {
      id: 'runAsNonRoot',
      title: 'Every container must run as another user than root',
      assessment: 'automated',
      rules: ['root-in-host-user-namespace'],
      verified: true,
      note: 'With hostUsers: false any value passes from 1.35 on.',
    },
    {
      id: 'runAsUser',
      title: 'No container sets the user root',
      assessment: 'automated',
      rules: ['root-in-host-user-namespace'],
      verified: true,
      note: 'With hostUsers: false any value passes from 1.35 on.',
    },
  ],
  podSecurity: 'restricted',
};
