import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/kube-error.ts';
import { listObjects } from '../kube/list-objects.ts';
import { resourcePath } from '../kube/paths.ts';
import { type ClusterReport, createClusterReport, listedAs } from '../report/cluster-report.ts';
import { GROUP, VERSION } from '../resources/group.ts';
import { type ClusterAccess, withCluster } from './cluster-access.ts';

const KINDS = { auditpolicies: 'AuditPolicy', namespaceaudits: 'NamespaceAudit', nodeaudits: 'NodeAudit' };

/** Reads the custom resources of a cluster, which is all a report needs. @throws Error, ReportError */
export async function readCluster(access: ClusterAccess, now: Date): Promise<ClusterReport> {
  return withCluster(access, async (client) => {
    const lists = await Promise.all(Object.entries(KINDS).map(([resource, kind]) => list(client, resource, kind)));
    return createClusterReport(lists.flat(), now.toISOString());
  });
}

type Listed = Parameters<typeof createClusterReport>[0][number];

async function list(client: KubeClient, resource: string, kind: string): Promise<readonly Listed[]> {
  try {
    const objects = await listObjects(client, resourcePath({ group: GROUP, version: VERSION, resource }));
    return objects.map((object) => listedAs(kind, object));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new Error(`the cluster has no ${resource}.${GROUP}: install the operator first (docs/install.md)`, {
      cause: error,
    });
  }
}
