import type { Route } from '../http/server.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Clock, systemClock } from '../kube/clock.ts';
import type { Fields } from '../kube/json-fields.ts';
import { listObjects } from '../kube/list-objects.ts';
import { resourcePath } from '../kube/paths.ts';
import { type ClusterReport, createClusterReport, listedAs } from '../report/cluster-report.ts';
import { reportRoutes } from '../report/html/report-routes.ts';
import { GROUP, VERSION } from '../resources/group.ts';

/** A page that is open asks every few seconds; a cluster of thousands of nodes is read anew only so often. */
const FRESH_MS = 15_000;

const HEAD = { name: true, namespace: true, generation: true } as const;

/** All a page shows; the pods of a node are most of its object and are not among it. */
const RESOURCES: Readonly<Record<string, { readonly kind: string; readonly fields: Fields }>> = {
  auditpolicies: { kind: 'AuditPolicy', fields: { metadata: HEAD, spec: true, status: true } },
  namespaceaudits: { kind: 'NamespaceAudit', fields: { metadata: HEAD, status: true } },
  nodeaudits: {
    kind: 'NodeAudit',
    fields: {
      metadata: HEAD,
      status: {
        observedTime: true,
        lastHeartbeatTime: true,
        agent: true,
        system: true,
        readiness: true,
        totals: true,
        rules: true,
        unmanaged: true,
        conditions: true,
      },
    },
  },
};

/**
 * `/`, `/fragment` and `/report.json`: the cluster as its own objects have it, read when somebody looks. Every controller can show it,
 * whether or not it leads.
 */
export function createPageRoutes(
  client: Pick<KubeClient, 'request'>,
  clock: Clock = systemClock,
): Readonly<Record<string, Route>> {
  let report: ClusterReport | undefined;
  let content = '';
  let readAt = -Infinity;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const lists = await Promise.all(
      Object.entries(RESOURCES).map(async ([resource, { kind, fields }]) => {
        const path = resourcePath({ group: GROUP, version: VERSION, resource });
        const objects = await listObjects(client, path, fields);
        return objects.map((object) => listedAs(kind, object));
      }),
    );
    readAt = clock.now();
    const text = JSON.stringify(lists);
    // What has not changed keeps its tag, and the reader's place.
    if (report && text === content) return;
    content = text;
    report = createClusterReport(lists.flat(), new Date().toISOString());
  }

  async function refresh(): Promise<void> {
    if (clock.now() - readAt < FRESH_MS) return;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    await reading;
  }

  const routes = reportRoutes(() => report);
  return Object.fromEntries(
    Object.entries(routes).map(([path, route]) => [
      path,
      async (request: Parameters<Route>[0]) => {
        await refresh();
        return route(request);
      },
    ]),
  );
}
