import type { ManifestFinding } from '../core/scan-finding.ts';
import { escapeMarkdown, markdownCode as code, markdownTable as table } from './markdown.ts';
import { plain } from './paint.ts';
import { headline } from './scan-headline.ts';
import {
  byPlace,
  count,
  countRules,
  isFailing,
  isOpen,
  placeText,
  PROBLEM_TITLES,
  type ScanReport,
  splitProblems,
  subjectName,
} from './scan-report.ts';

/** A summary of a job may hold 1 MiB (GITHUB_STEP_SUMMARY). */
const SHOWN = 200;

/** Markdown for a job summary or a comment on a merge request: the headline, the rules, then what fails. */
export function renderScanMarkdown(report: ScanReport): string {
  const { result, failOn } = report;
  const open = result.findings.filter(isOpen);
  const failing = byPlace(open.filter((finding) => isFailing(finding, failOn)));
  const { unjudged, remarks } = splitProblems(result.problems);
  const [verdict = '', ...matters] = headline(report, plain);
  const blocks = [
    '## userns-audit',
    `**${escapeMarkdown(verdict)}**`,
    matters.map((line) => `- ${escapeMarkdown(line.replace(/^(\w+) +/, '$1: '))}`).join('\n'),
    table(
      ['Rule', 'Severity', 'Findings', 'Workloads'],
      countRules(open).map(({ rule, severity, findings, workloads }) => [
        code(rule),
        severity,
        count(findings),
        count(workloads),
      ]),
    ),
    listing(
      'Not judged',
      unjudged.map(({ kind, message, place }) => [code(placeText(place)), PROBLEM_TITLES[kind], message]),
    ),
    findings('Failing', failing),
    listing(
      'Remarks',
      remarks.map(({ kind, message, place }) => [code(placeText(place)), PROBLEM_TITLES[kind], message]),
    ),
  ];
  return `${blocks.filter(Boolean).join('\n\n')}\n`;
}

function findings(title: string, items: readonly ManifestFinding[]): string {
  if (items.length === 0) return '';
  const rows = items
    .slice(0, SHOWN)
    .map(({ place, subject, rule, severity, message, fix }) => [
      code(placeText(place)),
      escapeMarkdown(subjectName(subject)),
      `${code(rule)} ${severity}`,
      `${escapeMarkdown(message)}${fix === undefined ? '' : `<br>Fix: ${escapeMarkdown(fix)}`}`,
    ]);
  return `### ${title}\n\n${table(['Place', 'Workload', 'Rule', 'What'], rows)}${more(items.length)}`;
}

function listing(title: string, rows: readonly (readonly [place: string, kind: string, message: string])[]): string {
  if (rows.length === 0) return '';
  const shown = rows.slice(0, SHOWN).map(([place, kind, message]) => [place, kind, escapeMarkdown(message)]);
  return `### ${title}\n\n${table(['Place', 'Kind', 'What'], shown)}${more(rows.length)}`;
}

function more(total: number): string {
  return total > SHOWN ? `\n\nand ${count(total - SHOWN)} more` : '';
}
