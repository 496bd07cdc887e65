import type { ManifestFinding } from '../core/scan-finding.ts';
import { printable } from '../core/text.ts';
import { type Paint, severityStyle } from './paint.ts';
import {
  count,
  countRules,
  countSubjects,
  isFailing,
  isOpen,
  plural,
  type ScanReport,
  severitiesText,
  splitProblems,
} from './scan-report.ts';

/**
 * What matters of a run, in at most five lines: the verdict with the totals, what was not judged, the worst rules, who could
 * adopt user namespaces at once, and what to do next.
 */
export function headline(report: ScanReport, paint: Paint): readonly string[] {
  const { result } = report;
  const open = result.findings.filter(isOpen);
  const lines = [
    ['unread', unjudgedText(report)],
    ['worst', worstText(open, paint)],
    ['adopt', adoptionText(report)],
    ['next', nextText(report, open)],
  ] as const;
  return [
    verdictLine(report, paint),
    ...lines.flatMap(([label, text]) => (text === undefined ? [] : [`${paint('dim', label.padEnd(7))} ${text}`])),
  ];
}

/** One line: whether the run fails, what was found, and what was looked at. */
export function verdictLine(report: ScanReport, paint: Paint): string {
  const { result, failOn, exitCode } = report;
  const { totals, findings } = result;
  const open = findings.filter(isOpen);
  const failing = open.filter((finding) => isFailing(finding, failOn));
  const accepted = findings.length - open.length;
  const seen = `${plural(totals.workloads, 'workload')} (${plural(totals.files, 'file')})`;
  const [style, word] = ({ 0: ['good', 'PASSED'], 1: ['bad', 'FAILED'], 2: ['bad', 'INCOMPLETE'] } as const)[exitCode];
  const where = open.length > 0 && totals.workloads > 0 ? `${count(countSubjects(open))} of ${seen}` : seen;
  const what = [
    ...(open.length > 0 ? [severitiesText(open)] : []),
    ...(failing.length > 0 && failing.length < open.length ? [`${count(failing.length)} fail`] : []),
    ...(accepted > 0 ? [`${count(accepted)} accepted`] : []),
  ];
  const found = `${open.length === 0 ? 'no finding' : plural(open.length, 'finding')} in ${where}`;
  return `${paint(style, word.padEnd(7))} ${paint('strong', [found, ...what].join('; '))}`;
}

const WORST_RULES = 3;

function worstText(open: readonly ManifestFinding[], paint: Paint): string | undefined {
  const rules = countRules(open);
  if (rules.length === 0) return undefined;
  const shown = rules
    .slice(0, WORST_RULES)
    .map(({ rule, severity, findings }) => `${paint(severityStyle(severity), rule)} ${count(findings)}`);
  const more = rules.length > WORST_RULES ? `, and ${plural(rules.length - WORST_RULES, 'rule')} more` : '';
  return `${shown.join(', ')}${more}`;
}

function adoptionText({ result: { totals } }: ScanReport): string | undefined {
  const { adoption } = totals;
  if (!adoption) return undefined;
  const { adopted, ready, blocked, unknown = 0 } = adoption;
  if (ready + blocked + unknown === 0) return undefined;
  const all = adopted + ready + blocked + unknown;
  const others = [
    ...(adopted > 0 ? [`${count(adopted)} ${adopted === 1 ? 'has' : 'have'} it`] : []),
    ...(blocked > 0 ? [`${count(blocked)} ${blocked === 1 ? 'needs' : 'need'} something else first`] : []),
    ...(unknown > 0 ? [`${count(unknown)} ${unknown === 1 ? 'does' : 'do'} not tell enough`] : []),
  ];
  return [`${count(ready)} of ${plural(all, 'workload')} could take hostUsers: false right away`, ...others].join(', ');
}

function unjudgedText({ result: { problems } }: ScanReport): string | undefined {
  const { unjudged } = splitProblems(problems);
  const [first] = unjudged;
  if (!first) return undefined;
  const files = new Set(unjudged.map(({ place }) => place.file)).size;
  return `${plural(files, 'input')} could not be judged: fix, --exclude or --allow-unparsable (first: ${printable(first.place.file, 80)}:${first.place.line})`;
}

const SHOWN_PATHS = 3;

function nextText(
  { result, failOn, paths, baseline }: ScanReport,
  open: readonly ManifestFinding[],
): string | undefined {
  if (open.length === 0) return undefined;
  const where = paths.includes('-') || paths.length > SHOWN_PATHS ? 'PATH…' : paths.map(shellWord).join(' ');
  const advice = [
    ...((result.totals.adoption?.ready ?? 0) > 0 ? [`userns-audit fix ${where} shows the edits`] : []),
    ...(!baseline && open.some((finding) => isFailing(finding, failOn))
      ? ['--baseline FILE --update-baseline accepts what is there, so that only new findings fail']
      : []),
  ];
  return advice.length > 0
    ? advice.join('; ')
    : `userns-audit explain ${countRules(open)[0]?.rule ?? ''} tells why and how`;
}

function shellWord(word: string): string {
  const text = printable(word, 120);
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
