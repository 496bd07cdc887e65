import type { Profile } from '../../core/profile.ts';
import { BASELINE_CONTROLS } from './pod-security-baseline.ts';

export const podSecurityRestricted: Profile = {
  id: 'pod-security-restricted',
  title: 'Pod Security Standards, Restricted: what speaks of host namespaces and of root',
  benchmark: 'Kubernetes Pod Security Standards',
  source: 'https://github.com/kubernetes/pod-security-admission, policy/check_*.go at 8f84a87',
  controls: [
    ...BASELINE_CONTROLS.map((control) =>
      control.id === 'procMount'
        ? { ...control, note: 'Restricted wants Default whatever hostUsers is, in every version.' }
        : control,
    ),
    {
      id: 'runAsNonRoot',
      title: 'Running as Non-root',
      rules: ['root-in-host-user-namespace'],
      verified: true,
      note: 'With hostUsers: false any value passes from 1.35 on.',
    },
    {
      id: 'runAsUser',
      title: 'Running as Non-root user',
      rules: ['root-in-host-user-namespace'],
      verified: true,
      note: 'With hostUsers: false any value passes from 1.35 on.',
    },
  ],
  podSecurity: 'restricted',
};
