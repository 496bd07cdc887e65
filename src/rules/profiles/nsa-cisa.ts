import type { Profile } from '../../core/profile.ts';

const NOTE =
  'Id and title as in the specification k8s-nsa-1.0 of Trivy; the section names of the guide itself are not verified.';

export const nsaCisa: Profile = {
  id: 'nsa-cisa',
  title: 'NSA and CISA Kubernetes Hardening Guidance, host namespaces',
  benchmark: 'Kubernetes Hardening Guidance, by the numbers of k8s-nsa-1.0',
  source: 'https://github.com/aquasecurity/trivy-checks, pkg/compliance/k8s-nsa-1.0.yaml',
  controls: [
    {
      id: '1.3',
      title: 'Share containers process namespaces',
      rules: [],
      verified: false,
      note: `${NOTE} No rule answers it: shareProcessNamespace shares nothing with the host.`,
    },
    {
      id: '1.4',
      title: 'Share host process namespaces',
      rules: ['host-ipc-namespace', 'host-pid-namespace'],
      verified: false,
      note: `${NOTE} The host IPC namespace has no id of its own there.`,
    },
    { id: '1.5', title: 'Use the host network', rules: ['host-network-namespace'], verified: false, note: NOTE },
  ],
};
