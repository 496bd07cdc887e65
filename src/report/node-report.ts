import type { Container } from '../core/container.ts';
import { evaluate } from '../core/evaluate.ts';
import type { NodeFacts } from '../core/facts.ts';
import type { Finding, Status } from '../core/finding.ts';
import { namespaceVector } from '../core/namespace.ts';
import { judgeReadiness, type Readiness } from '../core/readiness.ts';
import { AUDIT_RULES, NODE_RULES } from '../rules/index.ts';
import { compareText } from '../core/text.ts';

/** A container with its namespaces also in the compact form of the table. */
export interface ReportedContainer extends Container {
  readonly vector: string;
}

/** The audit of one machine: what `userns-audit node -o json` prints (docs/node-report.md). */
export interface NodeReport {
  readonly apiVersion: 'userns-audit.dev/v1alpha1';
  readonly kind: 'NodeReport';
  readonly readiness: Readiness;
  readonly summary: {
    readonly containers: number;
    /** Those that run, by how their user namespace stands to the host's. */
    readonly userNamespaces: Readonly<Record<'private' | 'host' | 'unknown', number>>;
    readonly findings: Readonly<Record<Status, number>>;
  };
  readonly facts: Omit<NodeFacts, 'containers'>;
  readonly containers: readonly ReportedContainer[];
  readonly findings: readonly Finding[];
}

/** Judges a node's facts by every rule and sums up. Pure. */
export function createNodeReport(facts: NodeFacts): NodeReport {
  const findings = evaluate(AUDIT_RULES, facts);
  const { containers, ...node } = facts;
  return {
    apiVersion: 'userns-audit.dev/v1alpha1',
    kind: 'NodeReport',
    readiness: judgeReadiness(facts, NODE_RULES, findings),
    summary: {
      containers: containers.length,
      userNamespaces: countUserNamespaces(containers),
      findings: countStatuses(findings),
    },
    facts: node,
    containers: containers
      .map((container) => ({ vector: namespaceVector(container.namespaces), ...container }))
      .toSorted((a, b) => compareText(a.podUid ?? '', b.podUid ?? '') || a.init.pid - b.init.pid),
    findings,
  };
}

function countUserNamespaces(containers: readonly Container[]): NodeReport['summary']['userNamespaces'] {
  const counts = { private: 0, host: 0, unknown: 0 };
  for (const { namespaces, state } of containers) {
    if (state === 'exited') continue;
    const { relation } = namespaces.user;
    // A kernel without user namespaces leaves every container in the only one there is.
    counts[relation === 'unsupported' ? 'host' : relation] += 1;
  }
  return counts;
}

function countStatuses(findings: readonly Finding[]): NodeReport['summary']['findings'] {
  const counts = { pass: 0, fail: 0, unknown: 0, 'not-applicable': 0 };
  for (const { status } of findings) counts[status] += 1;
  return counts;
}
