import { SEVERITIES, type Severity } from '../core/finding.ts';
import { compareText } from '../core/text.ts';
import { RULES } from '../rules/index.ts';
import type { ClusterReport, ReportedNamespace, ReportedNode } from './cluster-report.ts';
import { openVerdicts } from './open-verdicts.ts';

/** Who a finding is about, and where. */
export interface FindingSubjectLine {
  /** Absent for a node. */
  readonly namespace?: string;
  /** Kind/name of a workload, name of a node. */
  readonly name: string;
  readonly pods: number;
}

/** One rule with one sentence, and all it is said of. */
export interface FindingGroup {
  readonly rule: string;
  readonly severity: Severity;
  readonly status: 'fail' | 'unknown';
  readonly message: string;
  readonly fix?: string;
  /** The reason of the exception that accepts it. */
  readonly accepted?: string;
  /** What it was judged by, of the first node. */
  readonly evidence: readonly { readonly source: string; readonly value: string }[];
  readonly subjects: readonly FindingSubjectLine[];
}

type Single = Omit<FindingGroup, 'subjects'> & { readonly subject: FindingSubjectLine };

/** All that fails or is unknown, alike ones together: failures before unknowns before accepted ones, each the worst first. */
export function groupFindings({ namespaces, nodes }: ClusterReport): readonly FindingGroup[] {
  const groups = new Map<string, { group: Omit<FindingGroup, 'subjects'>; subjects: FindingSubjectLine[] }>();
  for (const { subject, ...group } of [...namespaces.flatMap(ofNamespace), ...nodes.flatMap(ofNode)]) {
    const { rule, severity, status, message, fix, accepted } = group;
    const key = JSON.stringify([rule, severity, status, message, fix, accepted, subject.namespace === undefined]);
    const known = groups.get(key);
    if (known) known.subjects.push(subject);
    else groups.set(key, { group, subjects: [subject] });
  }
  return [...groups.values()].map(({ group, subjects }) => ({ ...group, subjects })).toSorted(compareGroups);
}

/** What the catalogue tells to do, by rule: findings of workloads are kept short in the cluster and bear no fix of their own. */
const REMEDIATIONS: ReadonlyMap<string, string> = new Map(RULES.map(({ id, remediation }) => [id, remediation]));

function ofNamespace({ name: namespace, status }: ReportedNamespace): readonly Single[] {
  return (status.findings ?? []).map(({ workload, pods, rule, severity, status: answer, message, accepted }) => {
    const fix = answer === 'fail' ? REMEDIATIONS.get(rule) : undefined;
    return {
      rule,
      severity,
      status: answer,
      message,
      ...(fix === undefined ? {} : { fix }),
      ...(accepted === undefined ? {} : { accepted }),
      evidence: [],
      subject: { namespace, name: workload, pods },
    };
  });
}

function ofNode({ name, status }: ReportedNode): readonly Single[] {
  return openVerdicts(status).map(({ evidence = [], ...rest }) => ({ ...rest, evidence, subject: { name, pods: 0 } }));
}

function rank({ accepted, status }: FindingGroup): number {
  if (accepted !== undefined) return 2;
  return status === 'fail' ? 0 : 1;
}

function compareGroups(a: FindingGroup, b: FindingGroup): number {
  return (
    rank(a) - rank(b) ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    b.subjects.length - a.subjects.length ||
    compareText(a.rule, b.rule) ||
    compareText(a.message, b.message)
  );
}
