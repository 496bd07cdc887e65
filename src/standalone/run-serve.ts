import { setTimeout as sleep } from 'node:timers/promises';
import { createHostFs } from '../host/host-fs.ts';
import { mountedPaths } from '../host/mounted-paths.ts';
import { createProcFs } from '../host/procfs.ts';
import { type EndpointOptions, healthRoutes, startEndpoint } from '../http/endpoint.ts';
import { isLoopback, type Route } from '../http/server.ts';
import { collectFacts, runInSlices } from '../probes/collect.ts';
import { renderNodeFragment, renderNodePage } from '../report/html/node-page.ts';
import { createNodeReport } from '../report/node-report.ts';
import { localRoutes } from './local-routes.ts';
import { type Audit, createServeMetrics } from './serve-metrics.ts';

/** Put in by the bundler. */
declare const __VERSION__: string;

export interface ServeOptions extends EndpointOptions {
  readonly hostRoot: string;
  /** Seconds. */
  readonly interval: number;
}

/** No request waits longer for an audit than about this. */
const SLICE_MS = 4;

/** One machine, audited again and again, and served: from its options to its end by SIGTERM or SIGINT. */
export async function runServe(options: ServeOptions): Promise<void> {
  const { hostRoot, interval, listen, insecure } = options;
  if (!isLoopback(listen.host) && !insecure) {
    process.stderr.write(
      'error: beyond loopback nobody could be asked who may read this: listen on 127.0.0.1 behind a proxy that knows its users, or say --insecure\n',
    );
    process.exitCode = 2;
    return;
  }
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      ending.abort();
    });
  let latest: Audit | undefined;
  const metrics = createServeMetrics(() => latest, __VERSION__);
  const waiting = { status: 503, body: 'the first audit is not done\n' };
  const routes: Readonly<Record<string, Route>> = {
    ...healthRoutes(
      () => undefined,
      () => (latest ? undefined : 'the first audit is not done'),
    ),
    '/': () => {
      if (!latest) return waiting;
      const { html, contentSecurityPolicy } = renderNodePage(latest.report, timeOf(latest));
      return page(html, { 'content-security-policy': contentSecurityPolicy });
    },
    '/fragment': () => (latest ? page(renderNodeFragment(latest.report, timeOf(latest)), {}) : waiting),
    '/report.json': () =>
      latest
        ? { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(latest.report) }
        : waiting,
    '/metrics': async () => ({
      status: 200,
      headers: { 'content-type': metrics.contentType },
      body: await metrics.metrics(),
    }),
  };
  const server = await startEndpoint(options, {
    // Beyond loopback the machine has names that nobody here knows.
    routes: isLoopback(listen.host) ? localRoutes(routes) : routes,
    onError: (error) => {
      process.stderr.write(`request failed: ${String(error)}\n`);
    },
  });
  process.stdout.write(`http://${listen.host === '' ? '0.0.0.0' : listen.host}:${server.port}/\n`);
  const host = createHostFs(hostRoot, mountedPaths(hostRoot));
  const procfs = createProcFs(hostRoot);
  while (!ending.signal.aborted) {
    const start = performance.now();
    const facts = await runInSlices(collectFacts(host, procfs), SLICE_MS, () => performance.now());
    latest = { report: createNodeReport(facts), time: Date.now(), seconds: (performance.now() - start) / 1000 };
    await sleep(interval * 1000, undefined, { signal: ending.signal }).catch(() => undefined);
  }
  await server.close();
}

function timeOf({ time }: Audit): string {
  return new Date(time).toISOString().replace('T', ' ').slice(0, 19) + ' UTC';
}

function page(body: string, headers: Readonly<Record<string, string>>) {
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body };
}
