import type { Rule } from '../core/rule.ts';
import { columns } from './columns.ts';
import { type Paint, severityStyle } from './paint.ts';

/** What a rule judges, in a word and in a phrase. */
const SUBJECTS: Readonly<Record<Rule['kind'], { readonly word: string; readonly phrase: string }>> = {
  node: { word: 'node', phrase: 'the node' },
  effective: { word: 'container', phrase: 'every container, by what the kernel shows' },
  workload: { word: 'workload', phrase: 'every workload, by what its manifest declares' },
  scc: { word: 'SCC', phrase: 'SecurityContextConstraints of OpenShift' },
};

/** The catalogue as a table. */
export function renderRules(rules: readonly Rule[], paint: Paint): string {
  const head = ['RULE', 'SEVERITY', 'SUBJECT', 'THE CONDITION IT STATES'].map((title) => paint('dim', title));
  const rows = rules.map(({ id, severity, kind, title }) => [
    id,
    paint(severityStyle(severity), severity),
    SUBJECTS[kind].word,
    title,
  ]);
  return columns([head, ...rows]).replace(/^ {2}/gm, '');
}

/** One rule in full. */
export function renderRule(rule: Rule, paint: Paint): string {
  const subject = SUBJECTS[rule.kind].phrase;
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
