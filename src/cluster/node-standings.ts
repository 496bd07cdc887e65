import type { AdoptionEvidence, NodeStanding, NodeTaint, RuntimeEvidence } from './adoption-evidence.ts';
import { readinessOf } from './cluster-status.ts';
import { emptyEvidence, readNodeEvidence } from './node-evidence.ts';
import { handlersOf, NODE_WORD_FIELDS, readNodeWord } from './node-word.ts';
import { type Listed, missingOf, nameOf, objectsOf } from './listed.ts';
import { type ApiObject, listAt, objectAt, textAt } from './pod-spec.ts';
import { EVIDENCE_ACCEPTED, hasCondition } from '../resources/condition.ts';
import { HOST_NETWORK_GATE } from '../rules/user-namespace-conflict.ts';

/** All that is looked at of a node, its NodeAudit, and a runtime class. */
export const NODE_FIELDS = {
  metadata: { name: true, labels: true },
  spec: { taints: true },
  status: { ...NODE_WORD_FIELDS, declaredFeatures: true },
} as const;
export const NODE_AUDIT_FIELDS = {
  metadata: { name: true },
  status: { readiness: true, lastHeartbeatTime: true, observedTime: true, conditions: true, agent: true },
} as const;
export const RUNTIME_CLASS_FIELDS = { metadata: { name: true }, handler: true, scheduling: true } as const;

/** Evidence older than this says nothing of now, as the controller has it unless told (`--stale-after`). */
const STALE_AFTER_MS = 900_000;

const STANDINGS = { Ready: 'ready', NotReady: 'not-ready', Unknown: 'unknown' } as const;

type NodeEvidenceOf = Pick<AdoptionEvidence, 'nodes'> & { readonly missing: { readonly nodes: string } };

/**
 * Which nodes can run private user namespaces, as the controller judges them: by their NodeAudit, and by what the runtime denies.
 * Nodes of Windows are left out: no Linux pod goes there.
 */
export function nodeStandings(nodes: Listed, audits: Listed, now: number): NodeEvidenceOf {
  if ('missing' in nodes) return { missing: { nodes: nodes.missing } };
  const byName = new Map(objectsOf(audits).map((audit) => [nameOf(audit), audit] as const));
  return {
    nodes: nodes
      .filter((node) => labelsOf(node)['kubernetes.io/os'] !== 'windows')
      .map((node) => standingOf(node, byName.get(nameOf(node)), now)),
    missing: { nodes: missingOf(audits, 'fresh evidence of them (NodeAudit)') },
  };
}

function standingOf(node: ApiObject, audit: ApiObject | undefined, now: number): NodeStanding {
  const name = nameOf(node);
  const evidence = audit && !isRejected(audit) ? readNodeEvidence(audit, now) : emptyEvidence(name);
  const readiness = readinessOf({
    evidence,
    stale: evidence.heardAt !== undefined && evidence.heardAt + STALE_AFTER_MS < now,
    word: readNodeWord(node),
  });
  const taints = listAt(objectAt(node, 'spec'), 'taints');
  const features = objectAt(node, 'status')['declaredFeatures'];
  return {
    name,
    status: STANDINGS[readiness],
    labels: labelsOf(node),
    ...(taints.length > 0 ? { taints: taints as unknown as readonly NodeTaint[] } : {}),
    ...(Array.isArray(features) ? { declaresHostNetwork: features.includes(HOST_NETWORK_GATE) } : {}),
  };
}

/** The controller reads all of it, and says where it contradicts itself. */
function isRejected(audit: ApiObject): boolean {
  return hasCondition(listAt(objectAt(audit, 'status'), 'conditions'), EVIDENCE_ACCEPTED, 'False');
}

type RuntimeEvidenceOf = Required<Pick<AdoptionEvidence, 'runtimeClasses'>> & {
  readonly missing: { readonly runtimeClasses: string };
};

/** What every runtime class runs, and whether the nodes that have its handler agree on user namespaces. */
export function runtimeEvidence(classes: Listed, nodes: Listed): RuntimeEvidenceOf {
  const words = new Map<string, Set<unknown>>();
  for (const node of objectsOf(nodes))
    for (const [handler, word] of handlersOf(node)) words.set(handler, (words.get(handler) ?? new Set()).add(word));
  return {
    runtimeClasses: new Map(
      objectsOf(classes).map((one) => {
        const handler = textAt(one, 'handler') ?? '';
        const scheduling = one['scheduling'] as RuntimeEvidence['scheduling'];
        const own = { handler, ...agreed(words.get(handler)), ...(scheduling ? { scheduling } : {}) };
        return [nameOf(one), own] as const;
      }),
    ),
    missing: {
      runtimeClasses: missingOf(classes, 'the handler of the class: the cluster has no class of this name'),
    },
  };
}

function agreed(words: ReadonlySet<unknown> | undefined): Pick<RuntimeEvidence, 'userNamespaces'> {
  const [word] = words ?? [];
  return words?.size === 1 && typeof word === 'boolean' ? { userNamespaces: word } : {};
}

function labelsOf(node: ApiObject): Readonly<Record<string, string>> {
  return objectAt(objectAt(node, 'metadata'), 'labels') as Readonly<Record<string, string>>;
}
