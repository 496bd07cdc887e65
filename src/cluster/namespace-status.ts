import { SEVERITIES } from '../core/finding.ts';
import type { AdoptionFloor, AuditPolicy } from '../core/policy.ts';
import type { JudgedFor } from '../core/rule.ts';
import { compileGlob, type Glob } from '../core/exception-glob.ts';
import { compareText } from '../core/text.ts';
import { MAX_BLOCKERS, MAX_FINDINGS } from '../resources/limits.ts';
import type { Blocker, NamespaceAuditStatus, NamespaceFinding, PodCounts } from '../resources/namespace-audit.ts';
import { type AdoptionStanding, judgeAdoption } from './adoption-plan.ts';
import type { ClusterExceptions } from './cluster-exceptions.ts';
import { asWorkload, POD_STATES, type PodState } from './judgement.ts';
import { addFindings, currentFindings, type Group, type NamespaceState, noFindings } from './namespace-state.ts';
import type { PodShape } from './pod.ts';

/** The status of a NamespaceAudit without what only its writer knows: times and transitions. */
export type NamespaceSummary = Omit<NamespaceAuditStatus, 'observedTime' | 'conditions'> & {
  /** A list was cut. */
  readonly truncated: boolean;
};

export interface SummaryContext {
  readonly exceptions: ClusterExceptions;
  readonly policy: AuditPolicy | undefined;
  readonly target: JudgedFor;
  /** What each shape is known to need, kept between summaries. */
  readonly standings: StandingCache;
}

export type StandingCache = WeakMap<PodShape, Standing>;

interface Standing {
  readonly standing: AdoptionStanding;
  readonly obstacles: readonly string[];
}

/** Sums up a namespace. Lists are sorted, so that the order of events shows nowhere but in the names of examples. */
export function summarizeNamespace(namespace: NamespaceState, context: SummaryContext): NamespaceSummary {
  const pods = countsOf(namespace.pods);
  const findings = findingsOf(namespace, context.exceptions);
  const adoption = adoptionOf(namespace, context);
  const totals = noFindings();
  addFindings(totals, namespace.findings.values());
  const unknown = [...namespace.unknown]
    .map(([reason, count]) => ({ reason, pods: count }))
    .toSorted((a, b) => b.pods - a.pods || compareText(a.reason, b.reason));
  const floor = floorOf(namespace.name, pods, context.policy?.floors ?? []);
  const percent = adoptionPercent(pods);
  return {
    pods,
    ...(percent === undefined ? {} : { adoptionPercent: percent }),
    ...(unknown.length > 0 ? { unknown } : {}),
    workloads: adoption.workloads,
    findingTotals: { ...totals },
    findings: findings.slice(0, MAX_FINDINGS),
    blockers: adoption.blockers.slice(0, MAX_BLOCKERS),
    ...(floor ? { floor } : {}),
    truncated: findings.length > MAX_FINDINGS || adoption.blockers.length > MAX_BLOCKERS,
  };
}

/** The counts as the resource has them, with their sum. */
export function countsOf(states: Readonly<Record<PodState, number>>): PodCounts {
  return { running: POD_STATES.reduce((sum, state) => sum + states[state], 0), ...states };
}

/** Rounded down: 100 means every single one. */
export function adoptionPercent({ running, private: adopted }: PodCounts): number | undefined {
  return running === 0 ? undefined : Math.floor((adopted / running) * 100);
}

function findingsOf(namespace: NamespaceState, exceptions: ClusterExceptions): readonly NamespaceFinding[] {
  const findings: NamespaceFinding[] = [];
  for (const group of namespace.groups.values())
    for (const { finding, pods, example } of currentFindings(group)) {
      const { rule, severity, status, message, fix } = finding;
      const accepted = exceptions.acceptedBy(group, rule)?.reason;
      findings.push({
        rule,
        severity,
        status,
        workload: cut(group.workload, 320),
        pods,
        message: cut(message, 1024),
        ...(fix === undefined ? {} : { fix: cut(fix, 1024) }),
        example,
        ...(accepted === undefined ? {} : { accepted }),
      });
    }
  return findings.sort(compareFindings);
}

/** What nobody has accepted first, failures before doubts, the worst before the mild. */
function compareFindings(a: NamespaceFinding, b: NamespaceFinding): number {
  return (
    Number(a.accepted !== undefined) - Number(b.accepted !== undefined) ||
    Number(a.status === 'unknown') - Number(b.status === 'unknown') ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    compareText(a.rule, b.rule) ||
    compareText(a.workload, b.workload)
  );
}

function adoptionOf(
  namespace: NamespaceState,
  context: SummaryContext,
): { readonly workloads: NonNullable<NamespaceAuditStatus['workloads']>; readonly blockers: readonly Blocker[] } {
  const workloads = { adopted: 0, ready: 0, blocked: 0 };
  const blockers = new Map<string, { workloads: number; example: string }>();
  for (const group of namespace.groups.values()) {
    const shape = shapeOf(group);
    if (!shape) continue;
    const { standing, obstacles } = standingOf(shape, context);
    if (standing === 'not-applicable') continue;
    workloads[standing === 'adopted' || standing === 'ready' ? standing : 'blocked'] += 1;
    if (standing === 'adopted') continue;
    for (const reason of obstacles) {
      const known = blockers.get(reason);
      if (!known) blockers.set(reason, { workloads: 1, example: group.workload });
      else {
        known.workloads += 1;
        if (compareText(group.workload, known.example) < 0) known.example = group.workload;
      }
    }
  }
  return {
    workloads,
    blockers: [...blockers]
      .map(([reason, { workloads: count, example }]) => ({ reason, workloads: count, example: cut(example, 320) }))
      .sort((a, b) => b.workloads - a.workloads || compareText(a.reason, b.reason)),
  };
}

/** What most of its pods look like; of as many the newest. Pods that have ended count no more. */
function shapeOf({ judgements }: Group): PodShape | undefined {
  const counts = new Map<PodShape, number>();
  for (const [{ ended, shape }, pods] of judgements)
    if (ended !== true) counts.set(shape, (counts.get(shape) ?? 0) + pods);
  let most: PodShape | undefined;
  for (const [shape, pods] of counts) {
    const before = most === undefined ? 0 : (counts.get(most) ?? 0);
    if (most === undefined || pods > before || (pods === before && shape.id > most.id)) most = shape;
  }
  return most;
}

function standingOf(shape: PodShape, { target, standings }: SummaryContext): Standing {
  const known = standings.get(shape);
  if (known) return known;
  const { standing, obstacles } = judgeAdoption(asWorkload(shape.spec), target);
  const judged = { standing, obstacles: [...new Set(obstacles.map(({ message }) => cut(message, 512)))] };
  standings.set(shape, judged);
  return judged;
}

/** The floor that asks for most, where several speak of a namespace. */
export function floorOf(
  namespace: string,
  pods: PodCounts,
  floors: readonly AdoptionFloor[],
): NamespaceAuditStatus['floor'] | undefined {
  const own = prepared(floors).flatMap(({ floor, globs }) => (globs.some((glob) => glob(namespace)) ? [floor] : []));
  if (own.length === 0) return undefined;
  const minPrivatePods = most(own.map((floor) => floor.minPrivatePods));
  const minAdoptionPercent = most(own.map((floor) => floor.minAdoptionPercent));
  // A namespace in which nothing runs has no share that could be too small.
  const percent = adoptionPercent(pods) ?? 100;
  return {
    ...(minPrivatePods === undefined ? {} : { minPrivatePods }),
    ...(minAdoptionPercent === undefined ? {} : { minAdoptionPercent }),
    met: pods.private >= (minPrivatePods ?? 0) && percent >= (minAdoptionPercent ?? 0),
  };
}

interface PreparedFloor {
  readonly floor: AdoptionFloor;
  readonly globs: readonly Glob[];
}

const FLOORS = new WeakMap<readonly AdoptionFloor[], readonly PreparedFloor[]>();

/** The patterns of a policy are made ready once, not for every namespace. */
function prepared(floors: readonly AdoptionFloor[]): readonly PreparedFloor[] {
  const known = FLOORS.get(floors);
  if (known) return known;
  const ready = floors.map((floor) => ({ floor, globs: floor.namespaces.map(compileGlob) }));
  FLOORS.set(floors, ready);
  return ready;
}

function most(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** Texts of the API have a greatest length. Half of a surrogate pair would come back from the API server as something else. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
