import type { AuditPolicy } from '../core/policy.ts';
import { LATEST_KUBERNETES_VERSION } from '../core/pod-user-namespace.ts';
import type { KubernetesVersion } from '../core/workload.ts';
import { type ClusterExceptions, createClusterExceptions } from './cluster-exceptions.ts';
import { createPodJudge, type EvidenceView, overlapsOf, type PodJudge } from './judgement.ts';
import {
  countPod,
  createNamespaceState,
  type NamespaceState,
  recountAccepted,
  replacePod,
  uncountPod,
} from './namespace-state.ts';
import { emptyEvidence, type NodeEvidence } from './node-evidence.ts';
import { NO_WORD, type NodeWord } from './node-word.ts';
import type { SlimPod } from './pod.ts';
import { choosePodRules } from './rule-choice.ts';

/** A node, with the pods bound to it and what its agent reports. */
export interface NodeState extends EvidenceView {
  readonly name: string;
  /** The node object is there; one may see its pods or its evidence first. */
  readonly exists: boolean;
  /** What the node object says. */
  readonly word: NodeWord;
  readonly evidence: NodeEvidence;
  readonly pods: Set<SlimPod>;
}

/** What the model is told of the cluster as a whole. */
export interface ClusterSettings {
  readonly version: KubernetesVersion;
  readonly policy: AuditPolicy | undefined;
  /** `2027-03-31`, in UTC: expiry is a matter of days. */
  readonly today: string;
}

export interface ModelOptions {
  /** Evidence older than this counts as unknown. */
  readonly staleAfterMs: number;
  /** Called whenever something a namespace's status says may have changed, once a change. */
  readonly onNamespace: (name: string) => void;
  /** The same for the status of the cluster, nodes included. */
  readonly onCluster: () => void;
  readonly now: () => number;
}

/**
 * The cluster in memory: declared joined with effective, pod by pod, and summed up by workload and namespace as it changes. A pod
 * that changes costs that pod; evidence of a node costs the pods of that node; a policy costs all of them. It can be told things in
 * any order, and the same facts make the same answer.
 */
export interface ClusterModel {
  readonly namespaces: ReadonlyMap<string, NamespaceState>;
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly settings: ClusterSettings;
  readonly exceptions: ClusterExceptions;
  upsertPod(pod: SlimPod, previous?: SlimPod): void;
  removePod(pod: SlimPod): void;
  setEvidence(evidence: NodeEvidence): void;
  removeEvidence(node: string): void;
  setNode(name: string, word?: NodeWord): void;
  removeNode(name: string): void;
  setNamespace(name: string, labels: Readonly<Record<string, string>>): void;
  removeNamespace(name: string): void;
  /** Judges every pod anew when anything of it differs. */
  setSettings(settings: Partial<ClusterSettings>): void;
  /** Looks at the clock: evidence grows old without an event. */
  tick(): void;
}

export function createClusterModel(options: ModelOptions): ClusterModel {
  const { staleAfterMs, now } = options;
  const namespaces = new Map<string, NamespaceState>();
  const nodes = new Map<string, NodeState>();
  let settings: ClusterSettings = {
    version: LATEST_KUBERNETES_VERSION,
    policy: undefined,
    today: new Date(now()).toISOString().slice(0, 10),
  };
  let exceptions = createClusterExceptions([], settings.today);
  let judge: PodJudge = createPodJudge(choosePodRules(undefined, settings.version));

  function namespaceOf(name: string): NamespaceState {
    const known = namespaces.get(name);
    if (known) return known;
    const created = createNamespaceState(name);
    namespaces.set(name, created);
    return created;
  }

  function nodeOf(name: string): NodeState {
    const known = nodes.get(name);
    if (known) return known;
    const created: NodeState = {
      name,
      exists: false,
      word: NO_WORD,
      evidence: emptyEvidence(name),
      stale: false,
      overlaps: new Map(),
      pods: new Set(),
    };
    nodes.set(name, created);
    return created;
  }

  function updateNode(name: string, change: Partial<NodeState>): NodeState {
    const updated = { ...nodeOf(name), ...change };
    nodes.set(name, updated);
    options.onCluster();
    return updated;
  }

  function forgetNode(name: string): void {
    const node = nodes.get(name);
    if (node && !node.exists && node.pods.size === 0 && node.evidence.heardAt === undefined) nodes.delete(name);
  }

  function forgetNamespace(namespace: NamespaceState): void {
    if (!namespace.exists && namespace.groups.size === 0) namespaces.delete(namespace.name);
  }

  function recount(pod: SlimPod): void {
    const before = pod.counted;
    const namespace = namespaceOf(pod.namespace);
    const node = pod.node === '' ? undefined : nodes.get(pod.node);
    const judgement = judge.judge(pod, node?.evidence, node ?? NOTHING_SEEN);
    countPod(namespace, pod, judgement, exceptions.isAccepted);
    if (before !== pod.counted) options.onNamespace(pod.namespace);
  }

  function recountNode(node: NodeState): void {
    for (const pod of node.pods) recount(pod);
  }

  function recountAll(): void {
    // Findings are taken out by the exceptions they were counted with.
    const old = exceptions;
    for (const { pods } of nodes.values()) for (const pod of pods) uncountPod(pod, old.isAccepted);
    for (const pod of unbound) uncountPod(pod, old.isAccepted);
    exceptions = createClusterExceptions(settings.policy?.exceptions ?? [], settings.today);
    judge = createPodJudge(choosePodRules(settings.policy, settings.version));
    for (const { pods } of nodes.values()) for (const pod of pods) recount(pod);
    for (const pod of unbound) recount(pod);
    for (const name of namespaces.keys()) options.onNamespace(name);
    options.onCluster();
  }

  /** Pods no node has yet. */
  const unbound = new Set<SlimPod>();
  const isStale = ({ heardAt }: NodeEvidence): boolean => heardAt !== undefined && heardAt + staleAfterMs < now();

  return {
    namespaces,
    nodes,
    get settings() {
      return settings;
    },
    get exceptions() {
      return exceptions;
    },
    upsertPod(pod, previous) {
      if (previous) {
        (previous.node === '' ? unbound : nodeOf(previous.node).pods).delete(previous);
        if (previous.namespace === pod.namespace) replacePod(pod, previous);
        else leaveNamespace(previous);
      }
      (pod.node === '' ? unbound : nodeOf(pod.node).pods).add(pod);
      recount(pod);
      if (previous && previous.node !== pod.node) forgetNode(previous.node);
    },
    removePod(pod) {
      (pod.node === '' ? unbound : nodeOf(pod.node).pods).delete(pod);
      forgetNode(pod.node);
      leaveNamespace(pod);
    },
    setEvidence(evidence) {
      recountNode(
        updateNode(evidence.node, { evidence, stale: isStale(evidence), overlaps: overlapsOf(evidence.pods) }),
      );
    },
    removeEvidence(name) {
      recountNode(updateNode(name, { evidence: emptyEvidence(name), stale: false, overlaps: new Map() }));
      forgetNode(name);
    },
    setNode(name, word = NO_WORD) {
      const known = nodes.get(name);
      if (known?.exists === true && known.word === word) return;
      updateNode(name, { exists: true, word });
    },
    removeNode(name) {
      updateNode(name, { exists: false });
      forgetNode(name);
    },
    setNamespace(name, labels) {
      const namespace = namespaceOf(name);
      if (namespace.exists && sameLabels(namespace.labels, labels)) return;
      relabel(namespace, labels, true);
      options.onNamespace(name);
    },
    removeNamespace(name) {
      const namespace = namespaces.get(name);
      if (!namespace) return;
      relabel(namespace, {}, false);
      forgetNamespace(namespace);
      options.onNamespace(name);
    },
    setSettings(change) {
      changeSettings(change);
    },
    tick() {
      for (const node of nodes.values()) {
        const stale = isStale(node.evidence);
        if (stale !== node.stale) recountNode(updateNode(node.name, { stale }));
      }
      const today = new Date(now()).toISOString().slice(0, 10);
      if (today !== settings.today) changeSettings({ today });
    },
  };

  function changeSettings(change: Partial<ClusterSettings>): void {
    const next = { ...settings, ...change };
    const { version, policy, today } = settings;
    const isSame =
      next.policy === policy &&
      next.today === today &&
      next.version.major === version.major &&
      next.version.minor === version.minor;
    settings = next;
    if (isSame) return;
    if (next.policy !== policy || next.version !== version || exceptions.changeBy(next.today)) recountAll();
    else options.onCluster();
  }

  function leaveNamespace(pod: SlimPod): void {
    uncountPod(pod, exceptions.isAccepted);
    options.onNamespace(pod.namespace);
    const namespace = namespaces.get(pod.namespace);
    if (namespace) forgetNamespace(namespace);
  }

  /** Labels decide which exceptions hold: what is accepted is counted anew. */
  function relabel(namespace: NamespaceState, labels: Readonly<Record<string, string>>, exists: boolean): void {
    namespace.exists = exists;
    namespace.labels = labels;
    recountAccepted(namespace, exceptions.isAccepted);
  }
}

const NOTHING_SEEN: EvidenceView = { stale: false, overlaps: new Map() };

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
