import { SHAREABLE } from '../core/container-scope.ts';
import { findPodOverlaps } from '../core/evaluate.ts';
import { SEVERITIES, type Severity } from '../core/finding.ts';
import { unread } from '../core/reading.ts';
import type { EffectiveContext, EffectiveRule, JudgedFor, WorkloadRule } from '../core/rule.ts';
import type { PodSpec, Workload } from '../core/workload.ts';
import { asContainer, type EffectivePod, parseVector } from './effective.ts';
import type { NodeEvidence } from './node-evidence.ts';
import type { PodShape, SlimPod } from './pod.ts';

/** The verdict on a running pod's user namespace, named as NamespaceAudit.status.pods counts it. */
export const POD_STATES = ['private', 'host', 'notEffective', 'undeclaredPrivate', 'overlapping', 'unknown'] as const;
export type PodState = (typeof POD_STATES)[number];

/** Why nobody can tell. */
export type UnknownReason =
  /** No agent has ever reported on its node. */
  | 'NoAgent'
  /** Its node's evidence is too old. */
  | 'Stale'
  /** What its node reports contradicts itself. */
  | 'EvidenceRejected'
  /** Its node's agent reports, and this pod is not among the pods it sees. */
  | 'NotSeen'
  /** A kernel of its own lies between pod and host. */
  | 'Sandboxed'
  /** The agent sees the pod and not its user namespace. */
  | 'NotVisible';

/** A broken rule, or one that could not be judged, as the pods of a workload share it. */
export interface JudgedFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly status: 'fail' | 'unknown';
  readonly message: string;
  readonly fix?: string;
}

/** What is known of a pod. Pods that stand alike share one. */
export interface Judgement {
  /** Absent for pods that do not run, and those of Windows: they are counted nowhere. */
  readonly state?: PodState;
  readonly unknownReason?: UnknownReason;
  /** Its containers have ended for good: it is kept, and says nothing any more. */
  readonly ended?: true;
  readonly findings: readonly JudgedFinding[];
  readonly shape: PodShape;
}

/** The rules that are asked, as policy and profiles select and weigh them. */
export interface PodRules {
  readonly workload: readonly { readonly rule: WorkloadRule; readonly severity?: Severity }[];
  readonly effective: readonly { readonly rule: EffectiveRule; readonly severity?: Severity }[];
  readonly target: JudgedFor;
}

/** Judges pods, and gives those that stand alike the same answer. Made anew when rules change. */
export interface PodJudge {
  judge(pod: SlimPod, evidence: NodeEvidence | undefined, view: EvidenceView): Judgement;
}

/** How a node's evidence is to be taken now. */
export interface EvidenceView {
  readonly stale: boolean;
  readonly overlaps: EffectiveContext['overlaps'];
}

/** Host ids held by more than one pod of a node, by the uid of each. */
export function overlapsOf(pods: ReadonlyMap<string, EffectivePod>): EffectiveContext['overlaps'] {
  const holders = [...pods].flatMap(([uid, effective]) => {
    const states = effective.uidMap && !effective.sandbox ? parseVector(effective.vector) : undefined;
    return states ? [asContainer(uid, effective, states)] : [];
  });
  return findPodOverlaps(holders);
}

export function createPodJudge(rules: PodRules): PodJudge {
  const declared = new WeakMap<PodShape, readonly JudgedFinding[]>();
  const known = new WeakMap<PodShape, Map<string, Judgement>>();

  function declaredFindings(shape: PodShape): readonly JudgedFinding[] {
    const before = declared.get(shape);
    if (before) return before;
    const workload = asWorkload(shape.spec);
    const findings = rules.workload.flatMap(({ rule, severity }) =>
      worstViolation([...rule.check(workload, rules.target)], rule, severity),
    );
    declared.set(shape, findings);
    return findings;
  }

  return {
    judge(pod, evidence, view) {
      const { shape } = pod;
      if (pod.phase === 'Ended') return remember(known, { shape, findings: [], ended: true });
      const findings = declaredFindings(shape);
      if (pod.phase === 'Pending' || shape.spec.osName === 'windows') return remember(known, { shape, findings });
      const found = seek(pod, evidence, view.stale);
      if (typeof found === 'string')
        return remember(known, { shape, findings, state: 'unknown', unknownReason: found });
      const states = parseVector(found.vector);
      if (!states || found.sandbox)
        return remember(known, { shape, findings, state: 'unknown', unknownReason: 'Sandboxed' });
      const container = asContainer(pod.cgroupUid, found, states, shape.spec);
      const context: EffectiveContext = {
        kubeletPods: unread('NodeAudit', 'absent', 'not part of the report'),
        containers: [],
        overlaps: view.overlaps,
      };
      const effective = rules.effective.flatMap(({ rule, severity = rule.severity }): readonly JudgedFinding[] => {
        const verdict = rule.check(container, context);
        const { status, message } = verdict;
        if (status !== 'fail' && status !== 'unknown') return [];
        const fix = status === 'fail' && verdict.fix !== undefined ? { fix: verdict.fix } : {};
        return [{ rule: rule.id, severity, status, message, ...fix }];
      });
      const { relation } = states.user;
      const state = stateOf(shape.spec, relation, view.overlaps.has(pod.cgroupUid));
      const judgement: Judgement = {
        shape,
        findings: effective.length === 0 ? findings : [...findings, ...effective],
        state,
        ...(state === 'unknown' ? { unknownReason: 'NotVisible' } : {}),
      };
      return remember(known, judgement, found.vector.slice(0, SHAREABLE.length));
    },
  };
}

/** What the agent of its node shows of a pod, or why that is not known. */
function seek(pod: SlimPod, evidence: NodeEvidence | undefined, stale: boolean): EffectivePod | UnknownReason {
  if (evidence?.heardAt === undefined) return 'NoAgent';
  if (evidence.rejected !== undefined) return 'EvidenceRejected';
  if (stale) return 'Stale';
  return evidence.pods.get(pod.cgroupUid) ?? 'NotSeen';
}

/** A kernel without user namespaces leaves every pod in the only one there is. */
function stateOf({ hostUsers }: PodSpec, relation: string, overlaps: boolean): PodState {
  if (relation === 'unknown') return 'unknown';
  const isPrivate = relation === 'private';
  if (hostUsers === false) {
    if (!isPrivate) return 'notEffective';
    return overlaps ? 'overlapping' : 'private';
  }
  if (!isPrivate) return 'host';
  return overlaps ? 'overlapping' : 'undeclaredPrivate';
}

/**
 * Judgements are told apart by what is counted and by the namespaces that rules ask for, which stand first in a vector. The texts are those of the first pod that
 * stood so: only the ids they name may be another's.
 */
function remember(known: WeakMap<PodShape, Map<string, Judgement>>, judgement: Judgement, seen = ''): Judgement {
  const { shape, state = '', unknownReason = '', ended = false, findings } = judgement;
  let key = `${state} ${unknownReason} ${String(ended)} ${seen}`;
  for (const { rule, status, severity } of findings) key += ` ${rule}=${status}=${severity}`;
  const ofShape = known.get(shape) ?? new Map<string, Judgement>();
  const before = ofShape.get(key);
  if (before) return before;
  known.set(shape, ofShape.set(key, judgement));
  return judgement;
}

function worstViolation(
  violations: readonly { readonly message: string; readonly fix?: string; readonly severity?: Severity }[],
  rule: WorkloadRule,
  severity: Severity | undefined,
): readonly JudgedFinding[] {
  const weighed = violations
    .map((violation) => ({ ...violation, severity: severity ?? violation.severity ?? rule.severity }))
    .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const [worst] = weighed;
  if (!worst) return [];
  const { message, fix } = worst;
  return [{ rule: rule.id, severity: worst.severity, status: 'fail', message, ...(fix === undefined ? {} : { fix }) }];
}

/** A live pod as a workload of the manifest rules. It stands in no file. */
export function asWorkload(podSpec: PodSpec): Workload {
  const place = { file: '', line: 1, column: 1, endLine: 1, endColumn: 1 };
  return {
    platform: 'kubernetes',
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: undefined,
    name: '',
    podSpec,
    annotations: {},
    fieldName: (path) => ['spec', ...path].join('.'),
    locate: () => place,
  };
}
