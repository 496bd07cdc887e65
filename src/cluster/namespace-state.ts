import { SEVERITIES, type Severity } from '../core/finding.ts';
import type { JudgedFinding, Judgement, PodState, UnknownReason } from './judgement.ts';
import { POD_STATES } from './judgement.ts';
import type { SlimPod } from './pod.ts';

/** A broken rule of one workload, and how many of its pods break it. */
export interface GroupFinding {
  readonly finding: JudgedFinding;
  pods: number;
  /** The name of one of them. */
  example: string;
}

/** The pods of one workload, counted by how they stand. */
export interface Group {
  readonly namespace: NamespaceState;
  /** Kind/name. */
  readonly workload: string;
  readonly pods: Set<SlimPod>;
  /** Pods by judgement. */
  readonly judgements: Map<Judgement, number>;
  /** By rule and status. */
  readonly findings: Map<string, GroupFinding>;
  /** Indexes of the policy's exceptions that name a rule for this workload, once asked. */
  readonly exceptions: Map<string, readonly number[]>;
}

/** One namespace, summed up. Counts change with every pod, so that nothing is ever counted again. */
export interface NamespaceState {
  readonly name: string;
  /** The namespace object is there; one may see its pods first. */
  exists: boolean;
  labels: Readonly<Record<string, string>>;
  readonly groups: Map<string, Group>;
  readonly pods: Record<PodState, number>;
  readonly unknown: Map<UnknownReason, number>;
  /** Workloads that break a rule, by rule, severity and status. */
  readonly findings: Map<string, FindingCount>;
}

export interface FindingCount {
  readonly rule: string;
  readonly severity: Severity;
  readonly status: JudgedFinding['status'];
  readonly accepted: boolean;
  workloads: number;
}

/** Whether an exception accepts what a rule finds in a workload. */
export type IsAccepted = (group: Group, rule: string) => boolean;

export function createNamespaceState(name: string): NamespaceState {
  return {
    name,
    exists: false,
    labels: {},
    groups: new Map(),
    pods: noPods(),
    unknown: new Map(),
    findings: new Map(),
  };
}

/** No pod in any state. */
export function noPods(): Record<PodState, number> {
  return Object.fromEntries(POD_STATES.map((state) => [state, 0])) as Record<PodState, number>;
}

/** Counts a pod as it stands now, after taking it out of where it was counted. */
export function countPod(namespace: NamespaceState, pod: SlimPod, judgement: Judgement, isAccepted: IsAccepted): void {
  const { counted } = pod;
  if (counted?.judgement === judgement && counted.group.workload === pod.workload) return;
  uncountPod(pod, isAccepted);
  const group = groupOf(namespace, pod.workload);
  add(group.judgements, judgement, 1);
  if (judgement.state) namespace.pods[judgement.state] += 1;
  if (judgement.unknownReason) add(namespace.unknown, judgement.unknownReason, 1);
  for (const finding of judgement.findings) {
    const key = groupKey(finding);
    const known = group.findings.get(key);
    if (known) {
      known.pods += 1;
      continue;
    }
    group.findings.set(key, { finding, pods: 1, example: pod.name });
    countFinding(group, finding, isAccepted, 1);
  }
  group.pods.add(pod);
  pod.counted = { group, judgement };
}

/** The new record of a pod takes the place of the old one where that is counted. */
export function replacePod(pod: SlimPod, previous: SlimPod): void {
  const { counted } = previous;
  if (!counted) return;
  counted.group.pods.delete(previous);
  counted.group.pods.add(pod);
  pod.counted = counted;
  delete previous.counted;
}

/** Takes a pod out of where it is counted. */
export function uncountPod(pod: SlimPod, isAccepted: IsAccepted): void {
  const { counted } = pod;
  if (!counted) return;
  const { group, judgement } = counted;
  const { namespace } = group;
  delete pod.counted;
  group.pods.delete(pod);
  add(group.judgements, judgement, -1);
  if (judgement.state) namespace.pods[judgement.state] -= 1;
  if (judgement.unknownReason) add(namespace.unknown, judgement.unknownReason, -1);
  for (const finding of judgement.findings) {
    const key = groupKey(finding);
    const known = group.findings.get(key);
    if (!known) continue;
    known.pods -= 1;
    if (known.pods > 0) {
      if (known.example === pod.name) known.example = exampleOf(group, key) ?? known.example;
      continue;
    }
    group.findings.delete(key);
    countFinding(group, known.finding, isAccepted, -1);
  }
  if (group.judgements.size === 0) namespace.groups.delete(group.workload);
}

/** Asks anew which findings are accepted, after something that exceptions look at has changed. */
export function recountAccepted(namespace: NamespaceState, isAccepted: IsAccepted): void {
  namespace.findings.clear();
  for (const group of namespace.groups.values()) {
    group.exceptions.clear();
    for (const { finding } of group.findings.values()) countFinding(group, finding, isAccepted, 1);
  }
}

function exampleOf({ pods }: Group, key: string): string | undefined {
  for (const { name, counted } of pods)
    if (counted?.judgement.findings.some((finding) => groupKey(finding) === key)) return name;
  return undefined;
}

/** The findings of a workload as its pods stand now: of several texts the first in order, whichever pod came first. */
export function currentFindings({ judgements, findings }: Group): readonly GroupFinding[] {
  const worded = new Map<string, JudgedFinding>();
  for (const judgement of judgements.keys())
    for (const finding of judgement.findings) {
      const key = groupKey(finding);
      const known = worded.get(key);
      if (!known || finding.message < known.message) worded.set(key, finding);
    }
  return [...findings].map(([key, found]) => ({ ...found, finding: worded.get(key) ?? found.finding }));
}

function groupOf(namespace: NamespaceState, workload: string): Group {
  const known = namespace.groups.get(workload);
  if (known) return known;
  const group: Group = {
    namespace,
    workload,
    pods: new Set(),
    judgements: new Map(),
    findings: new Map(),
    exceptions: new Map(),
  };
  namespace.groups.set(workload, group);
  return group;
}

function countFinding(group: Group, finding: JudgedFinding, isAccepted: IsAccepted, by: 1 | -1): void {
  const { rule, severity, status } = finding;
  const accepted = isAccepted(group, rule);
  const key = `${rule} ${severity} ${status} ${String(accepted)}`;
  const { findings } = group.namespace;
  const known = findings.get(key) ?? { rule, severity, status, accepted, workloads: 0 };
  known.workloads += by;
  if (known.workloads > 0) findings.set(key, known);
  else findings.delete(key);
}

function groupKey({ rule, status, severity }: JudgedFinding): string {
  return `${rule} ${status} ${severity}`;
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

/** Workloads and rules by severity; accepted ones apart, and what could not be judged left out. */
export interface FindingTotals extends Record<Severity, number> {
  accepted: number;
}

export function noFindings(): FindingTotals {
  return {
    ...(Object.fromEntries(SEVERITIES.map((severity) => [severity, 0])) as Record<Severity, number>),
    accepted: 0,
  };
}

export function addFindings(totals: FindingTotals, counts: Iterable<FindingCount>): void {
  for (const { severity, status, accepted, workloads } of counts) {
    if (status !== 'fail') continue;
    totals[accepted ? 'accepted' : severity] += workloads;
  }
}
