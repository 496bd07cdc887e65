import { type ControlEvidence, judgeProfile, type RuleResult } from '../core/control-status.ts';
import type { ProfileStatus } from '../resources/audit-policy.ts';
import { MAX_CONTROLS, MAX_PROFILES } from '../resources/limits.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { EFFECTIVE_RULES, MANIFEST_RULES, NODE_RULES } from '../rules/index.ts';
import type { ClusterModel, NodeState } from './model.ts';
import type { NamespaceState } from './namespace-state.ts';
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

const EFFECTIVE: ReadonlySet<string> = new Set(EFFECTIVE_RULES.map(({ id }) => id));

/** A namespace answers for its workloads: a profile asks whether all of them comply, and where not. */
function evidenceOf(model: ClusterModel, nodes: readonly NodeState[], judgesSccs: boolean): ControlEvidence {
  const { policy, version } = model.settings;
  const chosen = choosePodRules(policy, version);
  const podRules = [...chosen.workload, ...chosen.effective].map(({ rule }) => rule.id);
  const sccRules = MANIFEST_RULES.flatMap(({ id, kind }) => (kind === 'scc' && !judgesSccs ? [id] : []));
  const byNamespace = [...model.namespaces.values()].flatMap((namespace) => namespaceResults(namespace, podRules));
  const byNode = nodes.flatMap((node) => nodeResults(node, model));
  return {
    results: [...byNamespace, ...byNode],
    // What a cluster without SecurityContextConstraints is asked about them has its answer: there are none.
    evaluated: new Set([
      ...podRules,
      ...sccRules,
      ...NODE_RULES.map(({ id }) => id),
      ...EFFECTIVE_RULES.map(({ id }) => id),
    ]),
  };
}

function namespaceResults(namespace: NamespaceState, rules: readonly string[]): readonly RuleResult[] {
  if (namespace.groups.size === 0) return [];
  const subject = { kind: 'Namespace', name: namespace.name };
  const found = [...namespace.findings.values()];
  // What is in force is not known of every pod: nothing of it passes.
  const unseen = namespace.pods.unknown > 0;
  return rules.map((rule): RuleResult => {
    const own = found.filter((finding) => finding.rule === rule);
    if (own.some(({ status, accepted }) => status === 'fail' && !accepted)) return { rule, subject, status: 'fail' };
    if (own.some(({ status }) => status === 'unknown') || (unseen && EFFECTIVE.has(rule)))
      return { rule, subject, status: 'unknown' };
    return own.length > 0 ? { rule, subject, status: 'fail', accepted: true } : { rule, subject, status: 'pass' };
  });
}

/** Evidence nobody believes any more leaves every rule of the node unknown. */
function nodeResults(node: NodeState, { settings }: ClusterModel): readonly RuleResult[] {
  const { evidence, stale, name } = node;
  const subject = { kind: 'Node', name, ...(evidence.kindOfNode === '' ? {} : { group: evidence.kindOfNode }) };
  if (stale || evidence.heardAt === undefined || evidence.rejected !== undefined)
    return NODE_RULES.map(({ id }) => ({ rule: id, subject, status: 'unknown' }));
  return chooseVerdicts(evidence.verdicts, settings.policy).map(({ rule, status }) => ({ rule, subject, status }));
}
