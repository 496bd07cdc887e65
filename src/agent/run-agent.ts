import { createHostFs } from '../host/host-fs.ts';
import { mountedPaths } from '../host/mounted-paths.ts';
import { createProcFs } from '../host/procfs.ts';
import { type EndpointOptions, healthRoutes, startEndpoint } from '../http/endpoint.ts';
import { createAuthorizer } from '../kube/authorize.ts';
import { createClient, type KubeClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import type { KubeConnection } from '../kube/connection.ts';
import { inClusterConnection } from '../kube/in-cluster.ts';
import { KubeError } from '../kube/kube-error.ts';
import { type AgentCounters, createAgentCounters, type ProcessUse, renderAgentMetrics } from './agent-metrics.ts';
import { runAuditLoop } from './audit-loop.ts';
import { createPublisher, type PublishOutcome } from './publish.ts';

/** Put in by the bundler. */
declare const __VERSION__: string;

export interface AgentOptions extends EndpointOptions {
  readonly nodeName?: string;
  readonly hostRoot: string;
  /** Seconds. */
  readonly interval: number;
  /** Seconds. */
  readonly heartbeat: number;
  readonly kubeconfig?: string;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const ADVICE: Readonly<Record<PublishOutcome, string>> = {
  written: '',
  heartbeat: '',
  missing: 'there is no NodeAudit for this node yet: is the controller running?',
  refused:
    'the API server refuses it: does the agent run with its own service account, on the node it names, and are the CRDs up to date?',
  failed: 'the API server can not be reached: the latest result is kept',
};

/** The agent's process: from its options to its end by SIGTERM or SIGINT. What keeps it from starting is logged, and ends it with 1. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const node = options.nodeName ?? process.env['NODE_NAME'];
  if (node === undefined || node === '') {
    log('error', 'no node name', { fix: 'set NODE_NAME to spec.nodeName by the downward API, or give --node-name' });
    process.exitCode = 2;
    return;
  }
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      log('info', 'ending', { signal });
      ending.abort();
    });
  try {
    const client = createClient(await connect(options), { userAgent: `userns-audit-agent/${__VERSION__}` });
    await runWith(client, node, options, ending.signal);
  } catch (error) {
    log('error', 'the agent can not run', { error: messageOf(error) });
    process.exitCode = 1;
  }
}

async function runWith(client: KubeClient, node: string, options: AgentOptions, signal: AbortSignal): Promise<void> {
  const counters = createAgentCounters();
  const publisher = createPublisher({
    client,
    node,
    heartbeatMs: options.heartbeat * 1000,
    clock: systemClock,
    onOutcome: outcomeLog(node, counters.publishes),
  });
  const intervalMs = options.interval * 1000;
  const server = await startEndpoint(options, {
    routes: {
      ...healthRoutes(
        () => stalled(counters, intervalMs),
        () => (counters.scans > 0 ? undefined : 'the first audit is not done'),
      ),
      '/metrics': () => ({
        status: 200,
        headers: { 'content-type': METRICS_TYPE },
        body: renderAgentMetrics(counters, __VERSION__, publisher.writtenAt, processUse()),
      }),
    },
    authorize: createAuthorizer(client),
    onError: (error) => {
      log('warn', 'request failed', { error: messageOf(error) });
    },
  });
  const { hostRoot } = options;
  log('info', 'agent started', { node, version: __VERSION__, port: server.port, hostRoot });
  await Promise.all([
    runAuditLoop(
      {
        host: createHostFs(hostRoot, mountedPaths(hostRoot)),
        procfs: createProcFs(hostRoot),
        version: __VERSION__,
        intervalMs,
        clock: systemClock,
        counters,
        onResult: (result) => {
          publisher.offer(result);
        },
        onError: (error) => {
          log('error', 'audit failed', { error: messageOf(error) });
        },
      },
      signal,
    ),
    publisher.run(signal),
  ]);
  await server.close();
  client.close();
}

/** Counts how attempts ended. The same trouble again and again is logged once. */
function outcomeLog(node: string, counts: Record<PublishOutcome, number>) {
  let trouble: string | undefined;
  return (outcome: PublishOutcome, error?: unknown): void => {
    counts[outcome] += 1;
    const before = trouble;
    trouble = error === undefined ? undefined : `${outcome} ${error instanceof KubeError ? error.status : ''}`;
    if (trouble === before) return;
    if (trouble === undefined) log('info', 'NodeAudit written again', { node });
    else log('warn', 'NodeAudit not written', { node, fix: ADVICE[outcome], error: messageOf(error) });
  };
}

/** An audit takes milliseconds; one that does not come back after so many intervals never will. */
const STALLED_INTERVALS = 5;
const STALLED_LEAST_MS = 120_000;

/** Why the agent should be started anew. */
function stalled({ scans, scannedAt }: AgentCounters, intervalMs: number): string | undefined {
  const limit = Math.max(STALLED_INTERVALS * intervalMs, STALLED_LEAST_MS);
  return scans > 0 && systemClock.now() - scannedAt > limit ? `no audit for ${Math.round(limit / 1000)} s` : undefined;
}

function processUse(): ProcessUse {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
}

async function connect({ kubeconfig }: AgentOptions): Promise<KubeConnection> {
  if (kubeconfig === undefined) return inClusterConnection(process.env);
  const { kubeconfigConnection } = await import('../kube/kubeconfig.ts');
  return kubeconfigConnection({ path: kubeconfig });
}

/** JSON lines on standard error, as the controller writes them. */
function log(level: string, message: string, fields: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ level, message, timestamp: new Date().toISOString(), ...fields })}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
