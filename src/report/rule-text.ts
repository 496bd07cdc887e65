import type { Rule } from '../core/rule.ts';
import { columns } from './columns.ts';
import { type Paint, severityStyle } from './paint.ts';

/** The catalogue as a table. */
export function renderRules(rules: readonly Rule[], paint: Paint): string {
  const head = ['RULE', 'SEVERITY', 'SUBJECT', 'THE CONDITION IT STATES'].map((title) => paint('dim', title));
  const rows = rules.map(({ id, severity, kind, title }) => [
    id,
    paint(severityStyle(severity), severity),
    kind === 'node' ? 'node' : 'container',
    title,
  ]);
  return columns([head, ...rows]).replace(/^ {2}/gm, '');
}

/** One rule in full. */
export function renderRule(rule: Rule, paint: Paint): string {
  const subject = rule.kind === 'node' ? 'the node' : 'every container, by what the kernel shows';
  return [
    `${paint('heading', rule.id)}  ${paint(severityStyle(rule.severity), rule.severity)}, judges ${subject}`,
    '',
    rule.title,
    '',
    paint('dim', 'Why'),
    rule.rationale,
    '',
    paint('dim', 'Fix'),
    rule.remediation,
    '',
    paint('dim', 'Sources'),
    ...rule.references.map((reference) => `- ${reference}`),
  ].join('\n');
}
