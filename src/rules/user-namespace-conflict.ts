import { isSince, sharedHostNamespaces } from '../core/pod-user-namespace.ts';
import type { JudgedFor, Violation, WorkloadRule } from '../core/rule.ts';
import { containersOf, type Workload } from '../core/workload.ts';

/**
 * The feature gate by which the API server takes `hostNetwork: true` beside `hostUsers: false`; alpha, and off by default. A kubelet
 * whose own gate is on and whose runtime can do it declares it by the same name in `status.declaredFeatures` of its node
 * (KEP-5607; component-helpers/nodedeclaredfeatures, 1.36).
 */
export const HOST_NETWORK_GATE = 'UserNamespacesHostNetworkSupport';

/** True where the API server has that gate. */
export function hasHostNetworkGate(target: JudgedFor): boolean {
  return isSince(target, 35);
}

export const userNamespaceConflict: WorkloadRule = {
  kind: 'workload',
  id: 'user-namespace-conflict',
  title: 'hostUsers: false is not combined with what the API server rejects',
  severity: 'high',
  rationale:
    'The API server refuses a pod that asks for a user namespace of its own and for a host namespace or a raw block device at once. It refuses the template of a Deployment as well (seen with 1.36, hostPID): such a manifest fails when it is applied, or its pods never start.',
  remediation:
    'Decide for one: drop the host namespace or the volumeDevices, or drop hostUsers: false. Windows pods must not set hostUsers at all.',
  references: [
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/#limitations',
    'https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/validation.go',
    'https://github.com/kubernetes/kubernetes/pull/132868',
    'https://github.com/kubernetes/enhancements/issues/5607',
  ],
  *check(workload, target) {
    const { podSpec, platform } = workload;
    if (platform !== 'kubernetes' || podSpec.hostUsers === undefined || !isSince(target, 25)) return;
    if (podSpec.osName === 'windows')
      yield {
        path: ['hostUsers'],
        message: 'is a Windows pod that sets hostUsers: the API server rejects it',
        fix: 'Drop hostUsers.',
      };
    else if (!podSpec.hostUsers) yield* judgeCombination(workload, target);
  },
};

function* judgeCombination({ podSpec }: Workload, target: JudgedFor): Iterable<Violation> {
  for (const field of sharedHostNamespaces(podSpec)) {
    const gated = field === 'hostNetwork' && hasHostNetworkGate(target);
    if (gated && target.isAdmitted) continue;
    yield {
      path: [field],
      message: `combines ${field}: true with hostUsers: false: the API server rejects its pods${gated ? `, unless the alpha gate ${HOST_NETWORK_GATE} is on` : ''}`,
      fix: `Drop ${field}: true or hostUsers: false.`,
    };
  }
  if (!isSince(target, 35)) return;
  for (const { container, path } of containersOf(podSpec)) {
    if ((container.volumeDevices ?? []).length === 0) continue;
    yield {
      path: [...path, 'volumeDevices'],
      message: `combines volumeDevices of container ${container.name} with hostUsers: false: the API server rejects its pods`,
      fix: 'Drop volumeDevices or hostUsers: false.',
    };
  }
}
