import type { ManifestFinding, ScanProblem } from '../core/scan-finding.ts';
import { printable } from '../core/text.ts';
import { columns } from './columns.ts';
import { type Paint, severityStyle } from './paint.ts';
import { headline, verdictLine } from './scan-headline.ts';
import {
  byPlace,
  count,
  countRules,
  isFailing,
  isOpen,
  placeText,
  plural,
  type ScanReport,
  severitiesText,
  splitProblems,
  subjectName,
} from './scan-report.ts';

export interface ScanTextOptions {
  readonly paint: Paint;
  /** Every finding: also those below the floor, however many, and those that are accepted. */
  readonly wide: boolean;
  /** Counts instead of findings. */
  readonly summary: boolean;
}

/** Below the floor, findings are listed while they are few: a first run over a repository has thousands. */
const LISTED_BELOW_FLOOR = 20;

/** From so many lines on the verdict has scrolled away and is said again at the end. */
const LONG = 40;

/** The report for people: what matters, what was not judged, the findings by file and workload, and remarks. */
export function renderScanText(report: ScanReport, { paint, wide, summary }: ScanTextOptions): string {
  const { result, failOn } = report;
  const { unjudged, remarks } = splitProblems(result.problems);
  const open = result.findings.filter(isOpen);
  const fixed = fixedLines(report);
  if (report.exitCode === 0 && open.length === 0 && remarks.length === 0 && fixed.length === 0 && !wide && !summary) {
    return verdictLine(report, paint);
  }
  const failing = open.filter((finding) => isFailing(finding, failOn));
  const below = open.filter((finding) => !isFailing(finding, failOn));
  const collapsed = !wide && below.length > LISTED_BELOW_FLOOR;
  const listed = wide ? result.findings : collapsed ? failing : open;
  const blocks = [
    headline(report, paint),
    section('NOT JUDGED', problemLines(unjudged, paint), paint),
    ...(summary ? [countLines(open, paint)] : listLines(listed, failOn, paint)),
    summary || !collapsed ? [] : belowLines(below, paint),
    section('REMARKS', [...problemLines(remarks, paint), ...fixed], paint),
  ].filter((block) => block.length > 0);
  const lines = blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
  return [...lines, ...(lines.length > LONG ? ['', verdictLine(report, paint)] : [])].join('\n');
}

function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? [] : [paint('heading', title), ...lines];
}

/** A line each; what many inputs share, as a repository of templates does, is said once, before their places. */
function problemLines(problems: readonly ScanProblem[], paint: Paint): readonly string[] {
  const groups = Map.groupBy(problems, ({ kind, message }) => `${kind}\0${message}`);
  return [...groups.values()].flatMap((members) => {
    const [one, ...others] = members;
    if (!one) return [];
    const { kind, message, fatal, place } = one;
    const [first = '', ...rest] = message.split('\n').map((line) => printable(line, 600));
    const label = paint(fatal ? 'bad' : 'doubt', kind);
    const more = rest.map((line) => `      ${line}`);
    if (others.length === 0) return [`  ${printable(placeText(place))}  ${label}  ${first}`, ...more];
    return [`  ${label}  ${first}`, ...more, ...members.map((member) => `      ${printable(placeText(member.place))}`)];
  });
}

function fixedLines({ baseline }: ScanReport): readonly string[] {
  if (!baseline || baseline.fixed === 0) return [];
  const what = baseline.fixed === 1 ? '1 finding of it is' : `${count(baseline.fixed)} findings of it are`;
  return [`  ${printable(baseline.file)}  ${what} gone: --update-baseline drops what is mended`];
}

/** A block a file, in it the workloads in the order they stand there. */
function listLines(
  findings: readonly ManifestFinding[],
  failOn: ScanReport['failOn'],
  paint: Paint,
): readonly (readonly string[])[] {
  const files = Map.groupBy(byPlace(findings), ({ place }) => place.file);
  return [...files.values()].map((members) => {
    const workloads = Map.groupBy(members, ({ subject }) => subjectName(subject));
    return [...workloads].flatMap(([name, ofWorkload]) => [
      paint('heading', `${printable(ofWorkload[0]?.place.file ?? '')}: ${printable(name)}`),
      ...ofWorkload.flatMap((finding) => findingLines(finding, failOn, paint)),
    ]);
  });
}

function findingLines(finding: ManifestFinding, failOn: ScanReport['failOn'], paint: Paint): readonly string[] {
  const { rule, severity, message, fix, place, accepted } = finding;
  const label = severity.toUpperCase().padEnd(8);
  const style = isFailing(finding, failOn) ? severityStyle(severity) : 'dim';
  return [
    `  ${printable(placeText(place))}  ${paint(style, label)} ${paint('strong', rule)}  ${printable(message, 600)}`,
    ...(accepted
      ? [`      ${paint('dim', `accepted by ${accepted.by}:`)} ${printable(accepted.reason, 600)}`]
      : (fix ?? '')
          .split('\n')
          .flatMap((line, index) =>
            line ? [`      ${paint('dim', index === 0 ? 'fix:' : '    ')} ${printable(line, 600)}`] : [],
          )),
  ];
}

function belowLines(below: readonly ManifestFinding[], paint: Paint): readonly string[] {
  return [
    paint(
      'heading',
      `BELOW --fail-on: ${plural(below.length, 'finding')} (${severitiesText(below)}), listed with -o wide`,
    ),
    ...ruleRows(below, paint),
  ];
}

function countLines(open: readonly ManifestFinding[], paint: Paint): readonly string[] {
  return open.length === 0 ? [] : [paint('heading', 'FINDINGS BY RULE'), ...ruleRows(open, paint)];
}

function ruleRows(findings: readonly ManifestFinding[], paint: Paint): readonly string[] {
  const rows = countRules(findings).map(({ rule, severity, findings: number, workloads }) => [
    paint(severityStyle(severity), severity.toUpperCase()),
    rule,
    count(number),
    `in ${plural(workloads, 'workload')}`,
  ]);
  return columns(rows).split('\n');
}
