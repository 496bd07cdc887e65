import { hasExpired } from '../core/expiry-date.ts';
import { judgeManifests, type ManifestsToJudge } from '../core/judge-manifests.ts';
import type { ManifestFinding, ScanProblem } from '../core/scan-finding.ts';
import type { Workload } from '../core/workload.ts';
import { MANIFEST_RULES, RULES } from '../rules/index.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { userNamespace } from '../rules/user-namespace.ts';
import { userNamespaceConflict } from '../rules/user-namespace-conflict.ts';
import { userNamespaceIds } from '../rules/user-namespace-ids.ts';
import { userNamespaceVolumes } from '../rules/user-namespace-volumes.ts';
import type { Acceptance } from './adoption-evidence.ts';
import { stateOfException } from './cluster-status.ts';

/** The rules a plan speaks of. */
const PLAN_RULES = [userNamespace, userNamespaceConflict, userNamespaceIds, userNamespaceVolumes].map(({ id }) => id);

/** An exception of the policy that names a rule of the plan, and how it is used. */
export interface PlannedException {
  readonly rules: readonly string[];
  readonly reason: string;
  readonly state: ReturnType<typeof stateOfException>;
  /** Findings it names. */
  readonly matched: number;
  readonly expires?: string;
}

export interface PlanAcceptance {
  readonly acceptedOf: (workload: Workload) => readonly Acceptance[];
  readonly exceptions: readonly PlannedException[];
  /** Waivers and exceptions that are unused, have expired, or are none. */
  readonly problems: readonly ScanProblem[];
}

/** What is judged, as `judgeManifests` takes it. */
export type AcceptanceInput = Pick<
  ManifestsToJudge,
  'workloads' | 'version' | 'policy' | 'waiverComments' | 'today' | 'partial'
>;

/** Asks the rules of a plan as a scan does, and tells what waivers and exceptions of the policy accept of their findings. Pure. */
export function acceptanceOf(input: AcceptanceInput): PlanAcceptance {
  const { policy, today, workloads } = input;
  const { findings, exceptions, problems } = judgeManifests({
    ...input,
    sccs: [],
    catalogue: { rules: MANIFEST_RULES, profiles: PROFILES, ruleIds: RULES.map(({ id }) => id) },
    choice: { rules: PLAN_RULES },
  });
  const accepted = new Map<Workload, Acceptance[]>();
  const bySubject = Map.groupBy(workloads, subjectKey);
  for (const finding of findings) {
    const workload = finding.accepted && workloadOf(finding, bySubject);
    if (workload) accepted.set(workload, [...(accepted.get(workload) ?? []), acceptance(finding, policy, today)]);
  }
  return {
    acceptedOf: (workload) => accepted.get(workload) ?? [],
    exceptions: exceptions.flatMap(({ exception: { rules, reason, expires }, matched }) =>
      rules.some((rule) => rule === '*' || PLAN_RULES.includes(rule))
        ? [
            {
              rules,
              reason,
              state: stateOfException(expires, today, matched > 0),
              matched,
              ...(expires === undefined ? {} : { expires }),
            },
          ]
        : [],
    ),
    problems,
  };
}

function acceptance({ rule, accepted }: ManifestFinding, policy: AcceptanceInput['policy'], today: string): Acceptance {
  const { by = 'exception', reason = '' } = accepted ?? {};
  if (by !== 'exception') return { rule, by: 'waiver', reason };
  const ends = policy?.exceptions.find(
    ({ reason: given, rules, expires }) =>
      given === reason && (rules.includes(rule) || rules.includes('*')) && !hasExpired(expires, today),
  )?.expires;
  return {
    rule,
    by,
    reason,
    ...(ends === undefined ? {} : { expires: ends }),
    ...(stateOfException(ends, today, true) === 'expiring' ? { expiring: true } : {}),
  };
}

function subjectKey(workload: Workload): string {
  const { apiVersion, kind, namespace, name } = workload;
  return [apiVersion, kind, namespace ?? '', name, workload.locate([]).file].join('\0');
}

/** Twins of one name in one file are told apart by the place of the line they lack. */
function workloadOf(
  { subject: { apiVersion, kind, namespace, name }, place }: ManifestFinding,
  workloads: ReadonlyMap<string, readonly Workload[]>,
): Workload | undefined {
  const twins = workloads.get([apiVersion, kind, namespace ?? '', name, place.file].join('\0')) ?? [];
  if (twins.length < 2) return twins[0];
  return twins.find((workload) => {
    const { line, column } = workload.locate(['hostUsers']);
    return line === place.line && column === place.column;
  });
}
