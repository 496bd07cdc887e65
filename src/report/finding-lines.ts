import type { Evidence, Finding, FindingSubject } from '../core/finding.ts';
import { printable } from '../core/text.ts';
import type { NodeReport } from './node-report.ts';
import type { TableOptions } from './node-table.ts';
import { type Paint, severityStyle } from './paint.ts';

/** Findings of one rule that say the same are one entry with several subjects. */
interface Entry {
  readonly finding: Finding;
  readonly subjects: readonly FindingSubject[];
}

/** Failures and unknowns, worst first, each with its fix; `wide` adds the evidence and what passed. */
export function findingLines({ findings }: NodeReport, { wide, paint }: TableOptions): readonly string[] {
  const shown = group(findings.filter(({ status }) => wide || status === 'fail' || status === 'unknown'));
  if (shown.length === 0) return ['  none'];
  const lines = shown.flatMap((entry) => entryLines(entry, wide, paint));
  const explain = paint('dim', '  userns-audit explain RULE tells more of a rule');
  return [...lines, explain];
}

function group(findings: readonly Finding[]): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.rule, finding.status, finding.message, finding.fix]);
    const entry = entries.get(key);
    entries.set(key, { finding: entry?.finding ?? finding, subjects: [...(entry?.subjects ?? []), finding.subject] });
  }
  return [...entries.values()];
}

function entryLines({ finding, subjects }: Entry, wide: boolean, paint: Paint): readonly string[] {
  const { rule, message, fix, evidence } = finding;
  const who = subjectText(subjects);
  return [
    `  ${label(finding, paint)} ${paint('strong', rule)}  ${who}${printable(message, 600)}`,
    ...(wide ? evidence.map((item) => paint('dim', `           ${evidenceText(item)}`)) : []),
    ...(fix
      ? fix
          .split('\n')
          .map((line, index) => `           ${paint('dim', index === 0 ? 'fix:' : '    ')} ${printable(line, 600)}`)
      : []),
  ];
}

function label({ status, severity }: Finding, paint: Paint): string {
  if (status === 'fail') return paint(severityStyle(severity), severity.toUpperCase().padEnd(8));
  const word = status === 'not-applicable' ? 'N/A' : status.toUpperCase();
  return paint(status === 'pass' ? 'good' : status === 'unknown' ? 'doubt' : 'dim', word.padEnd(8));
}

const SHOWN_SUBJECTS = 3;

function subjectText(subjects: readonly FindingSubject[]): string {
  const names = subjects.flatMap((subject) =>
    subject.kind === 'Container' ? [subject.name ?? shorten(subject.id)] : [],
  );
  if (names.length === 0) return '';
  const more = names.length > SHOWN_SUBJECTS ? ` and ${names.length - SHOWN_SUBJECTS} more` : '';
  const plural = names.length > 1 ? 'containers' : 'container';
  return `${plural} ${printable(names.slice(0, SHOWN_SUBJECTS).join(', '))}${more}: `;
}

function shorten(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id;
}

function evidenceText({ source, value }: Evidence): string {
  return printable(`${source}: ${value}`);
}
