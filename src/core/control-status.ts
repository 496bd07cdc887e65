import type { Status } from './finding.ts';
import type { Profile, ProfileControl } from './profile.ts';
import { compareText } from './text.ts';

/** What a rule answered on one subject, whichever kind of finding it came from. */
export interface RuleResult {
  readonly rule: string;
  readonly status: Status;
  readonly subject: ResultSubject;
  /** A waiver, an exception or a baseline accepts it: it does not fail the control, and is counted. */
  readonly accepted?: boolean;
}

export interface ResultSubject {
  /** `Node`, `Deployment`, `Container` … */
  readonly kind: string;
  /** Unique within its kind: `shop/web`. */
  readonly name: string;
  /** Subjects of one group are meant to be alike, as the nodes of a pool: where their answers differ, that is the finding. */
  readonly group?: string;
}

/** What is known of the rules, from all nodes and workloads a report is about. */
export interface ControlEvidence {
  readonly results: readonly RuleResult[];
  /** Ids of the rules that were asked, whether they found a subject or not. */
  readonly evaluated: ReadonlySet<string>;
}

/**
 * - `fail`: a subject fails, and no accepted deviation or inconsistency explains it.
 * - `inconsistent`: what fails is a part of a group that is meant to be alike.
 * - `unknown`: nothing fails, and something could not be judged, or a rule was not asked.
 * - `pass`: subjects were judged, and every failure among them is accepted.
 * - `not-applicable`: every rule was asked, and there is nothing it speaks of.
 * - `manual`: a person decides; the rules inform.
 */
export type ControlState = 'fail' | 'inconsistent' | 'unknown' | 'pass' | 'not-applicable' | 'manual';

/** Where subjects that are meant to be alike are not. */
export interface Inconsistency {
  readonly rule: string;
  readonly kind: string;
  readonly group: string;
  /** What most of them answer; where as many pass as fail, `pass`. */
  readonly majority: 'pass' | 'fail';
  /** Names of those that answer otherwise, sorted. */
  readonly deviating: readonly string[];
}

export interface ControlStatus {
  readonly control: ProfileControl;
  readonly state: ControlState;
  /** Answers by their status; accepted failures are counted as `accepted` alone. */
  readonly counts: Readonly<Record<Status | 'accepted', number>>;
  /** What fails and is not accepted, by rule and subject. */
  readonly failing: readonly RuleResult[];
  readonly inconsistencies: readonly Inconsistency[];
  /** Rules of the control that were not asked, sorted. */
  readonly notEvaluated: readonly string[];
}

export interface ProfileStatus {
  readonly profile: Profile;
  readonly controls: readonly ControlStatus[];
  readonly totals: Readonly<Record<ControlState, number>>;
}

/** Answers every control of a profile from what rules answered. Pure. */
export function judgeProfile(profile: Profile, evidence: ControlEvidence): ProfileStatus {
  const controls = profile.controls.map((control) => judgeControl(control, evidence));
  const totals = { fail: 0, inconsistent: 0, unknown: 0, pass: 0, 'not-applicable': 0, manual: 0 };
  for (const { state } of controls) totals[state] += 1;
  return { profile, controls, totals };
}

export function judgeControl(control: ProfileControl, { results, evaluated }: ControlEvidence): ControlStatus {
  const rules = new Set(control.rules);
  const own = results.filter(({ rule }) => rules.has(rule));
  const counts = { pass: 0, fail: 0, unknown: 0, 'not-applicable': 0, accepted: 0 };
  for (const result of own) counts[isAccepted(result) ? 'accepted' : result.status] += 1;
  const failing = own.filter((result) => result.status === 'fail' && !isAccepted(result)).toSorted(compareResults);
  const inconsistencies = findInconsistencies(own);
  const notEvaluated = control.rules.filter((rule) => !evaluated.has(rule)).toSorted();
  const plain = failing.filter((result) => !inconsistencies.some((found) => isPartOf(result, found)));
  return {
    control,
    state: stateOf(control, { counts, failures: plain.length, inconsistencies, notEvaluated }),
    counts,
    failing,
    inconsistencies,
    notEvaluated,
  };
}

interface Weighed {
  readonly counts: ControlStatus['counts'];
  /** Failures that no inconsistency explains. */
  readonly failures: number;
  readonly inconsistencies: readonly Inconsistency[];
  readonly notEvaluated: readonly string[];
}

/** From what outweighs to what is outweighed: unknown goes before pass, always. */
function stateOf(
  { assessment }: ProfileControl,
  { counts, failures, inconsistencies, notEvaluated }: Weighed,
): ControlState {
  if (assessment === 'manual') return 'manual';
  if (failures > 0) return 'fail';
  if (inconsistencies.length > 0) return 'inconsistent';
  if (counts.unknown > 0 || notEvaluated.length > 0) return 'unknown';
  return counts.pass + counts.accepted > 0 ? 'pass' : 'not-applicable';
}

/** Only a failure can be accepted: accepting what is unknown would make it pass. */
function isAccepted({ status, accepted }: RuleResult): boolean {
  return status === 'fail' && accepted === true;
}

function findInconsistencies(results: readonly RuleResult[]): readonly Inconsistency[] {
  const decided = results.filter((result) => ['pass', 'fail'].includes(result.status) && !isAccepted(result));
  const grouped = Map.groupBy(
    decided.filter(({ subject }) => subject.group !== undefined),
    ({ rule, subject }) => JSON.stringify([rule, subject.kind, subject.group]),
  );
  return [...grouped.values()].flatMap((members) => inconsistencyOf(members)).toSorted(compareInconsistencies);
}

function inconsistencyOf(members: readonly RuleResult[]): readonly Inconsistency[] {
  const [first] = members;
  const failed = members.filter(({ status }) => status === 'fail').length;
  if (first === undefined || failed === 0 || failed === members.length) return [];
  const majority = failed > members.length - failed ? 'fail' : 'pass';
  const deviating = members.filter(({ status }) => status !== majority).map(({ subject }) => subject.name);
  const { rule, subject } = first;
  return [{ rule, kind: subject.kind, group: subject.group ?? '', majority, deviating: deviating.toSorted() }];
}

function isPartOf({ rule, subject }: RuleResult, found: Inconsistency): boolean {
  return rule === found.rule && subject.kind === found.kind && subject.group === found.group;
}

function compareResults(a: RuleResult, b: RuleResult): number {
  return (
    compareText(a.rule, b.rule) ||
    compareText(a.subject.kind, b.subject.kind) ||
    compareText(a.subject.name, b.subject.name)
  );
}

function compareInconsistencies(a: Inconsistency, b: Inconsistency): number {
  return compareText(a.rule, b.rule) || compareText(a.kind, b.kind) || compareText(a.group, b.group);
}
