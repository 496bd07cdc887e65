import type { JudgedFor } from '../core/rule.ts';
import type { AdoptionTotals } from '../core/scan-finding.ts';
import { compareText } from '../core/text.ts';
import type { KubernetesVersion, Workload } from '../core/workload.ts';
import { isLinux, isSince } from '../core/pod-user-namespace.ts';
import type { Acceptance, AdoptionEvidence } from './adoption-evidence.ts';
import { countHosts, type NodeCounts } from './adoption-nodes.ts';
import { type AdoptionObstacle, obstaclesToAdoption } from './adoption-obstacles.ts';
import { isStateful } from './adoption-volumes.ts';

/** How a workload stands to `hostUsers: false`, in the order of a plan. */
export const ADOPTION_STANDINGS = ['ready', 'change', 'unknown', 'blocked', 'adopted', 'not-applicable'] as const;

/**
 * - `ready`: the line can be added as it is.
 * - `change`: a field has to change, or somebody has to decide about it, first.
 * - `unknown`: evidence is missing, and nothing that is known speaks against it.
 * - `blocked`: something other than an edit has to happen first.
 * - `adopted`: it has the line, and nothing that is known keeps its pods from starting.
 * - `not-applicable`: it has no Linux user namespace to adopt by this field: Windows, Docker.
 */
export type AdoptionStanding = (typeof ADOPTION_STANDINGS)[number];

export interface PlannedWorkload {
  readonly workload: Workload;
  readonly standing: AdoptionStanding;
  /** Why; first what weighs most. */
  readonly obstacles: readonly AdoptionObstacle[];
  /** Its pods; 0 for what is only a part of a pod, or not counted. */
  readonly pods: number;
  /** Which nodes could run it, where nodes are known. */
  readonly hosts?: NodeCounts;
  /** What somebody has accepted of it. It stands where it stands all the same. */
  readonly accepted?: readonly Acceptance[];
  /** From 1; only for what is ready, or is after a change, and not accepted as it is. */
  readonly step?: number;
  /** The share of pods that have adopted once this step and those before it are done, 0 to 1. */
  readonly adoptionAfter?: number;
}

export interface AdoptionPlan {
  readonly target: KubernetesVersion;
  /** In the order to go through them. */
  readonly workloads: readonly PlannedWorkload[];
  readonly totals: Readonly<Record<AdoptionStanding, number>>;
  /** Shares of pods, 0 to 1; absent where there is no pod to count. */
  readonly adoption?: { readonly now: number; readonly withReady: number; readonly withChanges: number };
}

/**
 * Judges every workload and puts them in an order: what is ready first, then what needs a change; within each by blast radius
 * (docs/plan.md). Pure; for manifests and for the pod templates of a cluster alike.
 */
export function planAdoption(
  workloads: readonly Workload[],
  target: JudgedFor,
  evidence: AdoptionEvidence = {},
): AdoptionPlan {
  const judged = workloads
    .map((workload) => judgeAdoption(workload, target, evidence))
    .map((planned) => ({ planned, rank: rankOf(planned) }))
    .toSorted((a, b) => compareRanks(a.rank, b.rank) || compareNames(a.planned.workload, b.planned.workload))
    .map(({ planned }) => planned);
  const podsOf = (standing: AdoptionStanding): number =>
    judged.reduce((sum, planned) => sum + (planned.standing === standing && !stays(planned) ? planned.pods : 0), 0);
  const all = judged.reduce((sum, { pods }) => sum + pods, 0);
  const now = podsOf('adopted');
  const totals = Object.fromEntries(
    ADOPTION_STANDINGS.map((standing) => [standing, judged.filter((planned) => planned.standing === standing).length]),
  ) as Record<AdoptionStanding, number>;
  return {
    target: { major: target.major, minor: target.minor },
    workloads: numberSteps(judged, now, all),
    totals,
    ...(all === 0
      ? {}
      : {
          adoption: {
            now: now / all,
            withReady: (now + podsOf('ready')) / all,
            withChanges: (now + podsOf('ready') + podsOf('change')) / all,
          },
        }),
  };
}

/** How one workload stands, and why. */
export function judgeAdoption(workload: Workload, target: JudgedFor, evidence: AdoptionEvidence = {}): PlannedWorkload {
  if (workload.platform !== 'kubernetes') return { workload, standing: 'not-applicable', obstacles: [], pods: 0 };
  const obstacles = obstaclesToAdoption(workload, target, evidence).toSorted(
    (a, b) => EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect),
  );
  if (!isLinux(workload)) return { workload, standing: 'not-applicable', obstacles, pods: 0 };
  const hosts = countHosts(workload, evidence);
  const accepted = evidence.acceptedOf?.(workload) ?? [];
  return {
    workload,
    standing: standingOf(workload, obstacles),
    obstacles,
    pods: workload.containersOnly === true ? 0 : (evidence.podsOf?.(workload) ?? 1),
    ...(hosts ? { hosts } : {}),
    ...(accepted.length > 0 ? { accepted } : {}),
  };
}

/** True where somebody has accepted that it runs without a user namespace of its own: it is told, and is no step of the plan. */
export function stays({ workload, accepted = [] }: PlannedWorkload): boolean {
  return workload.podSpec.hostUsers !== false && accepted.some(({ rule }) => rule === 'user-namespace');
}

/** From what decides to what does not any more: one block outweighs any change, and what is missing counts before an edit. */
const EFFECTS: readonly AdoptionObstacle['effect'][] = ['blocked', 'unknown', 'change'];

function standingOf({ podSpec }: Workload, obstacles: readonly AdoptionObstacle[]): AdoptionStanding {
  const [first] = obstacles;
  return first?.effect ?? (podSpec.hostUsers === false ? 'adopted' : 'ready');
}

/** Workloads by standing, as a scan sums them up; none for a version that has no user namespaces by default. */
export function countAdoption(workloads: readonly Workload[], target: JudgedFor): AdoptionTotals {
  const totals = { adopted: 0, ready: 0, blocked: 0, unknown: 0 };
  if (!isSince(target, 33)) return totals;
  for (const workload of workloads) {
    if (workload.containersOnly === true) continue;
    const { standing } = judgeAdoption(workload, target);
    if (standing !== 'not-applicable') totals[standing === 'change' ? 'blocked' : standing] += 1;
  }
  return totals;
}

function numberSteps(judged: readonly PlannedWorkload[], adopted: number, all: number): readonly PlannedWorkload[] {
  let done = adopted;
  let step = 0;
  return judged.map((planned) => {
    if ((planned.standing !== 'ready' && planned.standing !== 'change') || stays(planned)) return planned;
    done += planned.pods;
    step += 1;
    return { ...planned, step, ...(all === 0 ? {} : { adoptionAfter: done / all }) };
  });
}

const KIND_ORDER = ['CronJob', 'Job', 'Deployment', 'DeploymentConfig', 'ReplicaSet', 'StatefulSet', 'DaemonSet'];

/** Kinds that are not named above stand with Deployments: most are made into some. */
const OTHER_KIND = KIND_ORDER.indexOf('ReplicaSet');

/** Namespaces a cluster itself lives in. */
const SYSTEM_NAMESPACE = /^(?:kube-.*|openshift-.*)$/;

/** Blast radius: who holds power over the node last, then system namespaces, state, and kinds that run on every node. */
function rankOf(planned: PlannedWorkload): readonly number[] {
  const { standing, workload, obstacles } = planned;
  const powerful = obstacles.some(({ cause }) => cause === 'privileged' || cause === 'capability');
  const kind = KIND_ORDER.indexOf(workload.kind);
  return [
    ADOPTION_STANDINGS.indexOf(standing),
    Number(stays(planned)),
    Number(powerful),
    Number(SYSTEM_NAMESPACE.test(workload.namespace ?? '')),
    Number(isStateful(workload.podSpec)),
    kind === -1 ? OTHER_KIND : kind,
  ];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}

function compareNames(a: Workload, b: Workload): number {
  return (
    compareText(a.namespace ?? '', b.namespace ?? '') || compareText(a.kind, b.kind) || compareText(a.name, b.name)
  );
}
