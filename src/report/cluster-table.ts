import { SEVERITIES } from '../core/finding.ts';
import { printable } from '../core/text.ts';
import type { ClusterReport } from './cluster-report.ts';
import type { ClusterOverview, Trend } from './cluster-overview.ts';
import { columns } from './columns.ts';
import type { FindingGroup } from './finding-groups.ts';
import { differingTexts } from './inconsistencies.ts';
import type { Paint, Style } from './paint.ts';
import { hasChanges, type ReportDiff } from './report-diff.ts';
import { plural } from './scan-report.ts';

export interface ClusterTableOptions {
  readonly paint: Paint;
  readonly diff?: ReportDiff;
}

const SHOWN = 5;
const SHOWN_CHANGES = 20;

/** The report for people: the first screen tells how the cluster stands and what to look at, then a line for each namespace. */
export function renderClusterTable(
  report: ClusterReport,
  overview: ClusterOverview,
  { paint, diff }: ClusterTableOptions,
): string {
  const part = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', paint('heading', title), ...lines.map((line) => `  ${line}`)];
  return [
    ...headLines(overview, paint),
    ...(diff ? part(`SINCE ${diff.before}`, changeLines(diff, paint)) : []),
    ...part('CRITICAL', criticalLines(overview, paint)),
    ...part('BLOCKERS', blockerLines(overview, paint)),
    ...part('EXCEPTIONS', exceptionLines(overview, paint)),
    ...part('FLOORS', floorLines(overview, paint)),
    ...part('PROFILES', profileLines(report, overview)),
    ...part('KINDS OF NODES', nodeLines(overview, paint)),
    ...(report.namespaces.length === 0 ? [] : ['', paint('heading', 'NAMESPACES'), namespaceRows(report, paint)]),
    '',
  ].join('\n');
}

function headLines(overview: ClusterOverview, paint: Paint): readonly string[] {
  const { pods, adoptionPercent, trend, nodes, findingTotals, workloads, kubernetes, truncated } = overview;
  const adoption =
    adoptionPercent === undefined
      ? paint('doubt', 'unknown: no running pod has been seen')
      : `${paint('strong', `${adoptionPercent} %`)} of ${plural(pods.running, 'running pod')} isolated${trendText(trend)}`;
  const reasons = nodes.reasons.slice(0, SHOWN).map(({ rule, nodes: count }) => `${number(count)} ${printable(rule)}`);
  const severities = SEVERITIES.filter((severity) => findingTotals[severity] > 0).map((severity) =>
    paint(
      severity === 'critical' || severity === 'high' ? 'bad' : 'dim',
      `${number(findingTotals[severity])} ${severity}`,
    ),
  );
  const rows: (readonly string[])[] = [
    [paint('heading', 'ADOPTION'), adoption],
    ['', podText(overview, paint)],
    [paint('heading', 'NODES'), `${number(nodes.ready)} of ${number(nodes.total)} ready${rest(overview, paint)}`],
    ...(reasons.length > 0 ? [['', paint('dim', reasons.join(', '))]] : []),
    [
      paint('heading', 'FINDINGS'),
      `${severities.join(', ') || 'none'}${findingTotals.accepted > 0 ? paint('dim', `; ${findingTotals.accepted} accepted`) : ''}`,
    ],
    [
      paint('heading', 'WORKLOADS'),
      `${number(workloads.ready)} could adopt now, ${number(workloads.adopted)} have, ${number(workloads.blocked)} blocked`,
    ],
  ];
  if (kubernetes?.keepsHostUsers === 'False')
    rows.push([paint('bad', 'API SERVER'), `drops hostUsers: ${printable(kubernetes.reason)}`]);
  if (truncated.length > 0)
    rows.push([
      paint('doubt', 'NOT ALL'),
      `findings are listed of ${plural(truncated.length, 'namespace')}; totals count all`,
    ]);
  return [columns(rows)];
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function rest({ nodes }: ClusterOverview, paint: Paint): string {
  const parts = [
    ...(nodes.notReady > 0 ? [paint('bad', `${number(nodes.notReady)} not ready`)] : []),
    ...(nodes.unknown > 0 ? [paint('doubt', `${number(nodes.unknown)} unknown`)] : []),
  ];
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`;
}

function podText({ pods }: ClusterOverview, paint: Paint): string {
  const parts: readonly (readonly [number, string, Style])[] = [
    [pods.private, 'isolated', 'good'],
    [pods.host, "in the host's user namespace", 'dim'],
    [pods.notEffective, 'declared and not in force', 'bad'],
    [pods.overlapping, 'with overlapping ids', 'bad'],
    [pods.undeclaredPrivate, 'isolated, not declared', 'dim'],
    [pods.unknown, 'unknown', 'doubt'],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, what, style]) => paint(style, `${number(count)} ${what}`))
    .join(', ');
}

/** `, 26 points more than 30 days ago` */
export function trendText(trend: Trend | undefined): string {
  if (!trend) return '';
  const { points, days } = trend;
  if (points === 0) return `, as ${plural(days, 'day')} ago`;
  return `, ${plural(Math.abs(points), 'point')} ${points > 0 ? 'more' : 'less'} than ${plural(days, 'day')} ago`;
}

function criticalLines({ critical }: ClusterOverview, paint: Paint): readonly string[] {
  const more = critical.length - SHOWN;
  return [
    ...critical
      .slice(0, SHOWN)
      .map((group) => `${paint('bad', printable(group.rule))}  ${subjectText(group)} ${printable(group.message, 300)}`),
    ...(more > 0 ? [paint('dim', `and ${more} more`)] : []),
  ];
}

/** `payments/Deployment/api and 2 more:` */
export function subjectText({ subjects }: FindingGroup): string {
  const [first, ...others] = subjects;
  const name = first?.namespace === undefined ? `node ${first?.name ?? ''}` : `${first.namespace}/${first.name}`;
  return `${printable(name)}${others.length > 0 ? ` and ${others.length} more` : ''}:`;
}

function blockerLines({ blockers }: ClusterOverview, paint: Paint): readonly string[] {
  const more = blockers.length - SHOWN;
  return [
    ...blockers
      .slice(0, SHOWN)
      .map(
        ({ reason, workloads, example }) =>
          `${plural(workloads, 'workload')}: ${printable(reason, 300)} ${paint('dim', `(${printable(example)})`)}`,
      ),
    ...(more > 0 ? [paint('dim', `and ${more} more`)] : []),
  ];
}

const EXCEPTION_STYLES: Readonly<Record<string, Style>> = { expired: 'bad', expiring: 'doubt', unused: 'doubt' };

function exceptionLines({ exceptions }: ClusterOverview, paint: Paint): readonly string[] {
  const open = exceptions.filter(({ state }) => state !== 'matched');
  const fine = exceptions.length - open.length;
  return [
    ...open.map(
      ({ state, reason, expires, matched }) =>
        `${paint(EXCEPTION_STYLES[state] ?? 'dim', state)}  ${printable(reason)}${expires === undefined ? '' : paint('dim', ` (until ${printable(expires)})`)}, ${plural(matched, 'finding')}`,
    ),
    ...(fine > 0 ? [paint('dim', `${plural(fine, 'other')} in use`)] : []),
  ];
}

function floorLines({ missedFloors }: ClusterOverview, paint: Paint): readonly string[] {
  return missedFloors.map(
    ({ namespace, required, actual }) =>
      `${paint('bad', printable(namespace))}  ${printable(actual)}; required: ${printable(required)}`,
  );
}

function profileLines({ policy }: ClusterReport, { inconsistencies }: ClusterOverview): readonly string[] {
  return (policy?.status.profiles ?? []).flatMap(({ id, compliancePercent, controls }) => {
    const counts = new Map<string, number>();
    for (const { status } of controls) counts.set(status, (counts.get(status) ?? 0) + 1);
    const text = [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
    return [
      `${printable(id)}  ${compliancePercent === undefined ? '' : `${compliancePercent} %: `}${text}`,
      ...controls.flatMap((control) =>
        differingTexts(inconsistencies, id, control).map((why) => `  ${printable(control.id)}: ${why}`),
      ),
    ];
  });
}

function namespaceRows({ namespaces }: ClusterReport, paint: Paint): string {
  // Hardly any cluster has such pods.
  const undeclared = namespaces.some(({ status }) => status.pods.undeclaredPrivate > 0);
  const head = [
    'NAMESPACE',
    'ADOPTION',
    'PODS',
    'ISOLATED',
    'HOST',
    ...(undeclared ? ['UNDECLARED'] : []),
    'NOT IN FORCE',
    'UNKNOWN',
    'CRITICAL',
    'HIGH',
    'READY',
    'BLOCKED',
  ];
  const tinted = (count: number, style: Style): string => (count === 0 ? '0' : paint(style, String(count)));
  const rows = namespaces.map(({ name, status: { pods, adoptionPercent, findingTotals, workloads } }) => [
    printable(name),
    adoptionPercent === undefined ? paint('dim', 'no pods') : `${adoptionPercent} %`,
    String(pods.running),
    String(pods.private),
    String(pods.host),
    ...(undeclared ? [String(pods.undeclaredPrivate)] : []),
    tinted(pods.notEffective + pods.overlapping, 'bad'),
    tinted(pods.unknown, 'doubt'),
    tinted(findingTotals.critical, 'bad'),
    tinted(findingTotals.high, 'bad'),
    String(workloads?.ready ?? 0),
    String(workloads?.blocked ?? 0),
  ]);
  return columns([head.map((title) => paint('dim', title)), ...rows]);
}

const NODE_STYLES: Readonly<Record<string, Style>> = { Ready: 'good', NotReady: 'bad', Unknown: 'doubt' };
const SHOWN_KINDS = 12;

function nodeLines({ nodeKinds }: ClusterOverview, paint: Paint): readonly string[] {
  const more = nodeKinds.length - SHOWN_KINDS;
  return [
    ...nodeKinds.slice(0, SHOWN_KINDS).map(({ verdict, names, system }) => {
      const parts = [system?.osImage, system?.kernelRelease, system?.runtime].filter((text) => text !== undefined);
      const what = parts.length === 0 ? '' : ` ${paint('dim', printable(parts.join(', ')))}`;
      const who = names.length === 1 ? (names[0] ?? '') : `${names.length} nodes, such as ${names[0] ?? ''}`;
      const why = verdict.reasons.length === 0 ? '' : `: ${verdict.reasons.join(', ')}`;
      return `${paint(NODE_STYLES[verdict.readiness] ?? 'dim', verdict.readiness)}  ${printable(who)}${what}${printable(why, 400)}`;
    }),
    ...(more > 0 ? [paint('dim', `and ${plural(more, 'more kind')}`)] : []),
  ];
}

function changeLines(diff: ReportDiff, paint: Paint): readonly string[] {
  if (!hasChanges(diff)) return ['nothing has changed'];
  const { adoption, newFindings, goneFindings, readiness, expiredExceptions, namespaces, uncertain } = diff;
  const capped = (lines: readonly string[]): readonly string[] => {
    const more = lines.length - SHOWN_CHANGES;
    return more > 0 ? [...lines.slice(0, SHOWN_CHANGES), paint('dim', `and ${more} more`)] : lines;
  };
  return [
    `isolated pods: ${adoption.before.private} of ${adoption.before.running} then, ${adoption.after.private} of ${adoption.after.running} now`,
    ...capped(
      newFindings.map(
        (one) => `${paint('bad', 'new')}   ${one.severity} ${printable(one.rule)}  ${printable(one.subject)}`,
      ),
    ),
    ...capped(
      goneFindings.map(
        (one) => `${paint('good', 'gone')}  ${one.severity} ${printable(one.rule)}  ${printable(one.subject)}`,
      ),
    ),
    ...capped(
      readiness.map(
        ({ node, before = 'not there', after = 'not there', reasons }) =>
          `node  ${printable(node)} ${before} -> ${after}${reasons.length === 0 ? '' : ` (${printable(reasons.join(', '))})`}`,
      ),
    ),
    ...expiredExceptions.map((text) => `${paint('bad', 'expired')}  ${printable(text)}`),
    ...(namespaces.added.length > 0 ? [`new namespaces: ${printable(namespaces.added.join(', '), 600)}`] : []),
    ...(namespaces.removed.length > 0 ? [`namespaces gone: ${printable(namespaces.removed.join(', '), 600)}`] : []),
    ...(uncertain.length > 0
      ? [
          paint(
            'doubt',
            `not every finding is listed of ${printable(uncertain.join(', '), 600)}: what seems new or gone there may not be`,
          ),
        ]
      : []),
  ];
}
