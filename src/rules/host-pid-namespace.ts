import { isJudged, onPlatform } from '../core/pod-user-namespace.ts';
import type { WorkloadRule } from '../core/rule.ts';

export const hostPidNamespace: WorkloadRule = {
  kind: 'workload',
  id: 'host-pid-namespace',
  title: 'The pod does not share the host’s PID namespace',
  severity: 'high',
  rationale:
    'In the host’s PID namespace a container sees every process of the node with its command line, can signal those of its own uid, and with CAP_SYS_PTRACE reads their memory and environment and walks into their files through /proc/PID/root. hostUsers: false can not be combined with it.',
  remediation:
    'Drop hostPID: true, in a Compose file pid: host. An agent that must see processes is better served by a read-only mount of /proc.',
  references: [
    'https://kubernetes.io/docs/concepts/security/pod-security-standards/',
    'https://man7.org/linux/man-pages/man7/pid_namespaces.7.html',
    'CIS Kubernetes Benchmark 1.12, 5.2.3',
    'CIS Docker Benchmark 1.6.0, 5.16',
  ],
  *check(workload, target) {
    if (!isJudged(workload, target) || workload.podSpec.hostPID !== true) return;
    yield {
      path: ['hostPID'],
      message: "shares the host's PID namespace: it sees every process of the node",
      fix: onPlatform(workload, { kubernetes: 'Drop hostPID: true.', docker: 'Drop pid: host.' }),
    };
  },
};
