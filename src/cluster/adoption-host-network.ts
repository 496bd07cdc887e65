import type { JudgedFor } from '../core/rule.ts';
import type { Workload } from '../core/workload.ts';
import { HOST_NETWORK_GATE, hasHostNetworkGate } from '../rules/user-namespace-conflict.ts';
import type { AdoptionEvidence } from './adoption-evidence.ts';
import { hostsOf } from './adoption-nodes.ts';
import type { AdoptionObstacle } from './adoption-obstacles.ts';

/** What the nodes a workload may run on say of `hostNetwork` beside `hostUsers: false`. */
export interface HostNetworkWord {
  /** `change` where nodes enough declare it: then the gate of the API server decides, which no node tells. */
  readonly effect: Extract<AdoptionObstacle['effect'], 'change' | 'blocked'>;
  /** As it goes on after what speaks against the workload. */
  readonly told: string;
}

/**
 * Whether nodes declare that they can run it (`status.declaredFeatures`; the scheduler puts such a pod on no others). A DaemonSet
 * needs all its nodes, others one. A node that can not run user namespaces at all does not count. Undefined where there is no such
 * gate, no node is known, or none declares anything.
 */
export function hostNetworkWord(
  workload: Workload,
  target: JudgedFor,
  evidence: AdoptionEvidence,
): HostNetworkWord | undefined {
  const hosts = hostsOf(workload, evidence) ?? [];
  if (!hasHostNetworkGate(target) || hosts.every(({ declaresHostNetwork }) => declaresHostNetwork === undefined))
    return undefined;
  const declare = hosts.filter((host) => host.declaresHostNetwork === true && host.status !== 'not-ready').length;
  const isEnough = workload.kind === 'DaemonSet' ? declare === hosts.length : declare > 0;
  const nodes = `${declare} of ${hosts.length} nodes it may run on`;
  return {
    effect: isEnough ? 'change' : 'blocked',
    told: `${nodes} ${declare === 1 ? 'declares' : 'declare'} ${HOST_NETWORK_GATE}`,
  };
}
