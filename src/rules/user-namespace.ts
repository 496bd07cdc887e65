import { enumerate, isLinux, isSince, sharedHostNamespaces } from '../core/pod-user-namespace.ts';
import type { Violation, WorkloadRule } from '../core/rule.ts';
import type { PodSpec } from '../core/workload.ts';

export const userNamespace: WorkloadRule = {
  kind: 'workload',
  id: 'user-namespace',
  title: 'The pod runs in its own user namespace',
  severity: 'medium',
  rationale:
    'In a user namespace of its own, root of the container is nobody on the node, and capabilities hold only inside. Kubernetes gives it to a pod for one line, hostUsers: false, stable since 1.36 and on by default since 1.33; without the line the pod shares the host’s.',
  remediation:
    'Add hostUsers: false to the pod spec. In a Compose file drop userns_mode: host, and let the daemon remap (userns-remap).',
  references: [
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/',
    'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces',
    'CIS Docker Benchmark 1.6.0, 5.31',
  ],
  *check(workload, target) {
    const { podSpec, platform } = workload;
    if (platform === 'docker') {
      if (podSpec.hostUsers === true)
        yield {
          path: ['hostUsers'],
          message: 'refuses the user namespace a remapping daemon would give it',
          fix: 'Drop userns_mode: host.',
        };
      return;
    }
    if (!isLinux(workload) || !isSince(target, 33) || podSpec.hostUsers === false) return;
    if (workload.containersOnly === true && podSpec.hostUsers === undefined) return;
    yield { path: ['hostUsers'], ...describe(podSpec) };
  },
};

function describe(podSpec: PodSpec): Pick<Violation, 'message' | 'fix'> {
  const shared = sharedHostNamespaces(podSpec);
  const message = "runs in the host's user namespace: root in it is root on the node";
  if (shared.length === 0) return { message, fix: 'Add hostUsers: false to the pod spec.' };
  const settings = enumerate(shared.map((field) => `${field}: true`));
  return { message: `${message}; ${settings} stands in the way`, fix: `Drop ${settings}, then add hostUsers: false.` };
}
