import { isAtLeastAsSevere, SEVERITIES, type Severity } from '../core/finding.ts';
import type { RuleMeta } from '../core/rule.ts';
import type { ManifestFinding, ManifestSubject, ScanProblem, ScanResult } from '../core/scan-finding.ts';
import type { Place } from '../core/workload.ts';
import { compareText } from '../core/text.ts';

/** A scan as every output format gets it: pure data, the same for all of them. */
export interface ScanReport {
  /** Version of userns-audit. */
  readonly version: string;
  readonly result: ScanResult;
  /** Findings at least this severe fail the run. */
  readonly failOn: Severity | 'never';
  readonly exitCode: 0 | 1 | 2;
  /** The rules over manifests that were asked for. */
  readonly rules: readonly RuleMeta[];
  /** The paths as the caller named them, for the advice on what to do next. */
  readonly paths: readonly string[];
  /** The baseline that was compared with, and how many of its entries are no longer found. */
  readonly baseline?: { readonly file: string; readonly fixed: number };
}

export interface RuleCount {
  readonly rule: string;
  readonly severity: Severity;
  readonly findings: number;
  readonly workloads: number;
}

/** True for a finding that nobody has accepted. */
export function isOpen({ accepted }: ManifestFinding): boolean {
  return accepted === undefined;
}

/** True for a finding that fails the run. */
export function isFailing(finding: ManifestFinding, failOn: ScanReport['failOn']): boolean {
  return isOpen(finding) && failOn !== 'never' && isAtLeastAsSevere(finding.severity, failOn);
}

/**
 * 2 where something could not be judged, whatever else was found: a pipeline that lives with findings must not live with a
 * blind spot unknowingly. Else 1 for findings at or above the floor.
 */
export function scanExitCode({ findings, problems }: ScanResult, failOn: ScanReport['failOn']): 0 | 1 | 2 {
  if (problems.some(({ fatal }) => fatal)) return 2;
  return findings.some((finding) => isFailing(finding, failOn)) ? 1 : 0;
}

/** How often each severity stands among findings, worst first; those that do not occur are left out. */
export function countSeverities(findings: readonly ManifestFinding[]): readonly (readonly [Severity, number])[] {
  const counts = new Map<Severity, number>();
  for (const { severity } of findings) counts.set(severity, (counts.get(severity) ?? 0) + 1);
  return SEVERITIES.flatMap((severity) => {
    const count = counts.get(severity);
    return count === undefined ? [] : [[severity, count] as const];
  });
}

/** Findings by rule: worst first, then the most frequent. A rule whose cases differ in severity has the worst of them. */
export function countRules(findings: readonly ManifestFinding[]): readonly RuleCount[] {
  const byRule = Map.groupBy(findings, ({ rule }) => rule);
  return [...byRule]
    .map(([rule, members]) => ({
      rule,
      severity: countSeverities(members)[0]?.[0] ?? 'info',
      findings: members.length,
      workloads: countSubjects(members),
    }))
    .toSorted(
      (a, b) =>
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
        b.findings - a.findings ||
        compareText(a.rule, b.rule),
    );
}

/** Number of different workloads (and constraints) that findings are about. */
export function countSubjects(findings: readonly ManifestFinding[]): number {
  return new Set(findings.map(({ place, subject }) => `${place.file}\0${subject.apiVersion}\0${subjectName(subject)}`))
    .size;
}

/** `DaemonSet kube-system/agent` */
export function subjectName({ kind, namespace, name }: ManifestSubject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** `deploy/agent.yaml:12:7`; of an object of a cluster, which has no lines, `Deployment/shop/web`. */
export function placeText({ file, line, column }: Place): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** By file, then by place, then by rule: the order a reader goes through the files in. */
export function byPlace<T extends { readonly place: Place }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => comparePlaces(a.place, b.place));
}

function comparePlaces(a: Place, b: Place): number {
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column;
}

/** 12345 as `12,345`. */
export function count(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 file`, `2 files` */
export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** `3 critical, 40 high` */
export function severitiesText(findings: readonly ManifestFinding[]): string {
  return countSeverities(findings)
    .map(([severity, number]) => `${count(number)} ${severity}`)
    .join(', ');
}

/** The problems that made a part of the input unjudged, and the remarks. */
export function splitProblems(problems: readonly ScanProblem[]): {
  readonly unjudged: readonly ScanProblem[];
  readonly remarks: readonly ScanProblem[];
} {
  return {
    unjudged: byPlace(problems.filter(({ fatal }) => fatal)),
    remarks: byPlace(problems.filter(({ fatal }) => !fatal)),
  };
}

/** What a problem's kind says, for headings and for formats that want a word of its own. */
export const PROBLEM_TITLES: Readonly<Record<ScanProblem['kind'], string>> = {
  unreadable: 'The input could not be read',
  unparsable: 'The input could not be parsed',
  template: 'The input is a template that has to be rendered first',
  'wrong-type': 'A field has a value of a wrong type',
  'no-pod-spec': 'An object has no pod spec where --pod-spec-path looks for it',
  'unused-waiver': 'A waiver accepts nothing',
  'expired-waiver': 'A waiver has expired',
  'waiver-without-reason': 'A waiver gives no reason',
  'unknown-rule': 'No rule has this name',
  'unused-exception': 'An exception of the policy accepts nothing',
  'expired-exception': 'An exception of the policy has expired',
  'tool-missing': 'A tool that is needed to render the input is missing',
};
