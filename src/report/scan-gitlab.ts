import type { Severity } from '../core/finding.ts';
import { sha256 } from '../core/sha256.ts';
import type { Place } from '../core/workload.ts';
import { isOpen, PROBLEM_TITLES, type ScanReport, subjectName } from './scan-report.ts';

/** One issue of a GitLab code quality report. */
interface CodeQualityIssue {
  readonly description: string;
  readonly check_name: string;
  readonly fingerprint: string;
  readonly severity: 'info' | 'minor' | 'major' | 'critical' | 'blocker';
  readonly location: { readonly path: string; readonly lines: { readonly begin: number; readonly end: number } };
}

const SEVERITY_NAMES: Readonly<Record<Severity, CodeQualityIssue['severity']>> = {
  critical: 'blocker',
  high: 'critical',
  medium: 'major',
  low: 'minor',
  info: 'info',
};

/** GitLab's code quality report. What is accepted is left out: GitLab has no word for it. */
export function renderScanGitLab({ result }: ScanReport): string {
  const findings = result.findings
    .filter(isOpen)
    .map(({ rule, severity, subject, message, fix, fingerprint, place }): CodeQualityIssue => ({
      description: `${subjectName(subject)}: ${message}${fix === undefined ? '' : ` Fix: ${fix}`}`,
      check_name: rule,
      fingerprint,
      severity: SEVERITY_NAMES[severity],
      location: location(place),
    }));
  const problems = result.problems.map(({ kind, fatal, message, place }): CodeQualityIssue => ({
    description: `${PROBLEM_TITLES[kind]}: ${message}`,
    check_name: kind,
    fingerprint: sha256(JSON.stringify([kind, place.file, message])),
    severity: fatal ? 'critical' : 'minor',
    location: location(place),
  }));
  return JSON.stringify(withoutTwins([...problems, ...findings]), undefined, 2);
}

function location({ file, line, endLine }: Place): CodeQualityIssue['location'] {
  return { path: file.replace(/^\.\//, ''), lines: { begin: line, end: endLine } };
}

/** GitLab drops all but one of the issues with the same fingerprint: a twin gets one of its own, the first keeps the stable one. */
function withoutTwins(issues: readonly CodeQualityIssue[]): readonly CodeQualityIssue[] {
  const seen = new Map<string, number>();
  return issues.map((issue) => {
    const twins = seen.get(issue.fingerprint) ?? 0;
    seen.set(issue.fingerprint, twins + 1);
    if (twins === 0) return issue;
    return { ...issue, fingerprint: sha256(`${issue.fingerprint}#${twins}`) };
  });
}
