import type { PublishOutcome } from './publish.ts';

/** What the agent counts of itself. */
export interface AgentCounters {
  scans: number;
  scanSeconds: number;
  lastScanSeconds: number;
  /** On the agent's clock. */
  scannedAt: number;
  containers: number;
  evidenceComplete: boolean;
  readonly publishes: Record<PublishOutcome, number>;
}

export function createAgentCounters(): AgentCounters {
  return {
    scans: 0,
    scanSeconds: 0,
    lastScanSeconds: 0,
    scannedAt: 0,
    containers: 0,
    evidenceComplete: false,
    publishes: { written: 0, heartbeat: 0, missing: 0, refused: 0, failed: 0 },
  };
}

/** What a process says of itself in metrics, under the names all clients of Prometheus give it. */
export interface ProcessUse {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

/**
 * The counters in the text format of Prometheus (docs/metrics.md). By hand: a library for a dozen series would cost every node of a
 * cluster its memory.
 */
export function renderAgentMetrics(
  counters: AgentCounters,
  version: string,
  writtenAt: number,
  use: ProcessUse,
): string {
  const { scans, scanSeconds, lastScanSeconds, containers, evidenceComplete, publishes } = counters;
  const families: readonly (readonly [name: string, type: string, help: string, samples: readonly string[]])[] = [
    ['userns_audit_agent_build_info', 'gauge', 'The version of the agent.', [`{version="${version}"} 1`]],
    [
      'userns_audit_agent_scan_duration_seconds',
      'summary',
      'Time the audits of the node took.',
      [`_sum ${scanSeconds}`, `_count ${scans}`],
    ],
    ['userns_audit_agent_last_scan_duration_seconds', 'gauge', 'Time the latest audit took.', [` ${lastScanSeconds}`]],
    ['userns_audit_agent_containers', 'gauge', 'Running containers the latest audit saw.', [` ${containers}`]],
    [
      'userns_audit_agent_evidence_complete',
      'gauge',
      'Whether the agent sees every namespace.',
      [` ${Number(evidenceComplete)}`],
    ],
    [
      'userns_audit_agent_publishes_total',
      'counter',
      'Attempts to write the NodeAudit, by how they ended.',
      Object.entries(publishes).map(([result, count]) => `{result="${result}"} ${count}`),
    ],
    [
      'userns_audit_agent_last_publish_timestamp_seconds',
      'gauge',
      'When the NodeAudit was last written; 0 before that.',
      [` ${Math.round(writtenAt / 1000)}`],
    ],
    ['process_cpu_seconds_total', 'counter', 'CPU time of this process.', [` ${use.cpuSeconds}`]],
    ['process_resident_memory_bytes', 'gauge', 'Memory of this process.', [` ${use.residentBytes}`]],
  ];
  return families
    .map(
      ([name, type, help, samples]) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => `${name}${sample}\n`).join('')}`,
    )
    .join('');
}
