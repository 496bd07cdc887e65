import type { ManifestFinding, ScanProblem, ScanResult } from '../core/scan-finding.ts';
import { SEVERITIES, type Severity } from '../core/finding.ts';
import { countRules, countSeverities, isFailing, isOpen, type RuleCount, type ScanReport } from './scan-report.ts';

/** What `userns-audit scan -o json` prints: docs/schema/scan-v1.json. Fields are added in v1, never renamed or removed. */
export interface ScanDocument {
  readonly apiVersion: 'userns-audit.dev/v1';
  readonly kind: 'ScanReport';
  readonly version: string;
  readonly failOn: Severity | 'never';
  readonly exitCode: 0 | 1 | 2;
  readonly summary: ScanResult['totals'] & {
    readonly findings: {
      readonly total: number;
      /** At or above `failOn`, and accepted by nobody. */
      readonly failing: number;
      readonly accepted: Readonly<Record<'waiver' | 'exception' | 'baseline', number>>;
      /** Of those that nobody accepted. */
      readonly bySeverity: Readonly<Record<Severity, number>>;
      readonly byRule: readonly RuleCount[];
    };
    /** Inputs, or parts of them, that could not be judged. */
    readonly unjudged: number;
  };
  readonly findings: readonly (ManifestFinding & { readonly failing: boolean })[];
  readonly problems: readonly ScanProblem[];
}

/** The report as one object. */
export function createScanDocument({ result, version, failOn, exitCode }: ScanReport): ScanDocument {
  const { findings, problems, totals } = result;
  const open = findings.filter(isOpen);
  const accepted = { waiver: 0, exception: 0, baseline: 0 };
  for (const finding of findings) if (finding.accepted) accepted[finding.accepted.by] += 1;
  return {
    apiVersion: 'userns-audit.dev/v1',
    kind: 'ScanReport',
    version,
    failOn,
    exitCode,
    summary: {
      ...totals,
      findings: {
        total: findings.length,
        failing: open.filter((finding) => isFailing(finding, failOn)).length,
        accepted,
        bySeverity: { ...zeroBySeverity(), ...Object.fromEntries(countSeverities(open)) },
        byRule: countRules(open),
      },
      unjudged: problems.filter(({ fatal }) => fatal).length,
    },
    findings: findings.map((finding) => ({ ...finding, failing: isFailing(finding, failOn) })),
    problems,
  };
}

function zeroBySeverity(): Record<Severity, number> {
  return Object.fromEntries(SEVERITIES.map((severity) => [severity, 0])) as Record<Severity, number>;
}

export function renderScanJson(report: ScanReport): string {
  return JSON.stringify(createScanDocument(report), undefined, 2);
}
