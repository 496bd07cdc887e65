import { SEVERITIES } from '../core/finding.ts';
import { printable } from '../core/text.ts';
import type { ClusterReport } from './cluster-report.ts';
import type { ClusterOverview } from './cluster-overview.ts';
import { subjectText, trendText } from './cluster-table.ts';
import { differingTexts } from './inconsistencies.ts';
import { escapeMarkdown, markdownTable } from './markdown.ts';
import type { DiffFinding, ReportDiff } from './report-diff.ts';
import { plural } from './scan-report.ts';

const SHOWN_FINDINGS = 50;
const SHOWN_CHANGES = 50;

/** The report for an issue, a wiki or the summary of a pipeline. */
export function renderClusterMarkdown(report: ClusterReport, overview: ClusterOverview, diff?: ReportDiff): string {
  const { pods, adoptionPercent, trend, nodes, findingTotals, workloads, findings } = overview;
  const totals = SEVERITIES.map((severity) => `${findingTotals[severity]} ${severity}`).join(', ');
  const adoption =
    adoptionPercent === undefined
      ? 'No running pod has been seen.'
      : `**${adoptionPercent} %** of ${plural(pods.running, 'running pod')} isolated by a user namespace${trendText(trend)}.`;
  const lines = [
    `- ${adoption}`,
    `- Nodes: ${nodes.ready} of ${nodes.total} ready, ${nodes.notReady} not ready, ${nodes.unknown} unknown.`,
    `- Findings: ${totals}; ${findingTotals.accepted} accepted.`,
    `- Workloads: ${workloads.ready} could adopt now, ${workloads.adopted} have, ${workloads.blocked} blocked.`,
    ...(pods.unknown > 0 ? [`- Nobody can tell of ${plural(pods.unknown, 'pod')}.`] : []),
  ];
  const more = findings.length - SHOWN_FINDINGS;
  const parts = [
    '## Namespace isolation of the cluster',
    `As of ${escape(overview.generatedAt)}.`,
    lines.join('\n'),
    ...(diff ? [changes(diff)] : []),
    heading('Below their floor', floorTable(overview)),
    heading('What stops the rest', blockerTable(overview)),
    heading('Findings', findingTable(overview)),
    ...(more > 0 ? [`${plural(more, 'milder finding')} left out; \`-o json\` has all.`] : []),
    heading('Exceptions', exceptionTable(overview)),
    heading('Compliance', [profileTable(report), differingList(report, overview)].filter(Boolean).join('\n\n')),
    heading('Nodes', nodeTable(overview)),
    heading('Namespaces', namespaceTable(report)),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

const MAX_TEXT = 2000;

function escape(text: string): string {
  return escapeMarkdown(printable(text, MAX_TEXT));
}

function heading(title: string, table: string): string {
  return table === '' ? '' : `### ${title}\n\n${table}`;
}

function changes({
  before,
  adoption,
  newFindings,
  goneFindings,
  readiness,
  expiredExceptions,
  uncertain,
}: ReportDiff): string {
  const some = (title: string, all: readonly string[]): readonly string[] => {
    const left = all.length - SHOWN_CHANGES;
    return [
      ...all.slice(0, SHOWN_CHANGES).map((text) => `- ${title}: ${text}`),
      ...(left > 0 ? [`- and ${left} more`] : []),
    ];
  };
  const finding = ({ severity, rule, subject }: DiffFinding): string =>
    `${severity} ${escape(rule)}, ${escape(subject)}`;
  return [
    `### Since ${escape(before)}\n`,
    `- Isolated pods: ${adoption.before.private} of ${adoption.before.running} then, ${adoption.after.private} of ${adoption.after.running} now`,
    ...some('New', newFindings.map(finding)),
    ...some('Gone', goneFindings.map(finding)),
    ...some(
      'Node',
      readiness.map(({ node, before: was = 'not there', after = 'not there' }) => `${escape(node)} ${was} → ${after}`),
    ),
    ...some('Exception that expired', expiredExceptions.map(escape)),
    ...(uncertain.length > 0
      ? [`- Not every finding is listed of ${escape(uncertain.join(', '))}: what seems new or gone there may not be`]
      : []),
  ].join('\n');
}

function floorTable({ missedFloors }: ClusterOverview): string {
  return markdownTable(
    ['Namespace', 'Required', 'There is'],
    missedFloors.map(({ namespace, required, actual }) => [namespace, required, actual].map(escape)),
  );
}

function blockerTable({ blockers }: ClusterOverview): string {
  return markdownTable(
    ['Reason', 'Workloads', 'For example'],
    blockers.map(({ reason, workloads, example }) => [escape(reason), String(workloads), escape(example)]),
  );
}

function findingTable({ findings }: ClusterOverview): string {
  return markdownTable(
    ['', 'Rule', 'Where', 'What is so', 'Fix'],
    findings.slice(0, SHOWN_FINDINGS).map((group) => {
      const { accepted, status, severity, rule, message, fix = '' } = group;
      const word = accepted !== undefined ? 'accepted' : status === 'unknown' ? 'unknown' : severity;
      return [word, escape(rule), escape(subjectText(group).replace(/:$/, '')), escape(message), escape(fix)];
    }),
  );
}

function exceptionTable({ exceptions }: ClusterOverview): string {
  return markdownTable(
    ['State', 'Reason', 'Rules', 'Last day', 'Findings'],
    exceptions.map(({ state, reason, rules, expires = '', matched }) => [
      state,
      escape(reason),
      escape(rules.join(', ')),
      escape(expires),
      String(matched),
    ]),
  );
}

function profileTable({ policy }: ClusterReport): string {
  return markdownTable(
    ['Profile', 'Compliance', 'Controls that fail', 'Unknown'],
    (policy?.status.profiles ?? []).map(({ id, compliancePercent, controls }) => {
      const named = (...wanted: readonly string[]): string =>
        controls
          .filter(({ status }) => wanted.includes(status))
          .map((control) => control.id)
          .join(', ');
      return [
        escape(id),
        compliancePercent === undefined ? 'none passes or fails' : `${compliancePercent} %`,
        escape(named('fail', 'inconsistent')),
        escape(named('unknown')),
      ];
    }),
  );
}

/** The nodes that deviate, control by control. */
function differingList({ policy }: ClusterReport, { inconsistencies }: ClusterOverview): string {
  return (policy?.status.profiles ?? [])
    .flatMap(({ id, controls }) =>
      controls.flatMap((control) =>
        differingTexts(inconsistencies, id, control).map((why) => `- ${escape(`${id} ${control.id}: ${why}`)}.`),
      ),
    )
    .join('\n');
}

function nodeTable({ nodeKinds }: ClusterOverview): string {
  return markdownTable(
    ['Readiness', 'Nodes', 'System', 'Reasons'],
    nodeKinds.map(({ verdict, names, system }) => [
      verdict.readiness,
      names.length === 1 ? escape(names[0] ?? '') : String(names.length),
      escape([system?.osImage, system?.kernelRelease, system?.runtime].filter((text) => text !== undefined).join(', ')),
      escape(verdict.reasons.join(', ')),
    ]),
  );
}

function namespaceTable({ namespaces }: ClusterReport): string {
  return markdownTable(
    ['Namespace', 'Adoption', 'Pods', 'Isolated', 'Not in force', 'Unknown', 'Critical', 'High'],
    namespaces.map(({ name, status: { pods, adoptionPercent, findingTotals } }) => [
      escape(name),
      adoptionPercent === undefined ? 'no pods' : `${adoptionPercent} %`,
      ...[
        pods.running,
        pods.private,
        pods.notEffective + pods.overlapping,
        pods.unknown,
        findingTotals.critical,
        findingTotals.high,
      ].map(String),
    ]),
  );
}
