import type { ClusterModel } from '../cluster/model.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/kube-error.ts';
import { resourcePath } from '../kube/paths.ts';
import { API_VERSION, CONTROLLER_FIELD_MANAGER, GROUP, VERSION } from '../resources/group.ts';
import type { SlimNode, SlimNodeAudit } from './watches.ts';
import { type ConditionWord, EVIDENCE_ACCEPTED, withTransitions } from '../resources/condition.ts';

export interface NodeRecords {
  readonly nodes: ReadonlyMap<string, SlimNode>;
  readonly nodeAudits: ReadonlyMap<string, SlimNodeAudit>;
}

/**
 * Keeps one NodeAudit for every Node, owned by it, and none without. Says in its status whether the evidence is believed. True when
 * it wrote.
 */
export async function writeNode(
  client: Pick<KubeClient, 'apply' | 'create' | 'delete'>,
  model: ClusterModel,
  { nodes, nodeAudits }: NodeRecords,
  name: string,
  now: () => number,
): Promise<boolean> {
  const node = nodes.get(name);
  const audit = nodeAudits.get(name);
  const path = { group: GROUP, version: VERSION, resource: 'nodeaudits', name };
  if (!node) return audit !== undefined && (await deleteAudit(client, resourcePath(path), audit.uid));
  if (!audit) return createAudit(client, node);
  if (audit.owner !== node.uid) {
    // Of a node of the same name that is no more: its evidence spoke of another machine.
    await deleteAudit(client, resourcePath(path), audit.uid);
    return createAudit(client, node);
  }
  const word = acceptance(model, name);
  const [before] = audit.accepted;
  if (!word || (before?.status === word.status && before.reason === word.reason && before.message === word.message))
    return false;
  const conditions = withTransitions([word], audit.accepted, new Date(now()).toISOString());
  const body = { apiVersion: API_VERSION, kind: 'NodeAudit', metadata: { name }, status: { conditions } };
  await client.apply(resourcePath({ ...path, subresource: 'status' }), body, {
    fieldManager: CONTROLLER_FIELD_MANAGER,
    force: true,
  });
  return true;
}

function acceptance(model: ClusterModel, name: string): ConditionWord | undefined {
  const node = model.nodes.get(name);
  if (node?.evidence.heardAt === undefined) return undefined;
  const type = EVIDENCE_ACCEPTED;
  const { rejected } = node.evidence;
  if (rejected !== undefined)
    return { type, status: 'False', reason: 'Contradictory', message: `nothing of it is believed: ${rejected}` };
  if (node.stale)
    return { type, status: 'Unknown', reason: 'Stale', message: 'the agent has not been heard of for too long' };
  return { type, status: 'True', reason: 'Plausible', message: 'the evidence is joined with what pods declare' };
}

async function createAudit(client: Pick<KubeClient, 'create'>, { name, uid }: SlimNode): Promise<boolean> {
  const body = {
    apiVersion: API_VERSION,
    kind: 'NodeAudit',
    metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
  };
  const options = { fieldManager: CONTROLLER_FIELD_MANAGER };
  try {
    await client.create(resourcePath({ group: GROUP, version: VERSION, resource: 'nodeaudits' }), body, options);
    return true;
  } catch (error) {
    // It is there, and the watch has not told yet.
    if (isConflict(error)) return false;
    throw error;
  }
}

async function deleteAudit(client: Pick<KubeClient, 'delete'>, path: string, uid: string): Promise<boolean> {
  try {
    await client.delete(path, { preconditions: { uid } });
    return true;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return false;
    throw error;
  }
}
