import type { Severity } from './finding.ts';
import type { FieldPath, Place } from './workload.ts';

/** A rule switched on or off, or weighed differently, by the policy. */
export interface RuleSetting {
  readonly id: string;
  readonly enabled?: boolean;
  readonly severity?: Severity;
}

/** Findings accepted by name: who, why, until when. */
export interface PolicyException {
  /** Rule ids, or `*`. */
  readonly rules: readonly string[];
  /** Globs; a manifest without a namespace is matched by `*` alone. */
  readonly namespaces?: readonly string[];
  /** Globs over `Kind/name`. */
  readonly workloads?: readonly string[];
  /** Globs over the path of the file. */
  readonly files?: readonly string[];
  readonly reason: string;
  readonly approver?: string;
  /** `2027-03-31`: the last day it holds. */
  readonly expires?: string;
  /** Where it stands in the policy file. */
  readonly place: Place;
}

/** The AuditPolicy document (`userns-audit.dev/v1alpha1`), as far as a scan reads it. */
export interface AuditPolicy {
  readonly profiles: readonly string[];
  readonly rules: readonly RuleSetting[];
  readonly exceptions: readonly PolicyException[];
}

/** What is wrong with a policy document. */
export interface PolicyError {
  /** `spec.exceptions[0].reason` */
  readonly field: string;
  readonly message: string;
  readonly place: Place;
}

export type ParsedPolicy =
  { readonly ok: true; readonly policy: AuditPolicy } | { readonly ok: false; readonly errors: readonly PolicyError[] };

/** What a policy may name, and where its fields stand. */
export interface PolicySource {
  readonly ruleIds: readonly string[];
  readonly profileIds: readonly string[];
  /** Where a field of the document stands, or its nearest parent. */
  locate(path: FieldPath): Place;
}
