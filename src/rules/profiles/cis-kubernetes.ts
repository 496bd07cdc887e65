import type { Profile } from '../../core/profile.ts';

const EARLY = '1.6, 1.20, and CIS Red Hat OpenShift 1.0 to 1.9.0';
const MANAGED = 'EKS, AKS, GKE 1.2';

export const cisKubernetes: Profile = {
  id: 'cis-kubernetes',
  title: 'CIS Kubernetes Benchmark, host namespaces',
  benchmark: 'CIS Kubernetes Benchmark 1.23, 1.24 and 1.7 to 1.12 (Kubernetes 1.23 to 1.34)',
  source: 'https://github.com/aquasecurity/kube-bench, cfg/ at a73ce37',
  controls: [
    {
      id: '5.2.3',
      title: 'Minimize the admission of containers wishing to share the host process ID namespace',
      rules: ['host-pid-namespace', 'scc-host-namespaces'],
      otherIds: { [EARLY]: '5.2.2', [MANAGED]: '4.2.2' },
      verified: true,
    },
    {
      id: '5.2.4',
      title: 'Minimize the admission of containers wishing to share the host IPC namespace',
      rules: ['host-ipc-namespace', 'scc-host-namespaces'],
      otherIds: { [EARLY]: '5.2.3', [MANAGED]: '4.2.3' },
      verified: true,
    },
    {
      id: '5.2.5',
      title: 'Minimize the admission of containers wishing to share the host network namespace',
      rules: ['host-network-namespace', 'scc-host-namespaces'],
      otherIds: { [EARLY]: '5.2.4', [MANAGED]: '4.2.4' },
      verified: true,
    },
  ],
};
