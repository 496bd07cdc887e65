/** An accepted finding of an earlier run. */
export interface BaselineEntry {
  readonly fingerprint: string;
  readonly rule: string;
  readonly file: string;
  /** `DaemonSet/kube-system/agent`, for people. */
  readonly subject: string;
  readonly field: string;
}

/** The findings a repository has lived with when it began to be judged (docs/baseline.md). */
export interface Baseline {
  readonly apiVersion: 'userns-audit.dev/v1alpha1';
  readonly kind: 'Baseline';
  readonly findings: readonly BaselineEntry[];
}
