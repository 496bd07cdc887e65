import { isLinux, isSince } from '../core/pod-user-namespace.ts';
import type { JudgedFor, Violation, WorkloadRule } from '../core/rule.ts';
import { containersOf, type FieldPath, type Workload } from '../core/workload.ts';
import { HOST_NETWORK_GATE, userNamespaceConflict } from '../rules/user-namespace-conflict.ts';
import { userNamespaceIds } from '../rules/user-namespace-ids.ts';
import { userNamespaceVolumes } from '../rules/user-namespace-volumes.ts';
import type { AdoptionEvidence } from './adoption-evidence.ts';
import { hostNetworkWord } from './adoption-host-network.ts';
import { capabilityObstacles, deviceObstacles, runtimeObstacles } from './adoption-needs.ts';
import { nodeObstacles } from './adoption-nodes.ts';
import { isStateful, volumeObstacles } from './adoption-volumes.ts';

/** What stands between a workload and `hostUsers: false`. */
export type ObstacleCause =
  | 'block-device'
  | 'capability'
  | 'claim'
  | 'device'
  | 'host-namespace'
  | 'host-path'
  | 'host-users'
  | 'ids'
  | 'kubernetes-version'
  | 'made-by'
  | 'nodes'
  | 'pod-elsewhere'
  | 'privileged'
  | 'runtime-class'
  | 'volume'
  | 'windows';

/** One reason why a workload can not take `hostUsers: false` as it is. */
export interface AdoptionObstacle {
  readonly cause: ObstacleCause;
  /**
   * - `change`: an edit, or a decision about this field, lifts it.
   * - `blocked`: not by an edit alone; the workload, its storage, the cluster or the kernel has to become another.
   * - `unknown`: evidence is missing, and `remedy` says which.
   */
  readonly effect: 'change' | 'blocked' | 'unknown';
  /** Relative to the pod spec. */
  readonly path: FieldPath;
  /** What is so, as it goes on after the name of the workload. */
  readonly message: string;
  /** What lifts it, or which evidence would decide. */
  readonly remedy: string;
  /** Where the fact comes from. */
  readonly reference: string;
}

const PAGE = 'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/';

/**
 * What speaks against running a workload with `hostUsers: false`: the rules over user-namespaced pods are asked about the same
 * pod with the line added, and what else it needs is compared with what a user namespace leaves it. Of a pod that has the line
 * already only what the rules know to fail counts. Empty where nothing is known or missing.
 */
export function obstaclesToAdoption(
  workload: Workload,
  target: JudgedFor,
  evidence: AdoptionEvidence = {},
): readonly AdoptionObstacle[] {
  if (!isLinux(workload)) return [WINDOWS];
  if (!isSince(target, 33)) return [tooOld(target)];
  if (evidence.dropsHostUsers !== undefined) return [dropped(evidence.dropsHostUsers)];
  const { podSpec } = workload;
  const certain = [...ruleObstacles(workload, target, evidence), ...earlyBlockDevices(workload, target)];
  if (podSpec.hostUsers === false) return certain;
  return [
    ...(podSpec.hostUsers === true ? [ON_PURPOSE] : []),
    ...certain,
    ...volumeObstacles(workload, evidence),
    ...capabilityObstacles(podSpec),
    ...deviceObstacles(podSpec),
    ...runtimeObstacles(podSpec, evidence),
    ...(workload.containersOnly === true ? [ELSEWHERE] : []),
    ...makerObstacles(workload, evidence),
    ...nodeObstacles(workload, evidence),
  ];
}

const WINDOWS: AdoptionObstacle = {
  cause: 'windows',
  effect: 'blocked',
  path: ['os', 'name'],
  message: 'runs on Windows, which has no user namespaces',
  remedy: 'Leave it: it is not counted.',
  reference: `${PAGE}#limitations`,
};

const ON_PURPOSE: AdoptionObstacle = {
  cause: 'host-users',
  effect: 'change',
  path: ['hostUsers'],
  message: 'hostUsers: true is set on purpose',
  remedy: 'Set hostUsers: false, when the reason for it is gone.',
  reference: PAGE,
};

const ELSEWHERE: AdoptionObstacle = {
  cause: 'pod-elsewhere',
  effect: 'unknown',
  path: [],
  message: 'is only a part of a pod, whose other fields stand in another object',
  remedy: 'Look at the object that makes the pod.',
  reference: PAGE,
};

function tooOld({ major, minor }: JudgedFor): AdoptionObstacle {
  return {
    cause: 'kubernetes-version',
    effect: 'blocked',
    path: ['hostUsers'],
    message: `is for Kubernetes ${major}.${minor}, where hostUsers: false may be dropped or ignored`,
    remedy: 'Upgrade to Kubernetes 1.33 or later, which has user namespaces on by default.',
    reference:
      'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces#version-skew-strategy',
  };
}

function dropped(reason: string): AdoptionObstacle {
  return {
    cause: 'kubernetes-version',
    effect: 'blocked',
    path: ['hostUsers'],
    message: `would lose hostUsers without a word to the API server of this cluster: ${reason}`,
    remedy: 'Turn the feature gate UserNamespacesSupport on, on the API server and every kubelet.',
    reference:
      'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces#version-skew-strategy',
  };
}

/** What makes an object writes it anew, and whoever patches it would not know. */
function makerObstacles(workload: Workload, { makerOf }: AdoptionEvidence): readonly AdoptionObstacle[] {
  const maker = makerOf?.(workload);
  if (maker === undefined) return [];
  return [
    {
      cause: 'made-by',
      effect: 'change',
      path: ['hostUsers'],
      message: `is made by ${maker}, which may undo a change in it`,
      remedy: 'Set hostUsers: false there, where it lets you.',
      reference: 'https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/',
    },
  ];
}

type Judged = Pick<AdoptionObstacle, 'cause' | 'effect'> & Partial<Pick<AdoptionObstacle, 'message' | 'remedy'>>;

function ruleObstacles(workload: Workload, target: JudgedFor, evidence: AdoptionEvidence): readonly AdoptionObstacle[] {
  const { podSpec } = workload;
  const adopted: Workload = { ...workload, podSpec: { ...podSpec, hostUsers: false } };
  // The API server has taken a pod as it is, not as it is to be.
  const { isAdmitted, ...planned } = target;
  const judgedFor = isAdmitted && podSpec.hostUsers === false ? target : planned;
  const ask = (rule: WorkloadRule, judge: (violation: Violation) => Judged): readonly AdoptionObstacle[] =>
    Array.from(rule.check(adopted, judgedFor), (violation) => {
      const { path, message, fix = rule.remediation } = violation;
      return { path, message, remedy: fix, reference: rule.references[0] ?? '', ...judge(violation) };
    });
  // Files of a volume keep the owner they were written by, so that another id has to come with a chown.
  const ids = isStateful(podSpec) ? 'blocked' : 'change';
  return [
    ...ask(userNamespaceConflict, (violation) => ({
      cause: violation.path.includes('volumeDevices') ? 'block-device' : 'host-namespace',
      effect: 'blocked',
      ...(podSpec.hostUsers === false ? {} : inTheWay(violation.path)),
      ...(violation.path.includes('hostNetwork') ? besideHostNetwork(violation, workload, target, evidence) : {}),
    })),
    ...ask(userNamespaceIds, () => ({ cause: 'ids', effect: ids })),
    ...ask(userNamespaceVolumes, () => ({
      cause: 'volume',
      effect: 'blocked',
      remedy: userNamespaceVolumes.remediation,
    })),
  ];
}

/** The rule speaks of a pod that combines both; here one of them is only planned. */
function inTheWay(path: FieldPath): Pick<AdoptionObstacle, 'message' | 'remedy'> {
  const field = String(path.at(-1));
  const setting = field === 'volumeDevices' ? field : `${field}: true`;
  return {
    message: `has ${setting}, beside which the API server rejects hostUsers: false`,
    remedy: `Drop ${setting}, if the workload does without it.`,
  };
}

/** A cluster knows more of it than a manifest: whether its nodes can. */
function besideHostNetwork(
  { path, message }: Violation,
  workload: Workload,
  target: JudgedFor,
  evidence: AdoptionEvidence,
): Partial<Judged> {
  const word = hostNetworkWord(workload, target, evidence);
  if (word === undefined) return {};
  const { effect, told } = word;
  const isPlanned = workload.podSpec.hostUsers !== false;
  if (effect === 'blocked') return { message: `${isPlanned ? inTheWay(path).message : message}; ${told}` };
  return {
    effect,
    message: isPlanned
      ? `has hostNetwork: true, beside which the API server takes hostUsers: false only by its alpha gate ${HOST_NETWORK_GATE}; ${told}`
      : `${message}; ${told}`,
    remedy: `See that the gate ${HOST_NETWORK_GATE} is on at the API server, too, which no node tells; else drop hostNetwork: true.`,
  };
}

/** The API server rejects them from 1.35 on, and a plan should outlast the next upgrade. */
function earlyBlockDevices({ podSpec }: Workload, target: JudgedFor): readonly AdoptionObstacle[] {
  if (isSince(target, 35)) return [];
  return containersOf(podSpec)
    .filter(({ container }) => (container.volumeDevices ?? []).length > 0)
    .map(({ container, path }) => ({
      cause: 'block-device',
      effect: 'blocked',
      path: [...path, 'volumeDevices'],
      message: `gives container ${container.name} raw block devices, which Kubernetes 1.35 rejects beside hostUsers: false`,
      remedy: 'Mount a file system instead of volumeDevices.',
      reference: 'https://github.com/kubernetes/kubernetes/pull/132868',
    }));
}
