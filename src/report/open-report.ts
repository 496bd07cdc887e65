import type { NamespaceSummary } from '../cluster/namespace-status.ts';
import type { NodeState } from '../cluster/model.ts';
import { chooseVerdicts } from '../cluster/rule-choice.ts';
import type { AuditPolicy } from '../core/policy.ts';
import { compareText } from '../core/text.ts';
import { NAMESPACE_AUDIT_NAME } from '../resources/group.ts';

/** The two groups that serve the same reports; the second is the older one (OpenReports, wg-policy). */
export const REPORT_GROUPS = [
  { apiVersion: 'openreports.io/v1alpha1', namespaced: 'Report', cluster: 'ClusterReport' },
  { apiVersion: 'wgpolicyk8s.io/v1alpha2', namespaced: 'PolicyReport', cluster: 'ClusterPolicyReport' },
] as const;
export type ReportGroup = (typeof REPORT_GROUPS)[number];

/** etcd takes 1.5 MB an object; others saw trouble from 2,000 results on. */
const MAX_RESULTS = 500;

const SOURCE = 'userns-audit';

type Result = 'pass' | 'fail' | 'warn' | 'error' | 'skip';

interface ReportResult {
  readonly source: string;
  readonly policy: string;
  readonly rule: string;
  readonly category: string;
  readonly severity: string;
  readonly result: Result;
  readonly scored: boolean;
  readonly message: string;
  readonly resources?: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  }[];
  readonly properties?: Readonly<Record<string, string>>;
}

/** A report as the custom resource has it. */
export interface StandardReport {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly source?: string;
  readonly summary: Readonly<Record<Result, number>>;
  readonly results: readonly ReportResult[];
}

/** What a namespace's findings are as a Report. An accepted finding is a `skip` with its reason, what is unknown an `error`. */
export function namespaceReport(
  group: ReportGroup,
  namespace: string,
  { findings = [] }: NamespaceSummary,
): StandardReport {
  const results = findings.map(({ rule, severity, status, workload, pods, message, accepted }): ReportResult => ({
    source: SOURCE,
    policy: rule,
    rule,
    category: 'User namespaces',
    severity,
    result: accepted === undefined ? resultOf(status) : 'skip',
    scored: accepted === undefined,
    message,
    resources: [{ ...referenceOf(workload), namespace }],
    properties: { pods: String(pods), ...(accepted === undefined ? {} : { accepted }) },
  }));
  return report(group, { kind: group.namespaced, namespace }, results);
}

/** What the rules over nodes say, as one ClusterReport. Passes are counted by leaving them out: readers ask for trouble. */
export function nodesReport(
  group: ReportGroup,
  nodes: Iterable<NodeState>,
  policy: AuditPolicy | undefined,
): StandardReport {
  const results = [...nodes].flatMap(({ name, exists, stale, evidence }): readonly ReportResult[] => {
    if (!exists || stale) return [];
    return chooseVerdicts(evidence.verdicts, policy).flatMap(({ rule, severity, status, message, subject }) =>
      status === 'fail' || status === 'unknown'
        ? [
            {
              source: SOURCE,
              policy: rule,
              rule,
              category: 'User namespaces',
              severity,
              result: resultOf(status),
              scored: true,
              message: subject === 'node' ? message : `${subject}: ${message}`,
              resources: [{ apiVersion: 'v1', kind: 'Node', name }],
            },
          ]
        : [],
    );
  });
  const order: readonly Result[] = ['fail', 'error'];
  return report(
    group,
    { kind: group.cluster },
    results.toSorted(
      (a, b) =>
        order.indexOf(a.result) - order.indexOf(b.result) ||
        compareText(a.rule, b.rule) ||
        compareText(a.resources?.[0]?.name ?? '', b.resources?.[0]?.name ?? ''),
    ),
  );
}

function report(
  { apiVersion }: ReportGroup,
  { kind, namespace }: { readonly kind: string; readonly namespace?: string },
  all: readonly ReportResult[],
): StandardReport {
  const results = all.slice(0, MAX_RESULTS);
  const summary = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 };
  for (const { result } of results) summary[result] += 1;
  return {
    apiVersion,
    kind,
    metadata: {
      name: NAMESPACE_AUDIT_NAME,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { 'app.kubernetes.io/managed-by': SOURCE },
    },
    // The older group has no such field at the top.
    ...(apiVersion.startsWith('openreports') ? { source: SOURCE } : {}),
    summary,
    results,
  };
}

function resultOf(status: 'fail' | 'unknown'): Result {
  return status === 'fail' ? 'fail' : 'error';
}

/** The workload as other tools refer to it. */
function referenceOf(workload: string): { readonly apiVersion: string; readonly kind: string; readonly name: string } {
  const slash = workload.indexOf('/');
  const kind = workload.slice(0, slash);
  const name = workload.slice(slash + 1);
  return { apiVersion: API_VERSIONS[kind] ?? 'v1', kind, name };
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ReplicaSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
};
