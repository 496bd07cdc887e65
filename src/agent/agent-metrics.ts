import type { PublishOutcome } from './publish.ts';

/** What the agent counts of itself. */
export interface AgentCounters {
  scans: number;
  scanSeconds: number;
  lastScanSeconds: number;
  containers: number;
  evidenceComplete: boolean;
  readonly publishes: Record<PublishOutcome, number>;
}

export function createAgentCounters(): AgentCounters {
  return {
    scans: 0,
    scanSeconds: 0,
    lastScanSeconds: 0,
    containers: 0,
    evidenceComplete: false,
    publishes: { written: 0, heartbeat: 0, missing: 0, refused: 0, failed: 0 },
  };
}

/**
 * The counters in the text format of Prometheus (docs/metrics.md). By hand: a library for a dozen series would cost every node of a
 * cluster its memory.
 */
export function renderAgentMetrics(counters: AgentCounters, version: string, writtenAt: number): string {
  const { scans, scanSeconds, lastScanSeconds, containers, evidenceComplete, publishes } = counters;
  const families: readonly (readonly [name: string, type: string, help: string, samples: readonly string[]])[] = [
    ['build_info', 'gauge', 'The version of the agent.', [`{version="${version}"} 1`]],
    ['scan_duration_seconds', 'summary', 'Time an audit of the node took.', []],
    ['last_scan_duration_seconds', 'gauge', 'Time the latest audit took.', [` ${lastScanSeconds}`]],
    ['containers', 'gauge', 'Running containers the latest audit saw.', [` ${containers}`]],
    ['evidence_complete', 'gauge', 'Whether the agent sees every namespace.', [` ${Number(evidenceComplete)}`]],
    [
      'publishes_total',
      'counter',
      'Attempts to write the NodeAudit, by how they ended.',
      Object.entries(publishes).map(([result, count]) => `{result="${result}"} ${count}`),
    ],
    [
      'last_publish_timestamp_seconds',
      'gauge',
      'When the NodeAudit was last written; 0 before that.',
      [` ${Math.round(writtenAt / 1000)}`],
    ],
  ];
  return families
    .map(([name, type, help, samples]) => {
      const full = `userns_audit_agent_${name}`;
      const lines = type === 'summary' ? [`_sum ${scanSeconds}`, `_count ${scans}`] : samples;
      return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.map((line) => `${full}${line}\n`).join('')}`;
    })
    .join('');
}
