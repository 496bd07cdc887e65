import type { Container } from './container.ts';
import type { DockerFacts, KubeletFacts, NodeFacts } from './facts.ts';
import type { Evidence, Severity } from './finding.ts';
import type { Overlap } from './id-map.ts';
import type { FieldPath, KubernetesVersion, SecurityContextConstraints, Workload } from './workload.ts';

/** A rule's answer on one subject: a status, one sentence, and what it was read from. */
export type Verdict =
  | { readonly status: 'pass'; readonly message: string; readonly evidence: readonly Evidence[] }
  | { readonly status: 'fail'; readonly message: string; readonly evidence: readonly Evidence[]; readonly fix?: string }
  | { readonly status: 'unknown'; readonly message: string; readonly evidence: readonly Evidence[] }
  | { readonly status: 'not-applicable'; readonly message: string; readonly evidence: readonly Evidence[] };

export interface RuleMeta {
  /** Kebab case, equal to the file name, never reused. */
  readonly id: string;
  /** The required condition: "The kernel has user namespaces". */
  readonly title: string;
  readonly severity: Severity;
  /** Why it matters, two or three sentences. */
  readonly rationale: string;
  /** What to do in general; a finding's `fix` says it for one host. */
  readonly remediation: string;
  /** Where the facts come from. */
  readonly references: readonly string[];
}

/** Which way of running private user namespaces a node rule stands for; `none` informs and never decides readiness. */
export type ReadinessPath = 'kernel' | 'kubernetes' | 'docker' | 'none';

/** Judges the node. */
export interface NodeRule extends RuleMeta {
  readonly kind: 'node';
  readonly readiness: ReadinessPath;
  check(facts: NodeFacts): Verdict;
}

/** What a container is judged against, besides itself. */
export interface EffectiveContext {
  /** The Docker daemon of the machine, where it was asked for. */
  readonly docker?: DockerFacts;
  /** The kubelet's own record of the pods on the machine. */
  readonly kubeletPods: KubeletFacts['pods'];
  /** All containers of the machine: one may join another's namespaces. */
  readonly containers: readonly Container[];
  /** Host id ranges held by more than one pod, by the container's cgroup. */
  readonly overlaps: ReadonlyMap<string, readonly Overlap<Container>[]>;
}

/** Judges one container by what the kernel shows of it. */
export interface EffectiveRule extends RuleMeta {
  readonly kind: 'effective';
  check(container: Container, context: EffectiveContext): Verdict;
  /** Judges the same condition in a manifest, where one can declare it: a compose file has a field for the host UTS namespace. */
  readonly checkDeclared?: (workload: Workload, target: JudgedFor) => Iterable<Violation>;
}

/** One broken place of a manifest. `path` is relative to the pod spec (or the SCC); a missing field is named where it would stand. */
export interface Violation {
  readonly path: FieldPath;
  readonly message: string;
  /** One line: what to write instead. */
  readonly fix?: string;
  /** Where this case is milder than the rule's severity says: "the image decides" against "runs as root". */
  readonly severity?: Severity;
}

/** What workloads are judged for. */
export interface JudgedFor extends KubernetesVersion {
  /** Set by a Pod Security profile: relaxations for `hostUsers: false` then hold exactly as its admission grants them. */
  readonly podSecurity?: 'baseline' | 'restricted';
  /** Set for pods the API server has taken: what only it decides is decided. */
  readonly isAdmitted?: true;
}

/** Judges a pod template by what it declares; yields nothing when it complies. */
export interface WorkloadRule extends RuleMeta {
  readonly kind: 'workload';
  check(workload: Workload, target: JudgedFor): Iterable<Violation>;
}

/** Judges an OpenShift SecurityContextConstraints. */
export interface SccRule extends RuleMeta {
  readonly kind: 'scc';
  check(scc: SecurityContextConstraints): Iterable<Violation>;
}

/** The rules over manifests. */
export type ManifestRule = WorkloadRule | SccRule;

/** The rules over what a machine shows. */
export type AuditRule = NodeRule | EffectiveRule;

export type Rule = NodeRule | EffectiveRule | WorkloadRule | SccRule;

export function pass(message: string, evidence: readonly Evidence[] = []): Verdict {
  return { status: 'pass', message, evidence };
}

export function fail(message: string, evidence: readonly Evidence[], fix?: string): Verdict {
  return { status: 'fail', message, evidence, ...(fix === undefined ? {} : { fix }) };
}

export function unknown(message: string, evidence: readonly Evidence[] = []): Verdict {
  return { status: 'unknown', message, evidence };
}

export function notApplicable(message: string, evidence: readonly Evidence[] = []): Verdict {
  return { status: 'not-applicable', message, evidence };
}
