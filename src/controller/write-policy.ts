import { summarizeCluster } from '../cluster/cluster-status.ts';
import type { ClusterModel } from '../cluster/model.ts';
import { cut } from '../cluster/namespace-status.ts';
import { listAt } from '../cluster/pod-spec.ts';
import type { PolicyError } from '../core/policy.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/kube-error.ts';
import { resourcePath } from '../kube/paths.ts';
import type { AuditPolicyStatus, HistoryDay } from '../resources/audit-policy.ts';
import { API_VERSION, CONTROLLER_FIELD_MANAGER, GROUP, POLICY_NAME, VERSION } from '../resources/group.ts';
import type { SlimPolicy } from './watches.ts';
import { type ConditionWord, withTransitions } from '../resources/condition.ts';
import { applyStatus } from './apply-status.ts';
import { contentHash, readWritten } from './written.ts';

export type KubernetesStatus = NonNullable<AuditPolicyStatus['kubernetes']>;

export interface PolicyContext {
  readonly policy: SlimPolicy | undefined;
  readonly errors: readonly PolicyError[];
  readonly kubernetes: KubernetesStatus | undefined;
  readonly now: () => number;
}

/** The types of the conditions written here. */
const CONDITIONS = ['Valid', 'FloorsMet'];

const PATH = { group: GROUP, version: VERSION, resource: 'auditpolicies' };

/** Writes the status of AuditPolicy `cluster` where it would say something new; makes the object where there is none. True when it wrote. */
export async function writePolicy(
  client: Pick<KubeClient, 'apply' | 'create' | 'patch'>,
  model: ClusterModel,
  { policy, errors, kubernetes, now }: PolicyContext,
): Promise<boolean> {
  if (!policy) return createPolicy(client);
  const status = policyStatus(model, policy, kubernetes);
  const words = conditionsOf(policy, errors, status);
  const before = readWritten({ status: policy.status }, CONDITIONS);
  if (before.content === contentHash(status, words)) return false;
  const time = new Date(now()).toISOString();
  const body = {
    apiVersion: API_VERSION,
    kind: 'AuditPolicy',
    metadata: { name: POLICY_NAME },
    status: { ...status, observedTime: time, conditions: withTransitions(words, before.conditions, time) },
  };
  await applyStatus(client, resourcePath({ ...PATH, name: POLICY_NAME, subresource: 'status' }), body, CONDITIONS);
  return true;
}

/** The status as it would be written now, without times. */
export function policyStatus(
  model: ClusterModel,
  policy: SlimPolicy | undefined,
  kubernetes: KubernetesStatus | undefined,
): AuditPolicyStatus {
  const history = listAt(policy?.status ?? {}, 'history') as readonly unknown[] as readonly HistoryDay[];
  const summary = summarizeCluster(model, history, false);
  return {
    ...summary,
    ...(policy ? { observedGeneration: policy.generation } : {}),
    ...(kubernetes ? { kubernetes } : {}),
  };
}

function conditionsOf(
  { generation }: SlimPolicy,
  errors: readonly PolicyError[],
  { floors = [] }: AuditPolicyStatus,
): readonly ConditionWord[] {
  const [first] = errors;
  const valid: ConditionWord = first
    ? {
        type: 'Valid',
        status: 'False',
        reason: 'Mistake',
        message: cut(`not followed: ${errors.map(({ field, message }) => `${field} ${message}`).join('; ')}`, 4096),
        observedGeneration: generation,
      }
    : {
        type: 'Valid',
        status: 'True',
        reason: 'Followed',
        message: 'the spec is followed',
        observedGeneration: generation,
      };
  const met = floors.length === 0;
  return [
    valid,
    {
      type: 'FloorsMet',
      status: met ? 'True' : 'False',
      reason: met ? 'AtOrAboveFloor' : 'BelowFloor',
      message: met
        ? 'no namespace is below its floor'
        : `below: ${cut(floors.map(({ namespace }) => namespace).join(', '), 1024)}`,
      observedGeneration: generation,
    },
  ];
}

async function createPolicy(client: Pick<KubeClient, 'create'>): Promise<boolean> {
  const body = { apiVersion: API_VERSION, kind: 'AuditPolicy', metadata: { name: POLICY_NAME }, spec: {} };
  try {
    await client.create(resourcePath(PATH), body, { fieldManager: CONTROLLER_FIELD_MANAGER });
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}
