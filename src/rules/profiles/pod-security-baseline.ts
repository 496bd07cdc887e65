import type { Profile, ProfileControl } from '../../core/profile.ts';

/** Controls of the Baseline level that speak of host namespaces. */
export const BASELINE_CONTROLS: readonly ProfileControl[] = [
  {
    id: 'hostNamespaces',
    title: 'Host Namespaces',
    rules: ['host-ipc-namespace', 'host-network-namespace', 'host-pid-namespace'],
    verified: true,
  },
  {
    id: 'procMount',
    title: '/proc Mount Type',
    rules: ['unmasked-proc-mount'],
    verified: true,
    note: 'With hostUsers: false any value passes from 1.35 on.',
  },
];

export const podSecurityBaseline: Profile = {
  id: 'pod-security-baseline',
  title: 'Pod Security Standards, Baseline: what speaks of host namespaces',
  benchmark: 'Kubernetes Pod Security Standards',
  source: 'https://github.com/kubernetes/pod-security-admission, policy/check_*.go at 8f84a87',
  controls: BASELINE_CONTROLS,
  podSecurity: 'baseline',
};
