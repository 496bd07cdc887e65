import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type EndpointOptions, healthRoutes, startEndpoint } from '../http/endpoint.ts';
import { createAuthorizer } from '../kube/authorize.ts';
import { createClient } from '../kube/client.ts';
import type { KubeConnection } from '../kube/connection.ts';
import { inClusterConnection } from '../kube/in-cluster.ts';
import { runLeaderElection } from '../kube/lease.ts';
import { createPageRoutes } from './page-routes.ts';
import { createControllerMetrics } from './controller-metrics.ts';
import { createController } from './controller.ts';
import { createLog } from './log.ts';

/** Put in by the bundler. */
declare const __VERSION__: string;

export interface ControllerOptions extends EndpointOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly leaderElect: boolean;
  readonly staleAfter: number;
  readonly logLevel: string;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const LEASE_NAME = 'userns-audit-controller';

/** The controller's process: from its options to its end by SIGTERM or SIGINT. What keeps it from starting is logged, and ends it with 1. */
export async function runController(options: ControllerOptions): Promise<void> {
  const log = createLog(options.logLevel);
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      log.info('ending', { signal });
      ending.abort();
    });
  try {
    await runWith(await connect(options), options, log, ending.signal);
  } catch (error) {
    log.error('the controller can not run', { error: messageOf(error) });
    process.exitCode = 1;
  }
}

async function runWith(
  connection: KubeConnection,
  options: ControllerOptions,
  log: ReturnType<typeof createLog>,
  signal: AbortSignal,
): Promise<void> {
  const client = createClient(connection, { userAgent: `userns-audit-controller/${__VERSION__}` });
  const metrics = createControllerMetrics(() => controller, __VERSION__);
  const controller = createController({
    client,
    instance: hostname(),
    staleAfterMs: options.staleAfter * 1000,
    onWrite: (kind, result) => {
      metrics.countWrite(kind, result);
      log.debug('write', { kind, result });
    },
    onProgress: (resource, what) => {
      if (what === 'relist') metrics.countWatch(resource, 'restart');
      if (what === 'error' || what === 'malformed') metrics.countWatch(resource, 'error');
      log.debug('watch', { resource, what });
    },
    onError: (what, error) => log.warn('failed, and is tried again', { what, error: messageOf(error) }),
  });
  const lead = async (leading: AbortSignal): Promise<void> => {
    log.info('leading');
    metrics.setLeading(true);
    await controller.lead(leading);
    metrics.setLeading(false);
  };
  const server = await startEndpoint(options, {
    routes: {
      ...healthRoutes(
        () => undefined,
        () => (controller.watches.synced ? undefined : 'not all watched resources are known yet'),
      ),
      ...createPageRoutes(client),
      '/metrics': async () => ({
        status: 200,
        headers: { 'content-type': METRICS_TYPE },
        body: await metrics.render(),
      }),
    },
    authorize: createAuthorizer(client),
    onError: (error) => log.warn('request failed', { error: messageOf(error) }),
  });
  log.info('controller started', { version: __VERSION__, port: server.port });
  await Promise.all([
    controller.watch(signal),
    options.leaderElect
      ? runLeaderElection(
          {
            client,
            namespace: options.namespace ?? connection.namespace,
            name: LEASE_NAME,
            identity: `${hostname()}_${randomUUID()}`,
            lead,
            onLost: () => log.warn('leadership lost'),
            onError: (error) => log.warn('leader election failed, and is tried again', { error: messageOf(error) }),
          },
          signal,
        )
      : lead(signal),
  ]);
  await server.close();
  client.close();
}

async function connect({ kubeconfig }: ControllerOptions): Promise<KubeConnection> {
  if (kubeconfig === undefined) return inClusterConnection(process.env);
  const { kubeconfigConnection } = await import('../kube/kubeconfig.ts');
  return kubeconfigConnection({ path: kubeconfig });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
