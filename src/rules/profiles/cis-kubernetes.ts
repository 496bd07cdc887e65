import type { Profile, ProfileControl } from '../../core/profile.ts';

/** Editions that number the three controls otherwise than 1.23, 1.24 and 1.7 to 1.12 do. */
const EARLIER = ['1.6', '1.20', 'Red Hat OpenShift 1.0 to 1.9.0'];
const MANAGED = ['EKS', 'AKS', 'GKE 1.2'];

const ADMISSION =
  'Whether the cluster refuses such pods (Pod Security Admission, a policy engine, an SCC): the rules see the workloads that are there, and the SCCs of OpenShift.';

export const cisKubernetes: Profile = {
  id: 'cis-kubernetes',
  title: 'CIS Kubernetes Benchmark, host namespaces',
  benchmark: 'CIS Kubernetes Benchmark 1.23, 1.24 and 1.7 to 1.12 (Kubernetes 1.23 to 1.34)',
  source: 'https://github.com/aquasecurity/kube-bench, cfg/ at a73ce37',
  notCovered:
    'Everything but host namespaces. No control of it asks for user namespaces. GKE 1.9.0 folded the three into 4.2.1, Pod Security Baseline for all namespaces; editions from 2.0 on are not verified.',
  controls: [
    control('5.2.3', 'Few workloads, if any, share the host’s PID namespace', 'host-pid-namespace', ['5.2.2', '4.2.2']),
    control('5.2.4', 'Few workloads, if any, share the host’s IPC namespace', 'host-ipc-namespace', ['5.2.3', '4.2.3']),
    control('5.2.5', 'Few workloads, if any, share the host’s network namespace', 'host-network-namespace', [
      '5.2.4',
      '4.2.4',
    ]),
  ],
};

function control(
  id: string,
  title: string,
  rule: string,
  [earlier, managed]: readonly [string, string],
): ProfileControl {
  const numbered = [...EARLIER.map((edition) => [edition, earlier]), ...MANAGED.map((edition) => [edition, managed])];
  return {
    id,
    title,
    assessment: 'automated',
    rules: [rule, 'scc-host-namespaces'],
    otherIds: Object.fromEntries(numbered) as Readonly<Record<string, string>>,
    verified: true,
    notCovered: ADMISSION,
  };
}
