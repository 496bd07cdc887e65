import type { ClusterModel } from '../cluster/model.ts';
import { type NamespaceSummary, type StandingCache, summarizeNamespace } from '../cluster/namespace-status.ts';
import { choosePodRules } from '../cluster/rule-choice.ts';
import type { KubeClient } from '../kube/client.ts';
import { isEnding, isNotFound } from '../kube/kube-error.ts';
import { resourcePath } from '../kube/paths.ts';
import { type ConditionWord, TRUNCATED, withTransitions } from '../resources/condition.ts';
import { API_VERSION, CONTROLLER_FIELD_MANAGER, GROUP, NAMESPACE_AUDIT_NAME, VERSION } from '../resources/group.ts';
import { applyStatus, type OwnedStatus } from './apply-status.ts';
import { contentHash, type Written } from './written.ts';

/** The types of the conditions of a NamespaceAudit. */
export const NAMESPACE_CONDITIONS: readonly string[] = ['FloorMet', TRUNCATED.type];

export interface NamespaceWriter {
  /** Writes the NamespaceAudit of a namespace where it would say something new. True when it wrote. */
  write(namespace: string): Promise<boolean>;
  /** The latest summary of every namespace that is there. */
  readonly summaries: ReadonlyMap<string, NamespaceSummary>;
}

export function createNamespaceWriter(
  client: Pick<KubeClient, 'apply' | 'patch'>,
  model: ClusterModel,
  written: ReadonlyMap<string, Written>,
  now: () => number,
): NamespaceWriter {
  const summaries = new Map<string, NamespaceSummary>();
  let standings: StandingCache = new WeakMap();
  let judgedFor = '';

  function summarize(name: string): NamespaceSummary | undefined {
    const namespace = model.namespaces.get(name);
    if (namespace?.exists !== true) return undefined;
    const { policy, version } = model.settings;
    const { target } = choosePodRules(policy, version);
    if (judgedFor !== JSON.stringify(target)) {
      judgedFor = JSON.stringify(target);
      standings = new WeakMap();
    }
    return summarizeNamespace(namespace, { exceptions: model.exceptions, policy, target, standings });
  }

  return {
    summaries,
    async write(namespace) {
      const summary = summarize(namespace);
      if (!summary) {
        summaries.delete(namespace);
        return false;
      }
      summaries.set(namespace, summary);
      const { truncated, ...content } = summary;
      const words = conditionsOf(summary, truncated);
      const before = written.get(namespace);
      if (before?.content === contentHash(content, words)) return false;
      const time = new Date(now()).toISOString();
      const status = {
        ...content,
        observedTime: time,
        conditions: withTransitions(words, before?.conditions ?? [], time),
      };
      try {
        await writeStatus(client, namespace, status, before !== undefined);
        return true;
      } catch (error) {
        // A namespace that is being deleted takes no new objects, and soon takes this one with it.
        if (isEnding(error)) return false;
        throw error;
      }
    },
  };
}

function conditionsOf({ floor }: NamespaceSummary, truncated: boolean): readonly ConditionWord[] {
  const cutLists = truncated ? [TRUNCATED] : [];
  if (!floor) return cutLists;
  return [
    {
      type: 'FloorMet',
      status: floor.met ? 'True' : 'False',
      reason: floor.met ? 'AtOrAboveFloor' : 'BelowFloor',
      message: floor.met
        ? 'as many private pods as the policy asks for'
        : 'fewer private pods than the policy asks for',
    },
    ...cutLists,
  ];
}

async function writeStatus(
  client: Pick<KubeClient, 'apply' | 'patch'>,
  namespace: string,
  status: OwnedStatus['status'],
  exists: boolean,
): Promise<void> {
  const path = { group: GROUP, version: VERSION, resource: 'namespaceaudits', namespace, name: NAMESPACE_AUDIT_NAME };
  const head = {
    apiVersion: API_VERSION,
    kind: 'NamespaceAudit',
    metadata: { name: NAMESPACE_AUDIT_NAME, namespace },
  };
  const apply = (): Promise<void> =>
    applyStatus(client, resourcePath({ ...path, subresource: 'status' }), { ...head, status }, NAMESPACE_CONDITIONS);
  const create = (): Promise<unknown> =>
    client.apply(resourcePath(path), head, { fieldManager: CONTROLLER_FIELD_MANAGER, force: true });
  if (!exists) await create();
  try {
    await apply();
  } catch (error) {
    // Somebody has deleted it, and the watch has not told yet.
    if (!exists || !isNotFound(error)) throw error;
    await create();
    await apply();
  }
}
