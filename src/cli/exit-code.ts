import { isAtLeastAsSevere, type Severity } from '../core/finding.ts';
import type { NodeReport } from '../report/node-report.ts';

/** 0 clean, 1 findings at or above the floor, 2 could not judge: the verdict is unknown or the reader's sight is limited. */
export type ExitCode = 0 | 1 | 2;

export function exitCodeOf({ findings, readiness, facts }: NodeReport, failOn: Severity | 'never'): ExitCode {
  const failed =
    failOn !== 'never' &&
    findings.some(({ status, severity }) => status === 'fail' && isAtLeastAsSevere(severity, failOn));
  if (failed) return 1;
  return readiness.status === 'UNKNOWN' || !facts.sight.complete ? 2 : 0;
}
