import type { ControlStatus, ProfileStatus, RuleResult } from '../core/control-status.ts';
import type { Profile, ProfileControl } from '../core/profile.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import type { ClusterReport } from './cluster-report.ts';
import { type ControlInconsistency, findInconsistencies } from './inconsistencies.ts';
import { renderOscal } from './oscal.ts';

export interface ClusterOscalOptions {
  /** Name of the cluster. */
  readonly system: string;
  /** Version of userns-audit. */
  readonly version: string;
}

/**
 * OSCAL assessment results from the states that the controller gave to controls, with what the report knows of their subjects.
 * @throws Error where the report has no profile
 */
export function renderClusterOscal(report: ClusterReport, { system, version }: ClusterOscalOptions): string {
  const results = resultsOf(report);
  const inconsistencies = findInconsistencies(report);
  const statuses = (report.policy?.status.profiles ?? []).flatMap((status): ProfileStatus[] => {
    const profile = PROFILES.find(({ id }) => id === status.id);
    const own = inconsistencies.filter((one) => one.profile === status.id);
    return profile ? [profileStatus(profile, status.controls, results, own)] : [];
  });
  if (statuses.length === 0)
    throw new Error(
      'the report has no profile: list some in spec.profiles of the AuditPolicy, and wait for its status; a part of the cluster (--namespace, --node) has none',
    );
  return renderOscal(statuses, { system, version, collected: new Date(report.generatedAt).toISOString() });
}

type Answer = NonNullable<NonNullable<ClusterReport['policy']>['status']['profiles']>[number]['controls'][number];

function profileStatus(
  profile: Profile,
  answers: readonly Answer[],
  results: readonly RuleResult[],
  inconsistencies: readonly ControlInconsistency[],
): ProfileStatus {
  const controls = profile.controls.map((control) => {
    const answer = answers.find(({ id }) => id === control.id);
    const own = inconsistencies.filter((one) => one.control === control.id);
    return { ...controlStatus(control, answer, results), inconsistencies: own };
  });
  const totals = { fail: 0, inconsistent: 0, unknown: 0, pass: 0, 'not-applicable': 0, manual: 0 };
  for (const { state } of controls) totals[state] += 1;
  return { profile, controls, totals };
}

/** A control the controller says nothing of is unknown. */
function controlStatus(
  control: ProfileControl,
  answer: Answer | undefined,
  results: readonly RuleResult[],
): ControlStatus {
  const own = results.filter(({ rule }) => control.rules.includes(rule));
  const counts = { pass: 0, fail: 0, unknown: 0, 'not-applicable': 0, accepted: 0 };
  for (const { status, accepted } of own) counts[accepted === true ? 'accepted' : status] += 1;
  return {
    control,
    state: answer?.status ?? 'unknown',
    counts,
    failing: own.filter(({ status, accepted }) => status === 'fail' && accepted !== true),
    inconsistencies: [],
    notEvaluated: answer ? [] : control.rules,
  };
}

function resultsOf({ namespaces, nodes }: ClusterReport): readonly RuleResult[] {
  return [
    ...namespaces.flatMap(({ name, status }) =>
      (status.findings ?? []).map(({ rule, workload, status: answer, accepted }): RuleResult => {
        const [kind = '', workloadName = ''] = workload.split(/\/(.*)/s);
        const subject = { kind, name: `${name}/${workloadName}` };
        return { rule, subject, status: answer, ...(accepted === undefined ? {} : { accepted: true }) };
      }),
    ),
    ...nodes.flatMap(({ name, status }) =>
      (status.rules ?? []).map(({ rule, status: answer }): RuleResult => ({
        rule,
        subject: { kind: 'Node', name },
        status: answer,
      })),
    ),
  ];
}
