import type { Severity } from './finding.ts';
import type { AuditPolicy } from './policy.ts';
import { type Profile, rulesOfProfile } from './profile.ts';
import type { JudgedFor, ManifestRule } from './rule.ts';
import type { KubernetesVersion } from './workload.ts';

/** What of the catalogue is judged; without any of it, every rule. */
export interface RuleChoice {
  /** `--profile`: these profiles' rules instead of the policy's profiles. */
  readonly profiles?: readonly string[];
  /** `--rule`: exactly these. */
  readonly rules?: readonly string[];
  /** `--skip-rule` */
  readonly skipRules?: readonly string[];
}

/** A rule that is judged, and the weight it has in this run. */
export interface SelectedRule {
  readonly rule: ManifestRule;
  /** Set by the policy, or else by a profile; it holds for every finding of the rule. */
  readonly severity?: Severity;
}

export interface RuleSelection {
  readonly rules: readonly SelectedRule[];
  readonly target: JudgedFor;
}

interface Catalogue {
  readonly rules: readonly ManifestRule[];
  readonly profiles: readonly Profile[];
}

/**
 * The rules a run judges. The command line goes before the policy, and the policy before the profiles: `rules` alone decides when
 * given; else the profiles' rules (all rules without a profile), with what the policy switches on or off; `skipRules` always holds.
 * Names that are not in the catalogue select nothing.
 */
export function selectRules(
  { rules, profiles }: Catalogue,
  version: KubernetesVersion,
  choice: RuleChoice = {},
  policy?: AuditPolicy,
): RuleSelection {
  const chosen = choice.profiles ?? policy?.profiles ?? [];
  const active = profiles.filter(({ id }) => chosen.includes(id));
  const settings = new Map(policy?.rules.map((setting) => [setting.id, setting]));
  const byProfile = new Set(active.flatMap(rulesOfProfile));
  const isSelected = (id: string): boolean => {
    if (choice.skipRules?.includes(id)) return false;
    if (choice.rules) return choice.rules.includes(id);
    return settings.get(id)?.enabled ?? (chosen.length === 0 || byProfile.has(id));
  };
  const severityOf = (id: string): Severity | undefined =>
    settings.get(id)?.severity ??
    active.map(({ severities }) => severities?.[id]).find((severity) => severity !== undefined);
  return {
    rules: rules
      .filter(({ id }) => isSelected(id))
      .map((rule) => {
        const severity = severityOf(rule.id);
        return severity === undefined ? { rule } : { rule, severity };
      }),
    target: { ...version, ...strictestPodSecurity(active) },
  };
}

function strictestPodSecurity(profiles: readonly Profile[]): Pick<JudgedFor, 'podSecurity'> {
  const levels = profiles.map(({ podSecurity }) => podSecurity);
  if (levels.includes('restricted')) return { podSecurity: 'restricted' };
  return levels.includes('baseline') ? { podSecurity: 'baseline' } : {};
}
