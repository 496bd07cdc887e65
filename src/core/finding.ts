import { compareText } from './text.ts';

/** From worst to mildest. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** True for a severity, whatever the value's type. */
export function isSeverity(value: unknown): value is Severity {
  return SEVERITIES.some((severity) => severity === value);
}

/** `unknown` is an answer of its own: it is never folded into `pass`. */
export type Status = 'pass' | 'fail' | 'unknown' | 'not-applicable';

/** One thing that was read, and where: what a reader would check by hand. */
export interface Evidence {
  readonly source: string;
  readonly value: string;
}

/** What a rule judged: the node itself, or one container on it. */
export type FindingSubject =
  | { readonly kind: 'Node' }
  | { readonly kind: 'Container'; readonly id: string; readonly name?: string; readonly podUid?: string };

/** A rule's judgement on one subject. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly status: Status;
  readonly subject: FindingSubject;
  /** One sentence: what is so. */
  readonly message: string;
  readonly evidence: readonly Evidence[];
  /** What to do on this very host, ready to be pasted; only on `fail`. */
  readonly fix?: string;
}

/** True when `severity` is as bad as `floor` or worse. */
export function isAtLeastAsSevere(severity: Severity, floor: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(floor);
}

const STATUS_ORDER: readonly Status[] = ['fail', 'unknown', 'pass', 'not-applicable'];

/** Failures first, worst first; then by rule and subject, so that output is stable. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    STATUS_ORDER.indexOf(a.status) - STATUS_ORDER.indexOf(b.status) ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    compareText(a.rule, b.rule) ||
    compareText(subjectKey(a.subject), subjectKey(b.subject))
  );
}

function subjectKey(subject: FindingSubject): string {
  return subject.kind === 'Node' ? '' : subject.id;
}
