import { createHostFs } from '../host/host-fs.ts';
import { createProcFs } from '../host/procfs.ts';
import { type EndpointOptions, healthRoutes, startEndpoint } from '../http/endpoint.ts';
import { createAuthorizer } from '../kube/authorize.ts';
import { createClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import type { KubeConnection } from '../kube/connection.ts';
import { inClusterConnection } from '../kube/in-cluster.ts';
import { createAgentCounters, renderAgentMetrics } from './agent-metrics.ts';
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

/** The agent's process: from its options to its end by SIGTERM or SIGINT. */
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
  const client = createClient(await connect(options), { userAgent: `userns-audit-agent/${__VERSION__}` });
  const counters = createAgentCounters();
  let lastOutcome: PublishOutcome | undefined;
  const publisher = createPublisher({
    client,
    node,
    heartbeatMs: options.heartbeat * 1000,
    clock: systemClock,
    onOutcome: (outcome, error) => {
      counters.publishes[outcome] += 1;
      // The same trouble again and again is said once.
      if (error !== undefined && outcome !== lastOutcome)
        log('warn', 'NodeAudit not written', { node, fix: ADVICE[outcome], error: messageOf(error) });
      else if (lastOutcome !== undefined && ADVICE[lastOutcome] !== '' && ADVICE[outcome] === '')
        log('info', 'NodeAudit written again', { node });
      lastOutcome = outcome;
    },
  });
  const server = await startEndpoint(options, {
    routes: {
      ...healthRoutes(
        () => undefined,
        () => (counters.scans > 0 ? undefined : 'the first audit is not done'),
      ),
      '/metrics': () => ({
        status: 200,
        headers: { 'content-type': METRICS_TYPE },
        body: renderAgentMetrics(counters, __VERSION__, publisher.writtenAt),
      }),
    },
    authorize: createAuthorizer(client),
    onError: (error) => {
      log('warn', 'request failed', { error: messageOf(error) });
    },
  });
  log('info', 'agent started', { node, version: __VERSION__, port: server.port, hostRoot: options.hostRoot });
  const { signal } = ending;
  await Promise.all([
    runAuditLoop(
      {
        host: createHostFs(options.hostRoot),
        procfs: createProcFs(options.hostRoot),
        version: __VERSION__,
        intervalMs: options.interval * 1000,
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
