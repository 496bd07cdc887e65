import { compareText } from '../core/text.ts';
import type { AuditPolicyStatus, ExceptionStatus, HistoryDay } from '../resources/audit-policy.ts';
import type { NamespaceAuditStatus, PodCounts } from '../resources/namespace-audit.ts';
import type { ClusterReport, ReportedPolicy } from './cluster-report.ts';
import { type FindingGroup, groupFindings } from './finding-groups.ts';
import { type ControlInconsistency, findInconsistencies } from './inconsistencies.ts';
import { groupNodes, type NodeKind, verdictOf } from './node-kinds.ts';
import { openVerdicts } from './open-verdicts.ts';
import { hasCondition, TRUNCATED } from '../resources/condition.ts';

export type FindingTotals = NamespaceAuditStatus['findingTotals'];

/** How adoption moved between two days of the history. */
export interface Trend {
  readonly days: number;
  /** Points of percent, with their sign. */
  readonly points: number;
}

export interface NodeCounts {
  readonly total: number;
  readonly ready: number;
  readonly notReady: number;
  readonly unknown: number;
  readonly reasons: readonly { readonly rule: string; readonly nodes: number }[];
}

export interface OverviewBlocker {
  readonly reason: string;
  readonly workloads: number;
  readonly namespaces: number;
  readonly example: string;
}

/** An exception of the policy and how it is used. */
export interface OverviewException extends ExceptionStatus {
  readonly rules: readonly string[];
  readonly scope: string;
  readonly approver?: string;
}

/** What a reader wants to know first, summed up; every format of the report is written from it. */
export interface ClusterOverview {
  readonly generatedAt: string;
  /** False where only a part of the cluster was asked for: what is known of the whole alone is left out. */
  readonly whole: boolean;
  readonly pods: PodCounts;
  /** Absent where no pod runs. */
  readonly adoptionPercent?: number;
  readonly trend?: Trend;
  readonly history: readonly HistoryDay[];
  readonly nodes: NodeCounts;
  readonly findingTotals: FindingTotals;
  readonly critical: readonly FindingGroup[];
  readonly workloads: { readonly adopted: number; readonly ready: number; readonly blocked: number };
  readonly blockers: readonly OverviewBlocker[];
  readonly exceptions: readonly OverviewException[];
  readonly inconsistencies: readonly ControlInconsistency[];
  readonly missedFloors: NonNullable<AuditPolicyStatus['floors']>;
  readonly kubernetes?: NonNullable<AuditPolicyStatus['kubernetes']>;
  readonly findings: readonly FindingGroup[];
  readonly nodeKinds: readonly NodeKind[];
  /** Namespaces of which a list was cut: they have more findings than the report knows. */
  readonly truncated: readonly string[];
}

export function summarizeReport(report: ClusterReport, whole: boolean): ClusterOverview {
  const { namespaces, policy, generatedAt } = report;
  // Of a part nothing is told that is known of the whole alone.
  const known: AuditPolicyStatus = whole ? (policy?.status ?? {}) : {};
  const findings = groupFindings(report);
  const pods = sumPods(namespaces.map(({ status }) => status.pods));
  const { history = [] } = known;
  const adoptionPercent = pods.running === 0 ? undefined : Math.floor((100 * pods.private) / pods.running);
  const trend = trendOf(history);
  const kubernetes = policy?.status.kubernetes;
  return {
    generatedAt,
    whole,
    pods,
    ...(adoptionPercent === undefined ? {} : { adoptionPercent }),
    ...(trend === undefined ? {} : { trend }),
    history,
    nodes: countNodes(report, known.nodes),
    findingTotals: known.findingTotals ?? sumFindings(report),
    critical: findings.filter(
      ({ severity, status, accepted }) => severity === 'critical' && status === 'fail' && accepted === undefined,
    ),
    workloads: sumWorkloads(report),
    blockers: mergeBlockers(report),
    exceptions: whole && policy ? exceptionsOf(policy) : [],
    inconsistencies: findInconsistencies(report),
    missedFloors: known.floors ?? missedFloors(report),
    ...(kubernetes === undefined ? {} : { kubernetes }),
    findings,
    nodeKinds: groupNodes(report),
    truncated: namespaces
      .filter(({ status }) => hasCondition(status.conditions, TRUNCATED.type, 'True'))
      .map(({ name }) => name),
  };
}

const POD_FIELDS = [
  'running',
  'private',
  'host',
  'notEffective',
  'undeclaredPrivate',
  'overlapping',
  'unknown',
] as const;

function sumPods(counts: readonly PodCounts[]): PodCounts {
  const sum = { running: 0, private: 0, host: 0, notEffective: 0, undeclaredPrivate: 0, overlapping: 0, unknown: 0 };
  for (const count of counts) for (const field of POD_FIELDS) sum[field] += count[field];
  return sum;
}

const FINDING_FIELDS = ['critical', 'high', 'medium', 'low', 'info', 'accepted'] as const;

function sumFindings({ namespaces, nodes }: ClusterReport): FindingTotals {
  const sum = { critical: 0, high: 0, medium: 0, low: 0, info: 0, accepted: 0 };
  for (const { status } of namespaces) for (const field of FINDING_FIELDS) sum[field] += status.findingTotals[field];
  for (const { status } of nodes)
    for (const verdict of openVerdicts(status)) if (verdict.status === 'fail') sum[verdict.severity] += 1;
  return sum;
}

function sumWorkloads({ namespaces }: ClusterReport): ClusterOverview['workloads'] {
  const sum = { adopted: 0, ready: 0, blocked: 0 };
  for (const { status } of namespaces) {
    sum.adopted += status.workloads?.adopted ?? 0;
    sum.ready += status.workloads?.ready ?? 0;
    sum.blocked += status.workloads?.blocked ?? 0;
  }
  return sum;
}

/** The controller's count of the whole knows more than the nodes' own word: what their runtimes say to the API server. */
function countNodes(report: ClusterReport, known: AuditPolicyStatus['nodes']): NodeCounts {
  if (known?.total === report.nodes.length) return known;
  const counts = { Ready: 0, NotReady: 0, Unknown: 0 };
  const reasons = new Map<string, number>();
  for (const node of report.nodes) {
    const verdict = verdictOf(node, report.generatedAt);
    counts[verdict.readiness] += 1;
    for (const reason of verdict.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return {
    total: report.nodes.length,
    ready: counts.Ready,
    notReady: counts.NotReady,
    unknown: counts.Unknown,
    reasons: [...reasons]
      .map(([rule, nodes]) => ({ rule, nodes }))
      .toSorted((a, b) => b.nodes - a.nodes || compareText(a.rule, b.rule)),
  };
}

function mergeBlockers({ namespaces }: ClusterReport): readonly OverviewBlocker[] {
  const merged = new Map<string, { reason: string; workloads: number; namespaces: number; example: string }>();
  for (const { name, status } of namespaces)
    for (const { reason, workloads, example } of status.blockers ?? []) {
      const known = merged.get(reason) ?? { reason, workloads: 0, namespaces: 0, example: `${name}: ${example}` };
      known.workloads += workloads;
      known.namespaces += 1;
      merged.set(reason, known);
    }
  return [...merged.values()].toSorted((a, b) => b.workloads - a.workloads || compareText(a.reason, b.reason));
}

const STATE_ORDER: readonly ExceptionStatus['state'][] = ['expired', 'expiring', 'unused', 'matched'];

function exceptionsOf({ spec, status }: ReportedPolicy): readonly OverviewException[] {
  return (status.exceptions ?? [])
    .map((used) => {
      const { rules = [], namespaces, namespaceSelector, workloads, approver } = spec.exceptions?.[used.index] ?? {};
      const scope = [
        ...(namespaces ? [`namespaces ${namespaces.join(', ')}`] : []),
        ...(namespaceSelector ? ['namespaces by label'] : []),
        ...(workloads ? [workloads.join(', ')] : []),
      ].join('; ');
      return { ...used, rules, scope, ...(approver === undefined ? {} : { approver }) };
    })
    .toSorted((a, b) => STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) || a.index - b.index);
}

function missedFloors({ namespaces }: ClusterReport): ClusterOverview['missedFloors'] {
  return namespaces.flatMap(({ name, status: { floor, pods } }) => {
    if (floor === undefined || floor.met) return [];
    const required = [
      ...(floor.minPrivatePods === undefined ? [] : [`${floor.minPrivatePods} private pods`]),
      ...(floor.minAdoptionPercent === undefined ? [] : [`${floor.minAdoptionPercent} % of running pods`]),
    ].join(' and ');
    return [{ namespace: name, required, actual: `${pods.private} of ${pods.running} running pods` }];
  });
}

const TREND_DAYS = 30;
const DAY_MS = 86_400_000;

/** From the newest day back to the one 30 days before, or to the oldest there is. */
function trendOf(history: readonly HistoryDay[]): Trend | undefined {
  const days = history.filter(({ running }) => running > 0);
  const last = days.at(-1);
  if (!last) return undefined;
  const ageOf = ({ date }: HistoryDay): number => Math.round((Date.parse(last.date) - Date.parse(date)) / DAY_MS);
  const first = days.find((day) => ageOf(day) <= TREND_DAYS);
  if (!first || first === last) return undefined;
  return { days: ageOf(first), points: Math.round(shareOf(last) - shareOf(first)) };
}

/** In percent. */
export function shareOf({ running, private: adopted }: Pick<HistoryDay, 'running' | 'private'>): number {
  return running === 0 ? 0 : (100 * adopted) / running;
}
