import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { createClusterMetrics } from '../report/cluster-metrics.ts';
import type { Controller, WriteKind } from './controller.ts';

export interface ControllerMetrics {
  countWrite(kind: WriteKind, result: 'written' | 'failed'): void;
  countWatch(resource: string, what: 'restart' | 'error'): void;
  setLeading(leading: boolean): void;
  /** All of it in the text format of Prometheus; families over the cluster from the leader alone. */
  render(): Promise<string>;
}

/** What a controller tells of itself, and while it leads of the cluster (docs/metrics.md). */
export function createControllerMetrics(controller: () => Controller, version: string): ControllerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const prefix = 'userns_audit_';
  collectDefaultMetrics({ register: registry });
  // Gauges that are called like counters; the families by type beside them say the same.
  for (const name of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${name}_total`);
  new Gauge({
    name: `${prefix}build_info`,
    help: 'The version of this program.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  const leader = new Gauge({ name: `${prefix}leader`, help: 'Whether this controller leads and writes.', registers });
  leader.set(0);
  const writes = new Counter({
    name: `${prefix}writes_total`,
    help: 'Objects written to the API server.',
    labelNames: ['kind', 'result'],
    registers,
  });
  const restarts = new Counter({
    name: `${prefix}watch_restarts_total`,
    help: 'Lists after the first: a watch could not go on where it was.',
    labelNames: ['resource'],
    registers,
  });
  const errors = new Counter({
    name: `${prefix}watch_errors_total`,
    help: 'Failures of lists and watches; all are tried again.',
    labelNames: ['resource'],
    registers,
  });
  const watches = () => [...controller().watches.all];
  new Gauge({
    name: `${prefix}watch_last_contact_timestamp_seconds`,
    help: 'When the API server last said something of a resource.',
    labelNames: ['resource'],
    registers,
    collect() {
      for (const [resource, watch] of watches()) this.set({ resource }, Math.round(watch.lastContact() / 1000));
    },
  });
  new Gauge({
    name: `${prefix}watch_synced`,
    help: 'Whether all objects of a resource are known.',
    labelNames: ['resource'],
    registers,
    collect() {
      for (const [resource, watch] of watches()) this.set({ resource }, Number(watch.synced));
    },
  });
  new Gauge({
    name: `${prefix}queue_depth`,
    help: 'Objects that wait to be looked at.',
    registers,
    collect() {
      this.set(controller().queueDepth);
    },
  });
  let leading = false;
  let cluster: Registry | undefined;
  return {
    countWrite(kind, result) {
      writes.inc({ kind, result });
    },
    countWatch(resource, what) {
      (what === 'restart' ? restarts : errors).inc({ resource });
    },
    setLeading(now) {
      leading = now;
      leader.set(Number(now));
    },
    async render() {
      const own = await registry.metrics();
      const { model, namespaces, watches: watched } = controller();
      if (!leading || !watched.synced) return own;
      cluster ??= createClusterMetrics({
        model,
        summaries: namespaces.summaries,
        keepsHostUsers: () => controller().kubernetes?.keepsHostUsers ?? 'Unknown',
      });
      return `${own}${await cluster.metrics()}`;
    },
  };
}
