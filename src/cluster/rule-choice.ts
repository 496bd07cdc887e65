import type { Severity } from '../core/finding.ts';
import type { AuditPolicy } from '../core/policy.ts';
import { selectRules } from '../core/rule-selection.ts';
import type { KubernetesVersion } from '../core/workload.ts';
import { EFFECTIVE_RULES, MANIFEST_RULES } from '../rules/index.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import type { PodRules } from './judgement.ts';
import type { NodeVerdict } from './node-evidence.ts';

/**
 * The rules asked of live pods. Profiles choose among those over what is declared; what is really in force is judged whatever the
 * profiles say, and only `spec.rules` takes a rule of it out.
 */
export function choosePodRules(policy: AuditPolicy | undefined, version: KubernetesVersion): PodRules {
  const { rules, target } = selectRules({ rules: MANIFEST_RULES, profiles: PROFILES }, version, {}, policy);
  const settings = new Map(policy?.rules.map((setting) => [setting.id, setting]));
  return {
    workload: rules.flatMap(({ rule, severity }) =>
      rule.kind === 'workload' ? [{ rule, ...(severity ? { severity } : {}) }] : [],
    ),
    effective: EFFECTIVE_RULES.filter(({ id }) => settings.get(id)?.enabled !== false).map((rule) => {
      const severity = settings.get(rule.id)?.severity;
      return { rule, ...(severity ? { severity } : {}) };
    }),
    target: { ...target, isAdmitted: true },
  };
}

/** The verdicts of a node that count, weighed as the policy says. */
export function chooseVerdicts(
  verdicts: readonly NodeVerdict[],
  policy: AuditPolicy | undefined,
): readonly NodeVerdict[] {
  if (!policy || policy.rules.length === 0) return verdicts;
  const settings = new Map(policy.rules.map((setting) => [setting.id, setting]));
  return verdicts.flatMap((verdict): readonly NodeVerdict[] => {
    const { enabled = true, severity = verdict.severity }: { enabled?: boolean; severity?: Severity } =
      settings.get(verdict.rule) ?? {};
    return enabled ? [{ ...verdict, severity }] : [];
  });
}
