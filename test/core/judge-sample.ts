import { judgeManifests, type ManifestJudgement, type ManifestsToJudge } from '../../src/core/judge-manifests.ts';
import { LATEST_KUBERNETES_VERSION } from '../../src/core/pod-user-namespace.ts';
import type { Place, PodSpec, Workload } from '../../src/core/workload.ts';
import { MANIFEST_RULES, RULES } from '../../src/rules/index.ts';
import { PROFILES } from '../../src/rules/profiles/index.ts';
import { containerOf, textOf, workloadOf } from '../rules/workload-sample.ts';

export const TODAY = '2026-11-24';

export const RULE_IDS = RULES.map(({ id }) => id);

/** Judges with the real catalogue. */
export function judge(input: Partial<ManifestsToJudge>): ManifestJudgement {
  return judgeManifests({
    workloads: [],
    sccs: [],
    version: LATEST_KUBERNETES_VERSION,
    catalogue: { rules: MANIFEST_RULES, profiles: PROFILES, ruleIds: RULE_IDS },
    today: TODAY,
    ...input,
  });
}

export function placeAt(file: string, line: number, column = 1): Place {
  return { file, line, column, endLine: line, endColumn: column + 1 };
}

/**
 * A workload in a file, whose pod spec begins at `line`; its fields stand below in the order of their names. Nothing but what
 * `podSpec` says breaks a rule.
 */
export function workloadIn(
  file: string,
  line: number,
  podSpec: Partial<PodSpec>,
  overrides: Partial<Workload> = {},
): Workload {
  const clean = { hostUsers: false, containers: [containerOf('app')] };
  const workload = workloadOf({ ...clean, ...podSpec }, overrides);
  const order = (text: string): number => Object.keys(workload.podSpec).toSorted().indexOf(text) + 1;
  return {
    ...workload,
    fieldName: (path) => ['spec.template.spec', textOf(path)].filter((text) => text !== '').join('.'),
    locate: ([first, second]) =>
      placeAt(
        file,
        line + (first === undefined ? 0 : order(String(first))),
        typeof second === 'number' ? second + 2 : 1,
      ),
  };
}
