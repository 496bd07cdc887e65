import { isJudged, onPlatform } from '../core/pod-user-namespace.ts';
import type { WorkloadRule } from '../core/rule.ts';

export const hostNetworkNamespace: WorkloadRule = {
  kind: 'workload',
  id: 'host-network-namespace',
  title: 'The pod does not share the host’s network namespace',
  severity: 'high',
  rationale:
    'With the host’s network a container reaches services that listen on the node’s loopback, speaks with the node’s address, escapes network policies, and with CAP_NET_RAW or CAP_NET_ADMIN listens to or changes the traffic of the node. containerd and cri-dockerd give it the host’s UTS namespace as well, CRI-O does not.',
  remediation:
    'Drop hostNetwork: true, in a Compose file network_mode: host, and publish what must be reached with a Service, a hostPort or ports.',
  references: [
    'https://kubernetes.io/docs/concepts/security/pod-security-standards/',
    'https://man7.org/linux/man-pages/man7/network_namespaces.7.html',
    'CIS Kubernetes Benchmark 1.12, 5.2.5',
    'CIS Docker Benchmark 1.6.0, 5.10',
  ],
  *check(workload, target) {
    if (!isJudged(workload, target) || workload.podSpec.hostNetwork !== true) return;
    yield {
      path: ['hostNetwork'],
      message: onPlatform(workload, {
        kubernetes:
          "shares the host's network namespace, and on containerd and cri-dockerd (not on CRI-O) the host's UTS namespace with it",
        docker: "shares the host's network namespace",
      }),
      fix: onPlatform(workload, { kubernetes: 'Drop hostNetwork: true.', docker: 'Drop network_mode: host.' }),
    };
  },
};
