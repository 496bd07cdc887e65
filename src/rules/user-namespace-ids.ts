import { enumerate, isLinux } from '../core/pod-user-namespace.ts';
import type { Violation, WorkloadRule } from '../core/rule.ts';
import { containersOf, type PodSpec } from '../core/workload.ts';

/** Ids the kubelet gives a pod: 0 to 65535, unless `userNamespaces.idsPerPod` is raised on the node. */
const IDS_PER_POD = 65_536;

export const userNamespaceIds: WorkloadRule = {
  kind: 'workload',
  id: 'user-namespace-ids',
  title: 'Every user and group id fits the pod’s id range',
  severity: 'medium',
  rationale:
    'A pod with hostUsers: false has the ids 0 to 65535 and no others, unless its node was given more (idsPerPod). A container that is to run as uid 1000660000 does not start, and files of an unmapped group are nobody’s.',
  remediation:
    'Choose ids below 65536. On OpenShift use the restricted-v3 SCC, or lower the namespace’s openshift.io/sa.scc.uid-range and supplemental-groups.',
  references: [
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/',
    'https://kubernetes.io/docs/tasks/configure-pod-container/user-namespaces/',
    'https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/nodes/working-with-pods',
  ],
  *check(workload) {
    const { podSpec, platform } = workload;
    if (platform !== 'kubernetes' || !isLinux(workload) || podSpec.hostUsers !== false) return;
    for (const field of ['runAsUser', 'runAsGroup'] as const) yield* judgeInherited(podSpec, field);
    const { fsGroup, supplementalGroups } = podSpec.securityContext ?? {};
    yield* judge(fsGroup, ['securityContext', 'fsGroup']);
    for (const [index, group] of (supplementalGroups ?? []).entries())
      yield* judge(group, ['securityContext', 'supplementalGroups', index]);
  },
};

/** A field of the pod that its containers inherit, or set for themselves. */
function* judgeInherited(podSpec: PodSpec, field: 'runAsUser' | 'runAsGroup'): Iterable<Violation> {
  const containers = containersOf(podSpec);
  const heirs = containers.filter(({ container }) => container.securityContext?.[field] === undefined);
  if (heirs.length > 0)
    yield* judge(
      podSpec.securityContext?.[field],
      ['securityContext', field],
      ` for ${enumerate(heirs.map(({ container }) => container.name))}`,
    );
  for (const { container, path } of containers)
    yield* judge(container.securityContext?.[field], [...path, 'securityContext', field]);
}

function* judge(id: number | undefined, path: Violation['path'], whom = ''): Iterable<Violation> {
  if (id === undefined || id < IDS_PER_POD) return;
  const field = path.findLast((segment) => typeof segment === 'string') ?? '';
  yield {
    path,
    message: `sets ${field} ${id}${whom}, which is outside of the 65536 ids of its user namespace`,
    fix: `Choose an id below ${IDS_PER_POD}, or raise idsPerPod on the nodes.`,
  };
}
