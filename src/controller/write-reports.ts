import { createHash } from 'node:crypto';
import type { ClusterModel } from '../cluster/model.ts';
import type { NamespaceSummary } from '../cluster/namespace-status.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Discovery } from '../kube/discovery.ts';
import { isEnding } from '../kube/kube-error.ts';
import { resourcePath } from '../kube/paths.ts';
import {
  namespaceReport,
  nodesReport,
  REPORT_GROUPS,
  type ReportGroup,
  type StandardReport,
} from '../report/open-report.ts';
import { CONTROLLER_FIELD_MANAGER, NAMESPACE_AUDIT_NAME } from '../resources/group.ts';

export interface ReportWriter {
  /** Looks again which kinds of reports the cluster has. True when there is one that was not there before. */
  served(discovery: Pick<Discovery, 'serves'>): boolean;
  /** Forgets what was sent: somebody else may have written since. Of one namespace when it is gone, with its reports. */
  forget(namespace?: string): void;
  writeNamespace(namespace: string, summary: NamespaceSummary | undefined): Promise<boolean>;
  writeNodes(model: ClusterModel): Promise<boolean>;
}

/**
 * Standard reports, where the cluster serves their kinds; nobody is given CRDs they did not ask for. The same report is not sent
 * twice; after a restart it is sent once, and the API server finds that nothing changes.
 */
export function createReportWriter(client: Pick<KubeClient, 'apply'>): ReportWriter {
  let groups: readonly ReportGroup[] = [];
  const sent = new Map<string, string>();

  async function send(report: StandardReport): Promise<boolean> {
    const { apiVersion, kind, metadata } = report;
    const path = pathOf(apiVersion, kind, metadata.namespace);
    const hash = createHash('sha256').update(JSON.stringify(report)).digest('base64');
    if (sent.get(path) === hash) return false;
    try {
      await client.apply(path, report, { fieldManager: CONTROLLER_FIELD_MANAGER, force: true });
    } catch (error) {
      // The kind is gone, or the namespace is: the next discovery tells, or whoever deletes the namespace.
      if (isEnding(error)) return false;
      throw error;
    }
    sent.set(path, hash);
    return true;
  }

  return {
    served(discovery) {
      const before = groups;
      groups = REPORT_GROUPS.filter(({ apiVersion, namespaced }) =>
        discovery.serves(apiVersion, `${namespaced.toLowerCase()}s`),
      );
      const isNew = groups.some((group) => !before.includes(group));
      if (isNew) sent.clear();
      return isNew;
    },
    forget(namespace) {
      if (namespace === undefined) sent.clear();
      else
        for (const { apiVersion, namespaced } of REPORT_GROUPS) sent.delete(pathOf(apiVersion, namespaced, namespace));
    },
    async writeNamespace(namespace, summary) {
      let wrote = false;
      if (!summary) return false;
      for (const group of groups) wrote = (await send(namespaceReport(group, namespace, summary))) || wrote;
      return wrote;
    },
    async writeNodes(model) {
      let wrote = false;
      for (const group of groups)
        wrote = (await send(nodesReport(group, model.nodes.values(), model.settings.policy))) || wrote;
      return wrote;
    },
  };
}

function pathOf(apiVersion: string, kind: string, namespace: string | undefined): string {
  const [group = '', version = ''] = apiVersion.split('/');
  return resourcePath({ group, version, resource: `${kind.toLowerCase()}s`, namespace, name: NAMESPACE_AUDIT_NAME });
}
