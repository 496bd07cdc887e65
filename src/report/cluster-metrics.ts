import { Registry } from 'prom-client';
import { complianceOf } from '../cluster/cluster-compliance.ts';
import { clusterPods, exceptionStatuses, readinessOf, reasonsOf } from '../cluster/cluster-status.ts';
import { POD_STATES, type PodState } from '../cluster/judgement.ts';
import type { ClusterModel, NodeState } from '../cluster/model.ts';
import type { NamespaceSummary } from '../cluster/namespace-status.ts';
import { chooseVerdicts } from '../cluster/rule-choice.ts';
import { type MetricFamily, registerFamily } from './metric-family.ts';

/** What the families are read from, at every scrape. */
export interface ClusterMetricsSource {
  readonly model: ClusterModel;
  readonly summaries: ReadonlyMap<string, NamespaceSummary>;
  readonly keepsHostUsers: () => 'True' | 'False' | 'Unknown';
}

const STATE_LABELS: Readonly<Record<PodState, string>> = {
  private: 'private',
  host: 'host',
  notEffective: 'not_effective',
  undeclaredPrivate: 'undeclared_private',
  overlapping: 'overlapping',
  unknown: 'unknown',
};

const DAY_SECONDS = 86_400;

/**
 * The families over the cluster (docs/metrics.md), for the registry of the controller that leads: others would count everything
 * twice. Series are bounded by namespaces, nodes and rules, never by pods.
 */
export function createClusterMetrics({ model, summaries, keepsHostUsers }: ClusterMetricsSource): Registry {
  const registry = new Registry();
  const namespaces = () => [...model.namespaces.values()];
  const nodes = (): readonly NodeState[] => [...model.nodes.values()].filter(({ exists }) => exists);

  const family = <Label extends string>(added: MetricFamily<Label>): void => {
    registerFamily(registry, added);
  };

  family({
    name: 'pods',
    help: 'Running pods by the verdict on their user namespace; each is in exactly one state.',
    labels: ['namespace', 'state'],
    samples: () =>
      namespaces().flatMap(({ name, pods }) =>
        POD_STATES.map((state) => [{ namespace: name, state: STATE_LABELS[state] }, pods[state]] as const),
      ),
  });
  family({
    name: 'pods_unknown',
    help: 'Running pods nobody can tell of, by the reason.',
    labels: ['namespace', 'reason'],
    samples: () =>
      namespaces().flatMap(({ name, unknown }) =>
        [...unknown].map(([reason, count]) => [{ namespace: name, reason }, count] as const),
      ),
  });
  family({
    name: 'adoption_ratio',
    help: 'Share of running pods whose user namespace is private, declared and effective.',
    labels: [],
    samples: () => {
      const { running, private: adopted } = clusterPods(model);
      return running === 0 ? [] : [[{}, adopted / running] as const];
    },
  });
  family({
    name: 'workloads',
    help: 'Workloads by what hostUsers: false would take.',
    labels: ['namespace', 'standing'],
    samples: () =>
      [...summaries].flatMap(([namespace, { workloads }]) =>
        Object.entries(workloads ?? {}).map(([standing, count]) => [{ namespace, standing }, count] as const),
      ),
  });
  family({
    name: 'findings',
    help: 'Workloads that break a rule, or of which it is unknown.',
    labels: ['namespace', 'rule', 'severity', 'status', 'accepted'],
    samples: () =>
      namespaces().flatMap(({ name, findings }) =>
        [...findings.values()].map(
          ({ rule, severity, status, accepted, workloads }) =>
            [{ namespace: name, rule, severity, status, accepted: String(accepted) }, workloads] as const,
        ),
      ),
  });
  family({
    name: 'node_findings',
    help: 'Nodes that break a rule, or of which it is unknown.',
    labels: ['rule', 'severity', 'status'],
    samples: () => countVerdicts(model, nodes()),
  });
  family({
    name: 'node_readiness',
    help: 'Whether private user namespaces can be run on a node: 1 for its present status.',
    labels: ['node', 'status'],
    samples: () => nodes().map((node) => [{ node: node.name, status: readinessOf(node) }, 1] as const),
  });
  family({
    name: 'node_not_ready_reason',
    help: 'The rules that speak against a node.',
    labels: ['node', 'rule'],
    samples: () => nodes().flatMap((node) => reasonsOf(node).map((rule) => [{ node: node.name, rule }, 1] as const)),
  });
  family({
    name: 'node_evidence_timestamp_seconds',
    help: 'When the agent of a node was last heard of.',
    labels: ['node'],
    samples: () =>
      nodes().flatMap(({ name, evidence: { heardAt } }) =>
        heardAt === undefined ? [] : [[{ node: name }, Math.round(heardAt / 1000)] as const],
      ),
  });
  family({
    name: 'node_evidence_stale',
    help: '1 where the agent of a node has not been heard of for too long, or never.',
    labels: ['node'],
    samples: () =>
      nodes().map(
        ({ name, stale, evidence }) => [{ node: name }, Number(stale || evidence.heardAt === undefined)] as const,
      ),
  });
  addPolicyFamilies(family, model, summaries, nodes);
  family({
    name: 'api_server_keeps_host_users',
    help: 'Whether the API server keeps spec.hostUsers of a pod or drops it: 1 for the present answer.',
    labels: ['status'],
    samples: () => [[{ status: keepsHostUsers() }, 1] as const],
  });
  return registry;
}

function addPolicyFamilies(
  family: <Label extends string>(family: MetricFamily<Label>) => void,
  model: ClusterModel,
  summaries: ReadonlyMap<string, NamespaceSummary>,
  nodes: () => readonly NodeState[],
): void {
  family({
    name: 'exceptions',
    help: 'Exceptions of the policy by how they are used.',
    labels: ['state'],
    samples: () => {
      const counts = { matched: 0, unused: 0, expiring: 0, expired: 0 };
      for (const { state } of exceptionStatuses(model)) counts[state] += 1;
      return Object.entries(counts).map(([state, count]) => [{ state }, count] as const);
    },
  });
  family({
    name: 'exception_expiry_timestamp_seconds',
    help: 'The end of the last day on which an exception of the policy holds.',
    labels: ['exception', 'reason'],
    samples: () =>
      model.exceptions.list.flatMap(({ expires, reason }, index) =>
        expires === undefined
          ? []
          : [[{ exception: String(index), reason }, Date.parse(expires) / 1000 + DAY_SECONDS] as const],
      ),
  });
  family({
    name: 'floor_met',
    help: 'Whether a namespace has as many private pods as the policy asks for.',
    labels: ['namespace'],
    samples: () =>
      [...summaries].flatMap(([namespace, { floor }]) => (floor ? [[{ namespace }, Number(floor.met)] as const] : [])),
  });
  family({
    name: 'profile_compliance_ratio',
    help: 'Controls of a profile that pass, of those that pass or fail.',
    labels: ['profile'],
    samples: () =>
      complianceOf(model, nodes(), false).flatMap(({ id, compliancePercent }) =>
        compliancePercent === undefined ? [] : [[{ profile: id }, compliancePercent / 100] as const],
      ),
  });
}

function countVerdicts(
  model: ClusterModel,
  nodes: readonly NodeState[],
): readonly (readonly [{ readonly rule: string; readonly severity: string; readonly status: string }, number])[] {
  const counts = new Map<string, { rule: string; severity: string; status: string; nodes: number }>();
  for (const { evidence } of nodes)
    for (const { rule, severity, status } of chooseVerdicts(evidence.verdicts, model.settings.policy)) {
      if (status !== 'fail' && status !== 'unknown') continue;
      const key = `${rule} ${severity} ${status}`;
      const known = counts.get(key) ?? { rule, severity, status, nodes: 0 };
      counts.set(key, { ...known, nodes: known.nodes + 1 });
    }
  return [...counts.values()].map(({ nodes: count, ...labels }) => [labels, count] as const);
}
