import { isJudged, onPlatform } from '../core/pod-user-namespace.ts';
import type { WorkloadRule } from '../core/rule.ts';

export const hostIpcNamespace: WorkloadRule = {
  kind: 'workload',
  id: 'host-ipc-namespace',
  title: 'The pod does not share the host’s IPC namespace',
  severity: 'high',
  rationale:
    'In the host’s IPC namespace a container reaches the shared memory, semaphores and message queues of the node and of every other pod that shares them, as far as their permissions allow; as root that is all of them. hostUsers: false can not be combined with it.',
  remediation:
    'Drop hostIPC: true, in a Compose file ipc: host. Containers of one pod share an IPC namespace anyway; Compose services share one with ipc: shareable and ipc: service:NAME.',
  references: [
    'https://kubernetes.io/docs/concepts/security/pod-security-standards/',
    'https://man7.org/linux/man-pages/man7/ipc_namespaces.7.html',
    'CIS Kubernetes Benchmark 1.12, 5.2.4',
    'CIS Docker Benchmark 1.6.0, 5.17',
  ],
  *check(workload, target) {
    if (!isJudged(workload, target) || workload.podSpec.hostIPC !== true) return;
    yield {
      path: ['hostIPC'],
      message: "shares the host's IPC namespace: it reaches shared memory and semaphores of the node",
      fix: onPlatform(workload, { kubernetes: 'Drop hostIPC: true.', docker: 'Drop ipc: host.' }),
    };
  },
};
