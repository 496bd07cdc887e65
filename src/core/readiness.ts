import type { NodeFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import type { NodeRule, ReadinessPath } from './rule.ts';

/** Whether private user namespaces can be run here. `UNKNOWN` is neither of the others. */
export type ReadinessStatus = 'READY' | 'NOT READY' | 'UNKNOWN';

export interface Readiness {
  readonly status: ReadinessStatus;
  /** Whose containers the answer is about: what runs them here decides which rules count. */
  readonly engine: 'Kubernetes' | 'Docker' | 'none';
  /** The findings that decided, worst first; empty when ready. */
  readonly reasons: readonly Finding[];
}

/**
 * The node's verdict: the kernel's rules always count, Kubernetes' or Docker's where that engine runs containers here. One
 * failure means not ready; without failure, one unknown means unknown.
 */
export function judgeReadiness(facts: NodeFacts, rules: readonly NodeRule[], findings: readonly Finding[]): Readiness {
  const engine = engineOf(facts);
  const paths: readonly ReadinessPath[] =
    engine === 'none' ? ['kernel'] : ['kernel', engine === 'Docker' ? 'docker' : 'kubernetes'];
  const deciding = new Set(rules.filter(({ readiness }) => paths.includes(readiness)).map(({ id }) => id));
  const relevant = findings.filter(({ rule, subject }) => subject.kind === 'Node' && deciding.has(rule));
  const failed = relevant.filter(({ status }) => status === 'fail');
  const unknown = relevant.filter(({ status }) => status === 'unknown');
  if (failed.length > 0) return { status: 'NOT READY', engine, reasons: failed };
  if (unknown.length > 0) return { status: 'UNKNOWN', engine, reasons: unknown };
  return { status: 'READY', engine, reasons: [] };
}

/** What runs containers here. Docker brings its own containerd, so containerd alone means Kubernetes only where no dockerd is. */
export function engineOf({ kubelet, docker, containerd, crio }: NodeFacts): Readiness['engine'] {
  if (kubelet.presence !== 'absent' || crio.presence !== 'absent') return 'Kubernetes';
  if (docker.presence !== 'absent') return 'Docker';
  return containerd.presence !== 'absent' ? 'Kubernetes' : 'none';
}
