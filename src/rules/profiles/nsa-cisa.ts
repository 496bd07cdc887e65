import type { Profile } from '../../core/profile.ts';

const NOTE = 'Id as in the specification k8s-nsa-1.0 of Trivy; the section names of the guide itself are not verified.';

export const nsaCisa: Profile = {
  id: 'nsa-cisa',
  title: 'NSA and CISA Kubernetes Hardening Guidance, host namespaces',
  benchmark: 'Kubernetes Hardening Guidance, by the numbers of k8s-nsa-1.0',
  source: 'https://github.com/aquasecurity/trivy-checks, pkg/compliance/k8s-nsa-1.0.yaml',
  notCovered:
    'Everything but shared namespaces. Other tools map 1.4 and 1.5 to each other’s checks; here they follow their words.',
  controls: [
    {
      id: '1.3',
      title: 'Containers of a pod do not share one PID namespace',
      assessment: 'manual',
      notCovered: 'All of it: look for shareProcessNamespace: true.',
      rules: [],
      verified: false,
      note: `${NOTE} No rule answers it: shareProcessNamespace shares nothing with the host.`,
    },
    {
      id: '1.4',
      title: 'No pod shares the host’s PID namespace',
      assessment: 'automated',
      rules: ['host-ipc-namespace', 'host-pid-namespace'],
      verified: false,
      note: `${NOTE} The host IPC namespace has no id of its own there.`,
    },
    {
      id: '1.5',
      title: 'No pod uses the host’s network',
      assessment: 'automated',
      rules: ['host-network-namespace'],
      verified: false,
      note: NOTE,
    },
  ],
};
