import { LATEST_KUBERNETES_VERSION } from '../../src/core/pod-user-namespace.ts';
import type { AuditPolicy } from '../../src/core/policy.ts';
import { summarizeCluster, type ClusterSummary } from '../../src/cluster/cluster-status.ts';
import { type ClusterModel, createClusterModel } from '../../src/cluster/model.ts';
import { type NamespaceSummary, summarizeNamespace } from '../../src/cluster/namespace-status.ts';
import { type NodeEvidence, readNodeEvidence } from '../../src/cluster/node-evidence.ts';
import { createPodInterner, slimPod, type PodInterner, type SlimPod } from '../../src/cluster/pod.ts';
import type { ApiObject } from '../../src/cluster/pod-spec.ts';
import type { HistoryDay } from '../../src/resources/audit-policy.ts';

/** Noon of a day far from any change of clocks. */
export const NOON = Date.parse('2026-11-27T12:00:00Z');
export const STALE_AFTER_MS = 180_000;

/** A uid as the API server makes them, from a number. */
export function uidOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

export interface PodFacts {
  readonly uid?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly spec?: ApiObject;
  readonly owner?: readonly [kind: string, name: string];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A pod that breaks no rule but those its spec is made to break. */
export const QUIET = { name: 'app', securityContext: { runAsUser: 1000, runAsNonRoot: true } };

/** A pod as the API server sends it. */
export function podObject(facts: PodFacts = {}): ApiObject {
  const { uid = uidOf(1), name = 'web', namespace = 'shop', node = 'node-1', phase = 'Running', owner } = facts;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      uid,
      name,
      namespace,
      labels: facts.labels ?? {},
      annotations: facts.annotations ?? {},
      ...(owner ? { ownerReferences: [{ controller: true, kind: owner[0], name: owner[1] }] } : {}),
    },
    spec: { containers: [QUIET], ...(node === '' ? {} : { nodeName: node }), ...facts.spec },
    status: { phase },
  };
}

export function podOf(facts: PodFacts = {}, interner: PodInterner = createPodInterner()): SlimPod {
  const pod = slimPod(podObject(facts), interner);
  if (!pod) throw new Error('not a pod');
  return pod;
}

export interface AuditFacts {
  readonly node?: string;
  readonly heardAt?: number;
  /** Vector, or vector and sandbox, of each pod and its maps by the entry its agent writes. */
  readonly pods?: readonly (readonly [entry: string, vector: string, sandbox?: string])[];
  readonly status?: ApiObject;
}

/** A NodeAudit as an agent writes it. */
export function auditObject({ node = 'node-1', heardAt = NOON, pods = [], status = {} }: AuditFacts = {}): ApiObject {
  return {
    metadata: { name: node },
    status: {
      lastHeartbeatTime: new Date(heardAt).toISOString(),
      agent: { version: '1', evidence: 'full' },
      readiness: { status: 'Ready', reasons: [] },
      podGroups: pods.map(([entry, namespaces, sandbox]) => ({
        namespaces,
        ...(sandbox === undefined ? {} : { sandbox }),
        pods: [entry],
      })),
      ...status,
    },
  };
}

export function evidenceOf(facts: AuditFacts = {}, now = NOON): NodeEvidence {
  return readNodeEvidence(auditObject(facts), now);
}

export interface Clock {
  now: number;
}

/** A model at noon, with the names it was told to write anew. */
export function modelAt(clock: Clock = { now: NOON }): {
  readonly model: ClusterModel;
  readonly dirty: Set<string>;
  readonly changes: { cluster: number };
} {
  const dirty = new Set<string>();
  const changes = { cluster: 0 };
  const model = createClusterModel({
    staleAfterMs: STALE_AFTER_MS,
    onNamespace: (name) => dirty.add(name),
    onCluster: () => (changes.cluster += 1),
    now: () => clock.now,
  });
  return { model, dirty, changes };
}

export function policyOf(parts: Partial<AuditPolicy> = {}): AuditPolicy {
  return { profiles: [], rules: [], exceptions: [], ...parts };
}

const PLACE = { file: '', line: 1, column: 1, endLine: 1, endColumn: 1 };

type Exception = AuditPolicy['exceptions'][number];

export function exceptionOf(parts: Partial<Exception>): Exception {
  return { rules: ['*'], reason: 'known', place: PLACE, ...parts };
}

export function namespaceSummary(model: ClusterModel, name = 'shop'): NamespaceSummary {
  const namespace = model.namespaces.get(name);
  if (!namespace) throw new Error(`no namespace ${name}`);
  return summarizeNamespace(namespace, {
    exceptions: model.exceptions,
    policy: model.settings.policy,
    target: { ...LATEST_KUBERNETES_VERSION, isAdmitted: true },
    standings: new WeakMap(),
  });
}

export function clusterSummary(model: ClusterModel, history: readonly HistoryDay[] = []): ClusterSummary {
  return summarizeCluster(model, history, false);
}
