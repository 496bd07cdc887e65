import type { Severity } from '../core/finding.ts';
import type { NodeAuditStatus, NodeAuditVerdict } from '../resources/node-audit.ts';

/** What one rule says of a node where it does not pass. */
export interface OpenVerdict extends NodeAuditVerdict {
  readonly severity: Severity;
  readonly status: 'fail' | 'unknown';
  readonly message: string;
}

/** The verdicts that fail or are unknown. The agent says of each how bad it is; one that does not is not its. */
export function openVerdicts({ rules = [] }: NodeAuditStatus): readonly OpenVerdict[] {
  return rules.flatMap(({ status, severity = 'info', message = '', ...rest }) =>
    status === 'fail' || status === 'unknown' ? [{ ...rest, status, severity, message }] : [],
  );
}
