import { nodeResults } from '../cluster/cluster-compliance.ts';
import { readNodeEvidence } from '../cluster/node-evidence.ts';
import { type Inconsistency, judgeControl, type RuleResult } from '../core/control-status.ts';
import { printable } from '../core/text.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import type { ClusterReport } from './cluster-report.ts';
import { isStale } from './node-kinds.ts';
import { EVIDENCE_ACCEPTED, hasCondition } from '../resources/condition.ts';

/** Nodes that should be alike and are not, of a control that is `inconsistent` for it. */
export interface ControlInconsistency extends Inconsistency {
  readonly profile: string;
  readonly control: string;
}

/**
 * Which nodes deviate, of every control that the controller calls inconsistent. It keeps no names: they come from the evidence of the
 * nodes in the report, judged by the same functions. None where the nodes are not in the report, or agree by now.
 */
export function findInconsistencies(report: ClusterReport): readonly ControlInconsistency[] {
  const inconsistent = (report.policy?.status.profiles ?? []).flatMap(({ id, controls }) =>
    controls.flatMap(({ id: control, status }) => (status === 'inconsistent' ? [{ profile: id, control }] : [])),
  );
  if (inconsistent.length === 0) return [];
  const results = resultsOf(report);
  return inconsistent.flatMap(({ profile, control }) => {
    const known = PROFILES.find(({ id }) => id === profile)?.controls.find(({ id }) => id === control);
    if (!known) return [];
    const { inconsistencies } = judgeControl(known, { results, evaluated: new Set(known.rules) });
    return inconsistencies.map((found) => ({ profile, control, ...found }));
  });
}

function resultsOf({ nodes, policy, generatedAt }: ClusterReport): readonly RuleResult[] {
  const off = new Set(policy?.spec.rules?.filter(({ enabled }) => enabled === false).map(({ id }) => id));
  const now = Date.parse(generatedAt);
  return nodes.flatMap(({ name, status }) => {
    const isRejected = hasCondition(status.conditions, EVIDENCE_ACCEPTED, 'False');
    const evidence = readNodeEvidence({ metadata: { name }, status: isRejected ? {} : status }, now);
    return nodeResults({ name, evidence, stale: isStale(evidence.heardAt, now) }).filter(({ rule }) => !off.has(rule));
  });
}

type Control = NonNullable<NonNullable<ClusterReport['policy']>['status']['profiles']>[number]['controls'][number];

/** So many names a text has, unless told. */
const MAX_NAMES = 5;

/**
 * Why a control is inconsistent: `user-namespace-limit: most nodes of Ubuntu 24.04.3 LTS, 6.8.0, containerd 2.2.0 pass, but not node-b`.
 * Nothing of controls that are not.
 */
export function differingTexts(
  inconsistencies: readonly ControlInconsistency[],
  profile: string,
  { id, status }: Pick<Control, 'id' | 'status'>,
  maxNames = MAX_NAMES,
): readonly string[] {
  if (status !== 'inconsistent') return [];
  const own = inconsistencies.filter((one) => one.profile === profile && one.control === id);
  if (own.length === 0) return ['nodes that should be alike differ; those of this report do not show which'];
  return own.map(({ rule, group, majority, deviating }) => {
    const names = deviating.slice(0, maxNames).map((name) => printable(name));
    const more = deviating.length - names.length;
    const listed = `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return `${rule}: most nodes of ${printable(group)} ${majority}, but not ${listed}`;
  });
}
