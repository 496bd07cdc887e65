import { compileGlob } from '../core/exception-glob.ts';
import { compareText } from '../core/text.ts';
import type { AuditPolicyStatus, ExceptionStatus, HistoryDay } from '../resources/audit-policy.ts';
import { MAX_CRITICAL_FINDINGS, MAX_FLOORS, MAX_HISTORY_DAYS } from '../resources/limits.ts';
import type { PodCounts } from '../resources/namespace-audit.ts';
import { complianceOf } from './cluster-compliance.ts';
import { runtimeUserNamespaces } from '../rules/runtime-user-namespaces.ts';
import { POD_STATES } from './judgement.ts';
import type { ClusterModel, NodeState } from './model.ts';
import { addFindings, currentFindings, type FindingTotals, noFindings, noPods } from './namespace-state.ts';
import { adoptionPercent, countsOf, cut, floorOf } from './namespace-status.ts';
import { chooseVerdicts } from './rule-choice.ts';

/** The status of the AuditPolicy without what only its writer knows. */
export type ClusterSummary = Omit<
  AuditPolicyStatus,
  'observedTime' | 'observedGeneration' | 'conditions' | 'kubernetes'
>;

/** Days before the end of an exception on which it is called expiring. */
const EXPIRING_DAYS = 14;
const DAY_MS = 86_400_000;

/** Sums up the cluster. `history` is what was kept so far: today's entry is replaced, older ones stay. */
export function summarizeCluster(
  model: ClusterModel,
  history: readonly HistoryDay[],
  judgesSccs: boolean,
): ClusterSummary {
  const pods = clusterPods(model);
  const nodes = [...model.nodes.values()].filter(({ exists }) => exists);
  const totals = clusterFindings(model, nodes);
  const percent = adoptionPercent(pods);
  const floors = missedFloors(model);
  const critical = criticalFindings(model, nodes);
  const nodeCounts = countNodes(nodes);
  const today: HistoryDay = {
    date: model.settings.today,
    running: pods.running,
    private: pods.private,
    critical: totals.critical,
    high: totals.high,
    readyNodes: nodeCounts.ready,
    nodes: nodeCounts.total,
  };
  return {
    pods,
    ...(percent === undefined ? {} : { adoptionPercent: percent }),
    nodes: nodeCounts,
    findingTotals: { ...totals },
    criticalFindings: critical.slice(0, MAX_CRITICAL_FINDINGS),
    profiles: complianceOf(model, nodes, judgesSccs),
    exceptions: exceptionStatuses(model),
    floors: floors.slice(0, MAX_FLOORS),
    history: [...history.filter(({ date }) => date < today.date), today].slice(-MAX_HISTORY_DAYS),
  };
}

/** Running pods of all namespaces. */
export function clusterPods({ namespaces }: ClusterModel): PodCounts {
  const all = noPods();
  for (const { pods } of namespaces.values()) for (const state of POD_STATES) all[state] += pods[state];
  return countsOf(all);
}

function clusterFindings(model: ClusterModel, nodes: readonly NodeState[]): FindingTotals {
  const totals = noFindings();
  for (const { findings } of model.namespaces.values()) addFindings(totals, findings.values());
  for (const { evidence } of nodes)
    for (const { severity, status } of chooseVerdicts(evidence.verdicts, model.settings.policy))
      if (status === 'fail') totals[severity] += 1;
  return totals;
}

/** The rule whose question `status.runtimeHandlers` answers as well. */
const RUNTIME_RULE = runtimeUserNamespaces.id;

/** What a node's readiness depends on. */
type JudgedNode = Pick<NodeState, 'stale' | 'evidence' | 'word'>;

/**
 * Whether a node can run private user namespaces, as far as its evidence is believed now. What the node object says counts where the
 * agent could not tell: the runtime of itself, and of nothing else; a version only when it is too old.
 */
export function readinessOf(node: JudgedNode): 'Ready' | 'NotReady' | 'Unknown' {
  const { stale, evidence, word } = node;
  if (word.handlerUserNamespaces === false || outdatedOf(node).length > 0) return 'NotReady';
  if (stale || evidence.rejected !== undefined) return 'Unknown';
  const isAnswered = evidence.readiness === 'Unknown' && reasonsOf(node).length === 0 && evidence.reasons.length > 0;
  return isAnswered ? 'Ready' : evidence.readiness;
}

/** The rules that speak against a node, as ids. */
export function reasonsOf(node: JudgedNode): readonly string[] {
  const { stale, evidence, word } = node;
  const denied = word.handlerUserNamespaces === false ? [RUNTIME_RULE] : [];
  const told = stale ? [] : evidence.reasons;
  const isAnswered = word.handlerUserNamespaces === true && evidence.readiness === 'Unknown';
  const own = isAnswered ? told.filter((rule) => rule !== RUNTIME_RULE) : told;
  return [...new Set([...outdatedOf(node), ...denied, ...own])];
}

/** What the versions settle that the agent could not: it is not there, or says so. What it has judged itself it knows better. */
function outdatedOf({ stale, evidence, word }: JudgedNode): readonly string[] {
  if (word.tooOld.length === 0 || (!stale && evidence.readiness !== 'Unknown')) return [];
  const open = stale ? [] : evidence.reasons;
  return open.length === 0 ? word.tooOld : word.tooOld.filter((rule) => open.includes(rule));
}

function countNodes(nodes: readonly NodeState[]): NonNullable<AuditPolicyStatus['nodes']> {
  const counts = { Ready: 0, NotReady: 0, Unknown: 0 };
  const reasons = new Map<string, number>();
  let stale = 0;
  for (const node of nodes) {
    const readiness = readinessOf(node);
    counts[readiness] += 1;
    if (node.stale || node.evidence.heardAt === undefined) stale += 1;
    for (const rule of reasonsOf(node)) reasons.set(rule, (reasons.get(rule) ?? 0) + 1);
  }
  return {
    total: nodes.length,
    ready: counts.Ready,
    notReady: counts.NotReady,
    unknown: counts.Unknown,
    stale,
    reasons: [...reasons]
      .map(([rule, count]) => ({ rule: cut(rule, 63), nodes: count }))
      .sort((a, b) => b.nodes - a.nodes || compareText(a.rule, b.rule))
      .slice(0, 32),
  };
}

type CriticalFinding = NonNullable<AuditPolicyStatus['criticalFindings']>[number];

function criticalFindings(model: ClusterModel, nodes: readonly NodeState[]): readonly CriticalFinding[] {
  const found: CriticalFinding[] = [];
  for (const namespace of model.namespaces.values()) {
    // Most namespaces have none: their counts say so at once.
    const any = [...namespace.findings.values()].some(isOpenCritical);
    for (const group of any ? namespace.groups.values() : [])
      for (const { finding, pods } of currentFindings(group)) {
        if (!isOpenCritical({ ...finding, accepted: model.exceptions.isAccepted(group, finding.rule) })) continue;
        const { rule, message } = finding;
        found.push({
          rule,
          namespace: namespace.name,
          subject: cut(group.workload, 320),
          pods,
          message: cut(message, 1024),
        });
      }
  }
  for (const { name, evidence } of nodes)
    for (const verdict of chooseVerdicts(evidence.verdicts, model.settings.policy))
      if (isOpenCritical({ ...verdict, accepted: false }))
        found.push({ rule: verdict.rule, subject: `Node/${name}`, pods: 0, message: cut(verdict.message, 1024) });
  return found.sort(
    (a, b) =>
      compareText(a.namespace ?? '', b.namespace ?? '') ||
      compareText(a.subject, b.subject) ||
      compareText(a.rule, b.rule),
  );
}

function isOpenCritical(finding: {
  readonly severity: string;
  readonly status: string;
  readonly accepted: boolean;
}): boolean {
  return finding.severity === 'critical' && finding.status === 'fail' && !finding.accepted;
}

/** How every exception of the policy is used. Those over files are a scan's, and count as matched here. */
export function exceptionStatuses({ exceptions, namespaces, settings }: ClusterModel): readonly ExceptionStatus[] {
  const matched = exceptions.list.map(() => 0);
  const groups =
    matched.length === 0 ? [] : [...namespaces.values()].flatMap((namespace) => [...namespace.groups.values()]);
  for (const group of groups) {
    const failed = new Set<string>();
    for (const { finding } of group.findings.values()) if (finding.status === 'fail') failed.add(finding.rule);
    for (const index of [...failed].flatMap((rule) => exceptions.indexesFor(group, rule)))
      matched[index] = (matched[index] ?? 0) + 1;
  }
  return exceptions.list.map(({ reason, expires, files }, index) => {
    const count = matched[index] ?? 0;
    return {
      index,
      reason: cut(reason, 1024),
      state: stateOfException(expires, settings.today, count > 0 || files !== undefined),
      matched: count,
      ...(expires === undefined ? {} : { expires }),
    };
  });
}

/** Where an exception stands in its life. */
export function stateOfException(expires: string | undefined, today: string, used: boolean): ExceptionStatus['state'] {
  if (expires !== undefined && expires < today) return 'expired';
  if (!used) return 'unused';
  const daysLeft = expires === undefined ? Infinity : (Date.parse(expires) - Date.parse(today)) / DAY_MS;
  return daysLeft <= EXPIRING_DAYS ? 'expiring' : 'matched';
}

function missedFloors({ namespaces, settings }: ClusterModel): NonNullable<AuditPolicyStatus['floors']> {
  const floors = settings.policy?.floors ?? [];
  if (floors.length === 0) return [];
  const missed = [...namespaces.values()].flatMap(({ name, pods }) => {
    const counts = countsOf(pods);
    const floor = floorOf(name, counts, floors);
    if (!floor || floor.met) return [];
    const { minPrivatePods, minAdoptionPercent } = floor;
    const required = [
      ...(minPrivatePods === undefined ? [] : [`${minPrivatePods} private pods`]),
      ...(minAdoptionPercent === undefined ? [] : [`${minAdoptionPercent} % of running pods`]),
    ].join(' and ');
    return [{ namespace: name, required, actual: `${counts.private} of ${counts.running} running pods` }];
  });
  // A floor for a namespace by name, which is not there at all, is missed as well.
  const named = floors.flatMap((floor) =>
    (floor.minPrivatePods ?? 0) > 0 ? floor.namespaces.filter((name) => !/[*?]/.test(name)) : [],
  );
  const absent = named.filter((name) => ![...namespaces.keys()].some(compileGlob(name)));
  return [
    ...missed,
    ...[...new Set(absent)].map((namespace) => ({
      namespace: cut(namespace, 253),
      required: 'private pods',
      actual: 'no such namespace',
    })),
  ].sort((a, b) => compareText(a.namespace, b.namespace));
}
