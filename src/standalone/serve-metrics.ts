import { Registry } from 'prom-client';
import { registerFamily } from '../report/metric-family.ts';
import { READINESS_WORDS } from '../report/node-audit-status.ts';
import type { NodeReport } from '../report/node-report.ts';

/** What was seen last, and what that took. */
export interface Audit {
  readonly report: NodeReport;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly seconds: number;
}

/** The families of one machine (docs/metrics.md), as the latest audit has them. */
export function createServeMetrics(latest: () => Audit | undefined, version: string): Registry {
  const registry = new Registry();

  function gauge<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
    samples: (audit: Audit) => readonly (readonly [Readonly<Record<Label, string>>, number])[],
  ): void {
    registerFamily(registry, {
      name,
      help,
      labels,
      samples: () => {
        const audit = latest();
        return audit ? samples(audit) : [];
      },
    });
  }

  gauge('build_info', 'The version of this program.', ['version'], () => [[{ version }, 1]]);
  gauge('machine_readiness', 'Whether this machine can run private user namespaces.', ['status'], ({ report }) => [
    [{ status: READINESS_WORDS[report.readiness.status] }, 1],
  ]);
  gauge('machine_containers', 'Running containers by their user namespace.', ['state'], ({ report }) =>
    Object.entries(report.summary.userNamespaces).map(([state, count]) => [{ state }, count] as const),
  );
  gauge(
    'machine_findings',
    'Broken rules, and those that could not be judged.',
    ['rule', 'severity', 'status'],
    (audit) => countFindings(audit.report),
  );
  gauge('machine_audit_duration_seconds', 'Time the latest audit took.', [], ({ seconds }) => [[{}, seconds]]);
  gauge('machine_evidence_timestamp_seconds', 'When the machine was last audited.', [], ({ time }) => [
    [{}, Math.round(time / 1000)],
  ]);
  return registry;
}

type FindingSample = readonly [{ readonly rule: string; readonly severity: string; readonly status: string }, number];

function countFindings({ findings }: NodeReport): readonly FindingSample[] {
  const open = findings.filter(({ status }) => status === 'fail' || status === 'unknown');
  const groups = Map.groupBy(open, ({ rule, severity, status }) => `${rule} ${severity} ${status}`);
  return [...groups.values()].flatMap((members): readonly FindingSample[] => {
    const [first] = members;
    return first ? [[{ rule: first.rule, severity: first.severity, status: first.status }, members.length]] : [];
  });
}
