import type { JudgedFor } from '../core/rule.ts';
import { containersOf, type FieldPath, type PodSpec, type Workload } from '../core/workload.ts';
import { obstaclesToAdoption } from '../cluster/adoption-obstacles.ts';
import type { ManifestEdit } from '../manifests/index.ts';
import { FIXABLE_RULES, type FixableRule } from './fixable-rules.ts';

/** The edits for one workload, and why a rule gets none. */
export interface PlannedEdits {
  readonly edits: readonly ManifestEdit[];
  readonly refused: readonly { readonly rule: FixableRule; readonly reason: string }[];
}

const HOST_FIELDS = {
  'host-pid-namespace': 'hostPID',
  'host-ipc-namespace': 'hostIPC',
  'host-network-namespace': 'hostNetwork',
  'host-uts-namespace': 'hostUTS',
} as const;

/** What to edit so that a workload complies with the rules it breaks. `broken` are those among the fixable that were asked for. */
export function planEdits(workload: Workload, broken: ReadonlySet<string>, target: JudgedFor): PlannedEdits {
  const rules = FIXABLE_RULES.filter((rule) => broken.has(rule));
  const removals = rules.flatMap((rule) => removalsFor(rule, workload.podSpec));
  const edits: ManifestEdit[] = removals.map((path) => ({ path, remove: true }));
  if (!rules.includes('user-namespace')) return { edits, refused: [] };
  if (workload.platform === 'docker') return { edits: [...edits, { path: ['hostUsers'], remove: true }], refused: [] };
  // What the other edits take away no longer stands in the way.
  const obstacles = obstaclesToAdoption({ ...workload, podSpec: without(workload.podSpec, removals) }, target).filter(
    ({ effect }) => effect !== 'unknown',
  );
  const reason = obstacles.map(({ message }) => message).join('; ');
  return obstacles.length > 0
    ? { edits, refused: [{ rule: 'user-namespace', reason }] }
    : { edits: [...edits, { path: ['hostUsers'], set: false }], refused: [] };
}

function removalsFor(rule: FixableRule, podSpec: PodSpec): readonly FieldPath[] {
  if (rule === 'user-namespace') return [];
  if (rule !== 'unmasked-proc-mount') return [[HOST_FIELDS[rule]]];
  return containersOf(podSpec).flatMap(({ container, path }) => {
    const { procMount } = container.securityContext ?? {};
    return procMount === undefined || procMount === 'Default' ? [] : [[...path, 'securityContext', 'procMount']];
  });
}

function without(podSpec: PodSpec, removals: readonly FieldPath[]): PodSpec {
  const gone = new Set(removals.map(([field]) => field));
  return Object.fromEntries(
    Object.entries(podSpec).filter(([field]) => !gone.has(field) || LISTS.includes(field)),
  ) as unknown as PodSpec;
}

/** An edit within a container takes no container away. */
const LISTS = ['containers', 'initContainers', 'ephemeralContainers'];
