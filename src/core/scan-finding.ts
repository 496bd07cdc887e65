import type { Severity } from './finding.ts';
import type { Place } from './workload.ts';

/** What a manifest finding is about. */
export interface ManifestSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** A broken rule in a manifest, at its exact place. */
export interface ManifestFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly subject: ManifestSubject;
  readonly message: string;
  readonly fix?: string;
  /** `spec.template.spec.hostPID` */
  readonly field: string;
  readonly place: Place;
  /** Stable over moved lines and renamed parents: rule, file, subject and field (docs/baseline.md). 64 hex digits. */
  readonly fingerprint: string;
  /** Set when a waiver, an exception or the baseline accepts it; such a finding does not fail the run. */
  readonly accepted?: { readonly by: 'waiver' | 'exception' | 'baseline'; readonly reason: string };
}

/** A remark on the input or on the control files themselves: unreadable, unparsable, a waiver that is unused, expired or without reason. */
export interface ScanProblem {
  readonly kind:
    | 'unreadable'
    | 'unparsable'
    | 'template'
    | 'wrong-type'
    | 'no-pod-spec'
    | 'unused-waiver'
    | 'expired-waiver'
    | 'waiver-without-reason'
    | 'unknown-rule'
    | 'unused-exception'
    | 'expired-exception'
    | 'tool-missing';
  readonly message: string;
  readonly place: Place;
  /** True when the input could not be judged because of it: exit code 2. */
  readonly fatal: boolean;
}

/** What a scan saw and found: every output format is a pure function of it. */
export interface ScanResult {
  readonly findings: readonly ManifestFinding[];
  readonly problems: readonly ScanProblem[];
  readonly totals: {
    readonly files: number;
    readonly bytes: number;
    readonly documents: number;
    readonly workloads: number;
    /** Workloads without a finding that counts. */
    readonly clean: number;
    /** How the workloads stand to `hostUsers: false`, whichever rules were asked for; absent where nobody counted. */
    readonly adoption?: AdoptionTotals;
  };
}

/** Workloads by what `hostUsers: false` would take; those of Docker count nowhere. */
export interface AdoptionTotals {
  /** Have it. */
  readonly adopted: number;
  /** Nothing in the manifest speaks against it: it can be added as it is. */
  readonly ready: number;
  /** Something has to change first: a host namespace, a volume, an id out of range. */
  readonly blocked: number;
  /** The manifest does not tell: a claim, a runtime class. Absent where nobody asked. */
  readonly unknown?: number;
}
