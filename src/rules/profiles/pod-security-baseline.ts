import type { Profile, ProfileControl } from '../../core/profile.ts';

/** Controls of the Baseline level that speak of host namespaces. */
export const BASELINE_CONTROLS: readonly ProfileControl[] = [
  {
    id: 'hostNamespaces',
    title: 'No pod shares the host’s network, PID or IPC namespace',
    assessment: 'automated',
    rules: ['host-ipc-namespace', 'host-network-namespace', 'host-pid-namespace'],
    verified: true,
  },
  {
    id: 'procMount',
    title: 'The masks over /proc stay in place',
    assessment: 'automated',
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
  notCovered:
    'The other controls of the level: privileged containers, capabilities, hostPath, host ports, AppArmor, SELinux, seccomp, sysctls, HostProcess.',
  controls: BASELINE_CONTROLS,
  podSecurity: 'baseline',
};
