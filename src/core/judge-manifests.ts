import type { Baseline, BaselineEntry } from './baseline.ts';
import type { AuditPolicy, PolicyException } from './policy.ts';
import type { Profile } from './profile.ts';
import type { ManifestRule } from './rule.ts';
import type { ManifestFinding, ScanProblem } from './scan-finding.ts';
import type { WaiverComment } from './waiver.ts';
import type { KubernetesVersion, SecurityContextConstraints, Workload } from './workload.ts';

/** What of the catalogue is judged; without any of it, every rule. */
export interface RuleChoice {
  /** `--profile`: these profiles' rules instead of the policy's profiles. */
  readonly profiles?: readonly string[];
  /** `--rule`: exactly these. */
  readonly rules?: readonly string[];
  /** `--skip-rule` */
  readonly skipRules?: readonly string[];
}

/** Everything a judgement over manifests depends on. */
export interface ManifestsToJudge {
  readonly workloads: readonly Workload[];
  readonly sccs: readonly SecurityContextConstraints[];
  readonly version: KubernetesVersion;
  /** `MANIFEST_RULES` and `PROFILES` of src/rules. */
  readonly catalogue: { readonly rules: readonly ManifestRule[]; readonly profiles: readonly Profile[] };
  readonly choice?: RuleChoice;
  readonly policy?: AuditPolicy;
  readonly baseline?: Baseline;
  /** Every waiver comment of the files read (`findWaiverComments`). */
  readonly waiverComments?: readonly WaiverComment[];
  /** `2026-11-24`: what expiry dates are compared with. */
  readonly today: string;
  /** True when only a part of the tree was read, as a pre-commit hook does: what lies outside is then neither unused nor fixed. */
  readonly partial?: boolean;
}

/** How often an exception was needed. */
export interface ExceptionUse {
  readonly exception: PolicyException;
  readonly matched: number;
  readonly expired: boolean;
}

export interface ManifestJudgement {
  /** Worst first, then by file, line and rule. Accepted ones are among them, with `accepted` set. */
  readonly findings: readonly ManifestFinding[];
  readonly problems: readonly ScanProblem[];
  /** Entries of the baseline that are no longer found. */
  readonly fixed: readonly BaselineEntry[];
  readonly exceptions: readonly ExceptionUse[];
}

/** Judges manifests by the chosen rules, and marks what waivers, exceptions and the baseline accept. Pure. */
export function judgeManifests(_input: ManifestsToJudge): ManifestJudgement {
  return { findings: [], problems: [], fixed: [], exceptions: [] };
}
