import type { HostFs } from '../host/host-fs.ts';
import type { ProcFs } from '../host/procfs.ts';
import type { Clock } from '../kube/clock.ts';
import { collectFacts, runInSlices } from '../probes/collect.ts';
import { createContainerChanges } from '../probes/container-changes.ts';
import { createNodeAuditStatus } from '../report/node-audit-status.ts';
import type { AgentCounters } from './agent-metrics.ts';
import type { AuditResult } from './publish.ts';

export interface AuditLoopOptions {
  readonly host: HostFs;
  readonly procfs: ProcFs;
  readonly version: string;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly counters: AgentCounters;
  readonly onResult: (result: AuditResult) => void;
  readonly onError: (error: unknown) => void;
  readonly random?: () => number;
}

/** No turn of the event loop waits longer for an audit than about this. */
const SLICE_MS = 4;
/** How often a look is taken whether containers came or went. */
const LOOK_MS = 5000;
/** Containers often come together: an early audit waits for the rest of them, and is not followed by another too soon. */
const SETTLE_MS = 1000;
const MIN_PAUSE_MS = 5000;

/** Audits the node on an interval, and early when containers have come or gone, until the signal aborts. */
export async function runAuditLoop(options: AuditLoopOptions, signal: AbortSignal): Promise<void> {
  const { procfs, intervalMs, clock, random = Math.random } = options;
  const changes = createContainerChanges(procfs);
  while (!signal.aborted) {
    const facts = await audit(options);
    if (facts) changes.remember(facts.containers);
    // Nodes that were started together do not go on together.
    const next = clock.now() + intervalMs * (0.9 + random() * 0.2);
    const earliest = clock.now() + Math.min(MIN_PAUSE_MS, intervalMs);
    while (!hasEnded(signal) && clock.now() < next) {
      await clock.sleep(Math.min(LOOK_MS, next - clock.now()), signal);
      if (clock.now() < earliest || !changes.look()) continue;
      await clock.sleep(Math.min(SETTLE_MS, intervalMs), signal);
      break;
    }
  }
}

async function audit({ host, procfs, version, clock, counters, onResult, onError }: AuditLoopOptions) {
  const start = clock.now();
  try {
    const facts = await runInSlices(collectFacts(host, procfs), SLICE_MS, () => clock.now());
    const result = createNodeAuditStatus(facts, version);
    counters.scans += 1;
    counters.scannedAt = clock.now();
    counters.lastScanSeconds = (clock.now() - start) / 1000;
    counters.scanSeconds += counters.lastScanSeconds;
    counters.containers = result.content.totals?.containers ?? 0;
    counters.evidenceComplete = facts.sight.complete;
    onResult(result);
    return facts;
  } catch (error) {
    // Probes do not throw for what a host holds; whatever this is must not take the agent down.
    onError(error);
    return undefined;
  }
}

/** It may have since the last look. */
function hasEnded(signal: AbortSignal): boolean {
  return signal.aborted;
}
