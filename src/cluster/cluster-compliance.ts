import { type ControlEvidence, judgeProfile, type RuleResult } from '../core/control-status.ts';
import type { Status } from '../core/finding.ts';
import type { AuditPolicy } from '../core/policy.ts';
import type { ProfileStatus } from '../resources/audit-policy.ts';
import { MAX_CONTROLS, MAX_PROFILES } from '../resources/limits.ts';
import { unmanagedContainer } from '../rules/unmanaged-container.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { EFFECTIVE_RULES, MANIFEST_RULES, NODE_RULES } from '../rules/index.ts';
import type { ClusterModel, NodeState } from './model.ts';
import type { Group, NamespaceState } from './namespace-state.ts';
import { countsOf } from './namespace-status.ts';
import { chooseVerdicts, choosePodRules } from './rule-choice.ts';

/** Compliance with the profiles of the policy; with all of them where it names none. */
export function complianceOf(
  model: ClusterModel,
  nodes: readonly NodeState[],
  judgesSccs: boolean,
): readonly ProfileStatus[] {
  const { policy } = model.settings;
  const chosen = policy?.profiles ?? [];
  const evidence = evidenceOf(model, nodes, judgesSccs);
  return PROFILES.filter(({ id }) => chosen.length === 0 || chosen.includes(id))
    .slice(0, MAX_PROFILES)
    .map((profile) => {
      const { controls, totals } = judgeProfile(profile, evidence);
      const decided = totals.pass + totals.fail + totals.inconsistent;
      return {
        id: profile.id,
        ...(decided === 0 ? {} : { compliancePercent: Math.floor((totals.pass / decided) * 100) }),
        controls: controls.slice(0, MAX_CONTROLS).map(({ control, state, failing }) => ({
          id: control.id,
          status: state,
          findings: failing.length,
        })),
      };
    });
}

/** What is asked of every node; only there can containers be seen that belong to no pod. */
const NODE_ANSWERS: readonly string[] = [...NODE_RULES.map(({ id }) => id), unmanagedContainer.id];

const EFFECTIVE: ReadonlySet<string> = new Set(EFFECTIVE_RULES.map(({ id }) => id));

/** A namespace answers for its workloads: a profile asks whether all of them comply, and where not. */
function evidenceOf(model: ClusterModel, nodes: readonly NodeState[], judgesSccs: boolean): ControlEvidence {
  const { policy, version } = model.settings;
  const off = new Set(policy?.rules.filter(({ enabled }) => enabled === false).map(({ id }) => id));
  const chosen = choosePodRules(policy, version);
  const podRules = [...chosen.workload, ...chosen.effective]
    .map(({ rule }) => rule.id)
    .filter((id) => id !== unmanagedContainer.id);
  const nodeRules = NODE_ANSWERS.filter((id) => !off.has(id));
  const sccRules = MANIFEST_RULES.flatMap(({ id, kind }) => (kind === 'scc' && !judgesSccs ? [id] : []));
  const byNamespace = [...model.namespaces.values()].flatMap((namespace) => namespaceResults(namespace, podRules));
  const byNode = nodes.flatMap((node) => nodeResults(node, nodeRules, policy));
  return {
    results: [...byNamespace, ...byNode],
    // What a cluster without SecurityContextConstraints is asked about them has its answer: there are none.
    evaluated: new Set([...podRules, ...sccRules, ...nodeRules]),
  };
}

function namespaceResults(namespace: NamespaceState, rules: readonly string[]): readonly RuleResult[] {
  const subject = { kind: 'Namespace', name: namespace.name };
  const found = [...namespace.findings.values()];
  // What is in force is not known of every pod: nothing of it passes.
  const unseen = namespace.pods.unknown > 0;
  const declares = [...namespace.groups.values()].some(hasLivePods);
  const runs = countsOf(namespace.pods).running > 0;
  return rules.map((rule): RuleResult => {
    if (!(EFFECTIVE.has(rule) ? runs : declares)) return { rule, subject, status: 'not-applicable' };
    const own = found.filter((finding) => finding.rule === rule);
    if (own.some(({ status, accepted }) => status === 'fail' && !accepted)) return { rule, subject, status: 'fail' };
    if (own.some(({ status }) => status === 'unknown') || (unseen && EFFECTIVE.has(rule)))
      return { rule, subject, status: 'unknown' };
    return own.length > 0 ? { rule, subject, status: 'fail', accepted: true } : { rule, subject, status: 'pass' };
  });
}

function hasLivePods({ judgements }: Group): boolean {
  for (const { ended } of judgements.keys()) if (ended !== true) return true;
  return false;
}

/** Evidence nobody believes any more leaves every rule of the node unknown, as does what it does not say. */
export function nodeResults(
  { evidence, stale, name }: Pick<NodeState, 'evidence' | 'stale' | 'name'>,
  rules: readonly string[] = NODE_ANSWERS,
  policy?: AuditPolicy,
): readonly RuleResult[] {
  const subject = { kind: 'Node', name, ...(evidence.kindOfNode === '' ? {} : { group: evidence.kindOfNode }) };
  const isBelieved = !stale && evidence.heardAt !== undefined && evidence.rejected === undefined;
  const verdicts = isBelieved ? chooseVerdicts(evidence.verdicts, policy) : [];
  // An agent that sees containers, and lists none outside Kubernetes, has found none.
  const otherwise = (rule: string): Status =>
    isBelieved && rule === unmanagedContainer.id && evidence.sight !== 'none' ? 'pass' : 'unknown';
  return rules.map((rule) => {
    const own = verdicts.filter((verdict) => verdict.rule === rule).map(({ status }) => status);
    return { rule, subject, status: WORST_FIRST.find((status) => own.includes(status)) ?? otherwise(rule) };
  });
}

const WORST_FIRST: readonly Status[] = ['fail', 'unknown', 'pass', 'not-applicable'];
