import type { NodeRequirement, NodeSelectorTerm, PodSpec, Toleration } from '../core/workload.ts';
import type { NodeStanding, NodeTaint, RuntimeEvidence } from './adoption-evidence.ts';
import { labelAt, meetsRequirement } from './label-requirement.ts';

/**
 * Taints that tell of a state that passes: not ready, unreachable, cordoned, short of memory, not initialized. A plan is about
 * nodes as they are meant to be.
 */
const OF_A_STATE = /^node(?:\.cloudprovider)?\.kubernetes\.io\//;

/**
 * Whether the scheduler may put a pod on a node, by labels, name and taints: `nodeSelector` and what its runtime class adds to it,
 * required node affinity, and taints of the effects NoSchedule and NoExecute. Resources, other pods and volumes are not looked at.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ and
 *   https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/; kube-scheduler 1.36, plugins nodeaffinity
 *   (component-helpers/scheduling/corev1/nodeaffinity) and tainttoleration; admission plugin RuntimeClass
 */
export function fits(
  { nodeSelector = {}, requiredNodeTerms, tolerations = [] }: PodSpec,
  { name, labels = {}, taints = [] }: NodeStanding,
  { scheduling = {} }: Pick<RuntimeEvidence, 'scheduling'> = {},
): boolean {
  const isSelected = (wanted: Readonly<Record<string, string>>): boolean =>
    Object.entries(wanted).every(([label, value]) => labelAt(labels, label) === value);
  return (
    isSelected(nodeSelector) &&
    isSelected(scheduling.nodeSelector ?? {}) &&
    (requiredNodeTerms === undefined || requiredNodeTerms.some((term) => holds(term, name, labels))) &&
    taints.every(
      (taint) => !keepsAway(taint) || isTolerated(taint, [...tolerations, ...(scheduling.tolerations ?? [])]),
    )
  );
}

/** Of several terms one is enough; a term without requirements holds for no node. */
function holds(
  { matchExpressions, matchFields }: NodeSelectorTerm,
  name: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    matchExpressions.length + matchFields.length > 0 &&
    matchExpressions.every((requirement) => isMet(requirement, labelAt(labels, requirement.key))) &&
    // The only field there is, with one value.
    matchFields.every(
      (requirement) =>
        requirement.key === 'metadata.name' &&
        ['In', 'NotIn'].includes(requirement.operator) &&
        requirement.values.length === 1 &&
        isMet(requirement, name),
    )
  );
}

function isMet({ operator, values }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
    case 'NotIn':
    case 'Exists':
    case 'DoesNotExist':
      return meetsRequirement({ operator, values }, value);
    case 'Gt':
    case 'Lt':
      return isBeyond(operator, value, values);
    default:
      return false;
  }
}

const WHOLE_NUMBER = /^[-+]?\d{1,19}$/;

function isBeyond(operator: 'Gt' | 'Lt', value = '', [limit = '', ...more]: readonly string[]): boolean {
  if (more.length > 0 || !WHOLE_NUMBER.test(value) || !WHOLE_NUMBER.test(limit)) return false;
  const [own, other] = [value, limit].map((text) => BigInt(text.replace(/^\+/, ''))) as [bigint, bigint];
  return operator === 'Gt' ? own > other : own < other;
}

function keepsAway({ key, effect }: NodeTaint): boolean {
  return (effect === 'NoSchedule' || effect === 'NoExecute') && !OF_A_STATE.test(key);
}

/** Toleration by `Lt` and `Gt` is alpha, and off (1.36). */
function isTolerated({ key, value = '', effect }: NodeTaint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some((one) => {
    if ((one.effect ?? '') !== '' && one.effect !== effect) return false;
    if ((one.key ?? '') !== '' && one.key !== key) return false;
    const operator = one.operator ?? '';
    return operator === 'Exists' || ((operator === '' || operator === 'Equal') && (one.value ?? '') === value);
  });
}
