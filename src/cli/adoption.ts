import { isLinux, isSince } from '../core/pod-user-namespace.ts';
import type { JudgedFor, ManifestRule } from '../core/rule.ts';
import type { AdoptionTotals } from '../core/scan-finding.ts';
import { containersOf, type Workload } from '../core/workload.ts';
import { MANIFEST_RULES } from '../rules/index.ts';

/** The rules over what `hostUsers: false` can not be combined with. */
const OBSTACLE_RULES = ['user-namespace-conflict', 'user-namespace-ids', 'user-namespace-volumes'];

/**
 * What speaks against adding `hostUsers: false` to a workload as it is: every rule over a user-namespaced pod is asked about
 * the same pod with the line added. Empty where nothing does.
 */
export function obstaclesToAdoption(workload: Workload, target: JudgedFor): readonly string[] {
  const { podSpec } = workload;
  const adopted: Workload = { ...workload, podSpec: { ...podSpec, hostUsers: false } };
  const violations = MANIFEST_RULES.filter(isObstacleRule).flatMap((rule) => [...rule.check(adopted, target)]);
  const privileged = containersOf(podSpec).filter(({ container }) => container.securityContext?.privileged);
  return [
    ...(podSpec.hostUsers === true ? ['hostUsers: true is set on purpose'] : []),
    ...violations.map(({ message }) => message),
    ...privileged.map(
      ({ container }) =>
        `container ${container.name} is privileged, which would then hold inside its own namespace only`,
    ),
  ];
}

function isObstacleRule(rule: ManifestRule): rule is Extract<ManifestRule, { readonly kind: 'workload' }> {
  return rule.kind === 'workload' && OBSTACLE_RULES.includes(rule.id);
}

/** How workloads stand to `hostUsers: false`; none is counted for a version that has no user namespaces by default. */
export function countAdoption(workloads: readonly Workload[], target: JudgedFor): AdoptionTotals {
  const totals = { adopted: 0, ready: 0, blocked: 0 };
  for (const workload of workloads) {
    if (workload.containersOnly || workload.platform !== 'kubernetes' || !isLinux(workload) || !isSince(target, 33))
      continue;
    if (workload.podSpec.hostUsers === false) totals.adopted += 1;
    else totals[obstaclesToAdoption(workload, target).length === 0 ? 'ready' : 'blocked'] += 1;
  }
  return totals;
}
