import { spawnSync } from 'node:child_process';
import { createAgentCounters, renderAgentMetrics } from '../../src/agent/agent-metrics.ts';
import { requirePrometheus } from '../prometheus/prometheus.ts';

/** A node that was audited four times; the API server was away once. */
function text(): string {
  const counters = createAgentCounters();
  Object.assign(counters, {
    scans: 4,
    scanSeconds: 0.5,
    lastScanSeconds: 0.125,
    containers: 7,
    evidenceComplete: true,
  });
  Object.assign(counters.publishes, { written: 2, heartbeat: 1, failed: 1 });
  return renderAgentMetrics(counters, '1.2.3', 1_772_600_767_400, { residentBytes: 62_914_560, cpuSeconds: 1.5 });
}

test('the metrics of the agent', () => {
  const samples = text()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples).toEqual([
    'userns_audit_agent_build_info{version="1.2.3"} 1',
    'userns_audit_agent_scan_duration_seconds_sum 0.5',
    'userns_audit_agent_scan_duration_seconds_count 4',
    'userns_audit_agent_last_scan_duration_seconds 0.125',
    'userns_audit_agent_containers 7',
    'userns_audit_agent_evidence_complete 1',
    'userns_audit_agent_publishes_total{result="written"} 2',
    'userns_audit_agent_publishes_total{result="heartbeat"} 1',
    'userns_audit_agent_publishes_total{result="missing"} 0',
    'userns_audit_agent_publishes_total{result="refused"} 0',
    'userns_audit_agent_publishes_total{result="failed"} 1',
    'userns_audit_agent_last_publish_timestamp_seconds 1772600767',
    'process_cpu_seconds_total 1.5',
    'process_resident_memory_bytes 62914560',
  ]);
});

const programs = requirePrometheus();

('skipped' in programs ? test.skip : test)(
  `promtool finds nothing to say (${'skipped' in programs ? programs.skipped : 'run'})`,
  () => {
    if ('skipped' in programs) return;
    const checked = spawnSync(programs.promtool, ['check', 'metrics'], { input: text(), encoding: 'utf8' });
    expect({ status: checked.status, said: checked.stdout + checked.stderr }).toEqual({ status: 0, said: '' });
  },
);
