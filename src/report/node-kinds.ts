import { compareText } from '../core/text.ts';
import { EVIDENCE_ACCEPTED } from '../resources/condition.ts';
import type { NodeAuditStatus, NodeAuditVerdict } from '../resources/node-audit.ts';
import type { ClusterReport, ReportedNode } from './cluster-report.ts';

export type NodeReadiness = 'Ready' | 'NotReady' | 'Unknown';

/** Evidence older than this says nothing of now; the controller goes by the same age unless told (`--stale-after`). */
const STALE_AFTER_MS = 900_000;

/** A node's readiness as far as its evidence is believed at the time of the report. */
export interface NodeVerdict {
  readonly readiness: NodeReadiness;
  /** Its evidence is there, fresh and not rejected. */
  readonly believed: boolean;
  /** Rule ids, or in words why nobody can tell. */
  readonly reasons: readonly string[];
}

/** No evidence, rejected evidence and old evidence are unknown, never ready. */
export function verdictOf({ status }: ReportedNode, generatedAt: string): NodeVerdict {
  const { readiness, lastHeartbeatTime, observedTime, conditions = [] } = status;
  const accepted = conditions.find(({ type }) => type === EVIDENCE_ACCEPTED);
  if (readiness === undefined) return unbelieved('no agent has reported');
  if (accepted?.status === 'False') return unbelieved('the evidence contradicts itself');
  const heard = Date.parse(lastHeartbeatTime ?? observedTime ?? '');
  if (accepted?.status === 'Unknown' || isStale(heard, Date.parse(generatedAt)))
    return unbelieved('the agent has not been heard of for too long');
  return { readiness: readiness.status, believed: true, reasons: readiness.reasons };
}

function unbelieved(why: string): NodeVerdict {
  return { readiness: 'Unknown', believed: false, reasons: [why] };
}

/** Whether evidence of that time, in milliseconds, says nothing of now. NaN is no time at all, and every comparison with it is false. */
export function isStale(heardAt: number | undefined, now: number): boolean {
  return !(heardAt !== undefined && now - heardAt <= STALE_AFTER_MS);
}

/** Nodes that a reader can not tell apart: same system, same verdicts. */
export interface NodeKind {
  readonly verdict: NodeVerdict;
  readonly system: NonNullable<NodeAuditStatus['system']> | undefined;
  readonly evidence: 'full' | 'basic' | 'none' | undefined;
  /** Status by rule. */
  readonly rules: ReadonlyMap<string, NodeAuditVerdict['status']>;
  readonly names: readonly string[];
  readonly pods: number;
  readonly privatePods: number;
}

const READINESS_ORDER: readonly NodeReadiness[] = ['NotReady', 'Unknown', 'Ready'];

/** All nodes, those that are alike together: what needs a look first, then the most numerous. */
export function groupNodes({ nodes, generatedAt }: Pick<ClusterReport, 'nodes' | 'generatedAt'>): readonly NodeKind[] {
  const kinds = new Map<string, { kind: Omit<NodeKind, 'names' | 'pods' | 'privatePods'>; members: ReportedNode[] }>();
  for (const node of nodes) {
    const { system, agent, rules = [] } = node.status;
    const verdict = verdictOf(node, generatedAt);
    const statuses = rules.map(({ rule, status }) => [rule, status] as const).toSorted(([a], [b]) => compareText(a, b));
    const key = JSON.stringify([verdict, systemKey(system), agent?.evidence, statuses]);
    const known = kinds.get(key);
    if (known) known.members.push(node);
    else
      kinds.set(key, {
        kind: { verdict, system, evidence: agent?.evidence, rules: new Map(statuses) },
        members: [node],
      });
  }
  return [...kinds.values()]
    .map(({ kind, members }) => ({
      ...kind,
      names: members.map(({ name }) => name),
      pods: sumOf(members, 'pods'),
      privatePods: sumOf(members, 'privatePods'),
    }))
    .toSorted(
      (a, b) =>
        READINESS_ORDER.indexOf(a.verdict.readiness) - READINESS_ORDER.indexOf(b.verdict.readiness) ||
        b.names.length - a.names.length ||
        compareText(a.names[0] ?? '', b.names[0] ?? ''),
    );
}

function sumOf(nodes: readonly ReportedNode[], field: 'pods' | 'privatePods'): number {
  return nodes.reduce((sum, { status }) => sum + (status.totals?.[field] ?? 0), 0);
}

function systemKey(system: NodeAuditStatus['system']): readonly unknown[] {
  return [system?.osImage, system?.kernelRelease, system?.runtime, system?.kubeletVersion, system?.engine];
}
