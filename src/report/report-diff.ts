import type { Severity } from '../core/finding.ts';
import { compareText } from '../core/text.ts';
import type { ClusterReport } from './cluster-report.ts';
import { type NodeReadiness, verdictOf } from './node-kinds.ts';
import { openVerdicts } from './open-verdicts.ts';
import { hasCondition, TRUNCATED } from '../resources/condition.ts';

/** A finding of one workload or node, to be told from every other. */
export interface DiffFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly status: 'fail' | 'unknown';
  /** `namespace: Kind/name`, or the name of a node. */
  readonly subject: string;
  readonly message: string;
}

export interface ReadinessChange {
  readonly node: string;
  /** Absent where the node is new. */
  readonly before?: NodeReadiness;
  /** Absent where the node is gone. */
  readonly after?: NodeReadiness;
  readonly reasons: readonly string[];
}

/** What differs between two reports of a cluster. */
export interface ReportDiff {
  readonly before: string;
  readonly after: string;
  readonly adoption: { readonly before: PodShare; readonly after: PodShare };
  readonly newFindings: readonly DiffFinding[];
  /** Gone from the report: fixed, accepted, or of what is there no more. */
  readonly goneFindings: readonly DiffFinding[];
  readonly readiness: readonly ReadinessChange[];
  readonly expiredExceptions: readonly string[];
  readonly namespaces: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** Namespaces whose findings were cut in one of the reports: what seems new or gone there may not be. */
  readonly uncertain: readonly string[];
}

export interface PodShare {
  readonly running: number;
  readonly private: number;
}

export function diffReports(before: ClusterReport, after: ClusterReport): ReportDiff {
  const earlier = findingsOf(before);
  const later = findingsOf(after);
  const namesBefore = new Set(before.namespaces.map(({ name }) => name));
  const namesAfter = new Set(after.namespaces.map(({ name }) => name));
  return {
    before: before.generatedAt,
    after: after.generatedAt,
    adoption: { before: podsOf(before), after: podsOf(after) },
    newFindings: [...later].flatMap(([key, finding]) => (earlier.has(key) ? [] : [finding])),
    goneFindings: [...earlier].flatMap(([key, finding]) => (later.has(key) ? [] : [finding])),
    readiness: readinessChanges(before, after),
    expiredExceptions: expiredSince(before, after),
    namespaces: {
      added: [...namesAfter].filter((name) => !namesBefore.has(name)),
      removed: [...namesBefore].filter((name) => !namesAfter.has(name)),
    },
    uncertain: [...new Set([...truncated(before), ...truncated(after)])].toSorted(compareText),
  };
}

export function hasChanges(diff: ReportDiff): boolean {
  const { newFindings, goneFindings, readiness, expiredExceptions, namespaces, adoption } = diff;
  return (
    [newFindings, goneFindings, readiness, expiredExceptions, namespaces.added, namespaces.removed].some(
      (list) => list.length > 0,
    ) ||
    adoption.before.running !== adoption.after.running ||
    adoption.before.private !== adoption.after.private
  );
}

/** By what makes two findings the same: their messages may tell of other pods. Accepted ones are none. */
function findingsOf({ namespaces, nodes }: ClusterReport): ReadonlyMap<string, DiffFinding> {
  const found: DiffFinding[] = [];
  for (const { name, status } of namespaces)
    for (const { rule, severity, status: answer, workload, message, accepted } of status.findings ?? [])
      if (accepted === undefined)
        found.push({ rule, severity, status: answer, subject: `${name}: ${workload}`, message });
  for (const { name, status } of nodes)
    for (const { rule, severity, status: answer, message } of openVerdicts(status))
      found.push({ rule, severity, status: answer, subject: name, message });
  return new Map(found.map((finding) => [JSON.stringify([finding.rule, finding.status, finding.subject]), finding]));
}

function podsOf({ namespaces }: ClusterReport): PodShare {
  const sum = { running: 0, private: 0 };
  for (const { status } of namespaces) {
    sum.running += status.pods.running;
    sum.private += status.pods.private;
  }
  return sum;
}

function readinessChanges(before: ClusterReport, after: ClusterReport): readonly ReadinessChange[] {
  const earlier = new Map(before.nodes.map((node) => [node.name, verdictOf(node, before.generatedAt)]));
  const later = new Map(after.nodes.map((node) => [node.name, verdictOf(node, after.generatedAt)]));
  const names = [...new Set([...earlier.keys(), ...later.keys()])].toSorted(compareText);
  return names.flatMap((node) => {
    const [was, is] = [earlier.get(node), later.get(node)];
    if (was?.readiness === is?.readiness) return [];
    return [
      {
        node,
        ...(was ? { before: was.readiness } : {}),
        ...(is ? { after: is.readiness } : {}),
        reasons: is?.reasons ?? [],
      },
    ];
  });
}

function expiredSince(before: ClusterReport, after: ClusterReport): readonly string[] {
  const expired = (report: ClusterReport): readonly string[] =>
    (report.policy?.status.exceptions ?? [])
      .filter(({ state }) => state === 'expired')
      .map(({ reason, expires }) => `${reason} (until ${expires ?? 'an unknown day'})`);
  const known = new Set(expired(before));
  return expired(after).filter((text) => !known.has(text));
}

function truncated({ namespaces }: ClusterReport): readonly string[] {
  return namespaces
    .filter(({ status }) => hasCondition(status.conditions, TRUNCATED.type, 'True'))
    .map(({ name }) => name);
}
