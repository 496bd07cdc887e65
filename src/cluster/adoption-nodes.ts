import type { Workload } from '../core/workload.ts';
import type { AdoptionEvidence, NodeStanding } from './adoption-evidence.ts';
import type { AdoptionObstacle } from './adoption-obstacles.ts';
import { fits } from './node-fit.ts';

/** The nodes a workload may run on, by whether they can run it with a user namespace of its own. */
export type NodeCounts = Readonly<Record<NodeStanding['status'], number>>;

type Nodes = readonly NodeStanding[];

/** By what a pod asks of its node: a few ways, for thousands of workloads and nodes. */
const HOSTS = new WeakMap<Nodes, Map<string, Nodes>>();

/** The nodes the scheduler may put its pods on. Undefined where no node is known. */
export function hostsOf({ podSpec }: Workload, { nodes, runtimeClasses }: AdoptionEvidence): Nodes | undefined {
  if (nodes === undefined) return undefined;
  const { nodeSelector, requiredNodeTerms, tolerations, runtimeClassName = '' } = podSpec;
  const runtime = runtimeClasses?.get(runtimeClassName);
  const asked = JSON.stringify([nodeSelector, requiredNodeTerms, tolerations, runtime?.scheduling]);
  const known = HOSTS.get(nodes) ?? new Map<string, Nodes>();
  HOSTS.set(nodes, known);
  const hosts = known.get(asked) ?? nodes.filter((node) => fits(podSpec, node, runtime));
  known.set(asked, hosts);
  return hosts;
}

/** Counts the nodes a workload may run on. Undefined where no node is known. */
export function countHosts(workload: Workload, evidence: AdoptionEvidence): NodeCounts | undefined {
  const hosts = hostsOf(workload, evidence);
  if (hosts === undefined) return undefined;
  const counts = { ready: 0, 'not-ready': 0, unknown: 0 };
  for (const { status } of hosts) counts[status] += 1;
  return counts;
}

const ON_NODES = {
  cause: 'nodes',
  path: ['nodeSelector'],
  reference: 'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/#before-you-begin',
} as const;

/** Every pod of a DaemonSet has a node that must be ready; others may go to any that is left. */
export function nodeObstacles(workload: Workload, evidence: AdoptionEvidence): readonly AdoptionObstacle[] {
  const counts = countHosts(workload, evidence);
  const why = evidence.missing?.nodes;
  if (counts === undefined)
    return why === undefined
      ? []
      : [
          {
            ...ON_NODES,
            effect: 'unknown',
            message: 'may run on nodes that nobody has named',
            remedy: `Missing: ${why}.`,
          },
        ];
  const everywhere = workload.kind === 'DaemonSet';
  const { ready, unknown, 'not-ready': notReady } = counts;
  if (ready + unknown + notReady === 0)
    return [
      {
        ...ON_NODES,
        effect: 'unknown',
        message: 'finds no node that is known',
        remedy: 'Missing: a node it may run on.',
      },
    ];
  if (everywhere ? notReady > 0 : ready === 0 && unknown === 0)
    return [
      {
        ...ON_NODES,
        effect: 'blocked',
        message: everywhere
          ? `runs on every node, and ${notReady} of ${ready + unknown + notReady} can not run user namespaces`
          : `finds no node that can run user namespaces among ${notReady}`,
        remedy: 'Mend the nodes first: userns-audit node tells what each lacks.',
      },
    ];
  if (everywhere ? unknown > 0 : ready === 0)
    return [
      {
        ...ON_NODES,
        effect: 'unknown',
        message: `may run on nodes that could not be judged: ${unknown}`,
        remedy: `Missing: ${why ?? 'whether these nodes can run user namespaces'}.`,
      },
    ];
  return everywhere ? [] : placementObstacles(counts);
}

/** The scheduler does not know who can run user namespaces: the pod goes to any node, and does not start on one that can not. */
function placementObstacles({ ready, unknown, 'not-ready': notReady }: NodeCounts): readonly AdoptionObstacle[] {
  if (notReady === 0 || ready === 0) return [];
  return [
    {
      ...ON_NODES,
      effect: 'change',
      message: `may be put on ${notReady} of ${ready + unknown + notReady} nodes that can not run user namespaces`,
      remedy: 'Mend these nodes first, or keep its pods to the others by a label (nodeSelector, affinity).',
    },
  ];
}
