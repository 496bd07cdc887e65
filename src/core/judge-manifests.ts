import { applyBaseline, type Baseline, type BaselineEntry, type BaselineMatches } from './baseline.ts';
import { exceptionProblems, type ExceptionUse, type JudgedSubject, matchExceptions } from './exception.ts';
import { SEVERITIES, type Severity } from './finding.ts';
import { fingerprint, portablePath, stablePath } from './fingerprint.ts';
import type { AuditPolicy } from './policy.ts';
import type { Profile } from './profile.ts';
import type { ManifestRule, Violation } from './rule.ts';
import { type RuleChoice, type RuleSelection, type SelectedRule, selectRules } from './rule-selection.ts';
import type { ManifestFinding, ManifestSubject, ScanProblem } from './scan-finding.ts';
import type { WaiverComment } from './waiver.ts';
import { type CommentsAt, matchWaivers, type PlacedFinding } from './waiver-match.ts';
import type { KubernetesVersion, SecurityContextConstraints, Workload } from './workload.ts';
import { compareText } from './text.ts';

export type { ExceptionUse } from './exception.ts';
export type { RuleChoice } from './rule-selection.ts';

/** Everything a judgement over manifests depends on. */
export interface ManifestsToJudge {
  readonly workloads: readonly Workload[];
  readonly sccs: readonly SecurityContextConstraints[];
  readonly version: KubernetesVersion;
  /** `MANIFEST_RULES`, `PROFILES` and the ids of `RULES` of src/rules; a waiver may name a rule that does not judge manifests. */
  readonly catalogue: {
    readonly rules: readonly ManifestRule[];
    readonly profiles: readonly Profile[];
    readonly ruleIds: readonly string[];
  };
  readonly choice?: RuleChoice;
  readonly policy?: AuditPolicy;
  readonly baseline?: Baseline;
  /** Every waiver comment of the files read (`findWaiverComments`). */
  readonly waiverComments?: readonly WaiverComment[];
  /** Comments of a field, where the reader knows them better than by their line. */
  readonly commentsAt?: CommentsAt;
  /** `2026-11-24`: what expiry dates are compared with. */
  readonly today: string;
  /** True when only a part of the tree was read, as a pre-commit hook does: what lies outside is then neither unused nor fixed. */
  readonly partial?: boolean;
  /** Files that could not be read whole: their entries of the baseline are not taken for fixed. */
  readonly unjudgedFiles?: readonly string[];
}

export interface ManifestJudgement {
  /** Worst first, then by file, line and rule. Accepted ones are among them, with `accepted` set. */
  readonly findings: readonly ManifestFinding[];
  /** Remarks on waivers and exceptions; none is fatal. By place. */
  readonly problems: readonly ScanProblem[];
  /** Entries of the baseline that are no longer found. */
  readonly fixed: readonly BaselineEntry[];
  /** Entries of the baseline this run could not judge: `createBaseline` keeps them. */
  readonly notJudged: readonly BaselineEntry[];
  readonly exceptions: readonly ExceptionUse[];
  /** How many workloads no open finding is about. */
  readonly clean: number;
}

/** Judges manifests by the chosen rules, and marks what waivers, exceptions and the baseline accept. Pure. */
export function judgeManifests(input: ManifestsToJudge): ManifestJudgement {
  const { workloads, sccs, catalogue, version, choice, policy, today, partial = false } = input;
  const selection = selectRules(catalogue, version, choice, policy);
  const { found, repeated } = findViolations(input, selection);
  const findings = found.map(({ finding }) => finding);
  const sources = [...workloads, ...sccs];
  // Only what is named in a policy or a baseline is looked for by its file, and to tell files a reader may have to parse again.
  const judged = (policy ?? (input.baseline && partial)) ? sources.map(judgedSubject) : [];
  const asked = new Set(selection.rules.map(({ rule }) => rule.id));
  const known = new Set(catalogue.ruleIds);
  const waivers = matchWaivers({
    findings: found,
    sources,
    comments: input.waiverComments ?? [],
    ...(input.commentsAt ? { commentsAt: input.commentsAt } : {}),
    asked,
    known,
    today,
  });
  const exceptions = matchExceptions(policy?.exceptions ?? [], findings, today);
  const baseline = matchBaseline(input, { findings, judged, asked, known });
  const judgedFindings = findings.map((finding) => {
    const accepted = acceptance(finding, waivers.reasons, exceptions.reasons, baseline.known);
    return accepted ? { ...finding, accepted } : finding;
  });
  return {
    findings: judgedFindings.toSorted(compareFindings),
    clean: countClean(workloads, { found, findings: judgedFindings, repeated }),
    problems: [
      ...waivers.problems,
      ...exceptionProblems(exceptions.uses, { judged, rules: asked, today, partial }),
    ].toSorted((a, b) => comparePlaces(a, b) || compareText(a.message, b.message)),
    fixed: baseline.fixed,
    notJudged: baseline.notJudged,
    exceptions: exceptions.uses,
  };
}

function judgedSubject(source: Workload | SecurityContextConstraints): JudgedSubject {
  return { subject: subjectOf(source), file: source.locate([]).file };
}

interface Judged {
  readonly findings: readonly ManifestFinding[];
  readonly judged: readonly JudgedSubject[];
  readonly asked: ReadonlySet<string>;
  readonly known: ReadonlySet<string>;
}

function matchBaseline(
  { baseline, partial, unjudgedFiles = [] }: ManifestsToJudge,
  { findings, judged, asked, known }: Judged,
): BaselineMatches {
  if (!baseline) return { known: new Set(), fixed: [], notJudged: [] };
  return applyBaseline(baseline, findings, {
    rules: asked,
    knownRules: known,
    unjudged: new Set(unjudgedFiles.map(portablePath)),
    ...(partial ? { files: new Set(judged.map(({ file }) => portablePath(file))) } : {}),
  });
}

/** A waiver stands nearest to what it accepts and is the one named; the baseline is the last to be asked. */
function acceptance(
  finding: ManifestFinding,
  waived: ReadonlyMap<ManifestFinding, string>,
  excepted: ReadonlyMap<ManifestFinding, string>,
  known: ReadonlySet<ManifestFinding>,
): ManifestFinding['accepted'] {
  const waiver = waived.get(finding);
  if (waiver !== undefined) return { by: 'waiver', reason: waiver };
  const exception = excepted.get(finding);
  if (exception !== undefined) return { by: 'exception', reason: exception };
  return known.has(finding) ? { by: 'baseline', reason: 'known since the baseline was made' } : undefined;
}

/** Workloads without an open finding, be it one that is told of another. */
function countClean(
  workloads: readonly Workload[],
  {
    found,
    findings,
    repeated,
  }: {
    readonly found: readonly PlacedFinding[];
    readonly findings: readonly ManifestFinding[];
    readonly repeated: readonly Found[];
  },
): number {
  const open = findings.filter(({ accepted }) => accepted === undefined);
  const told = new Set(repeated.length === 0 ? [] : open.map((finding) => identityOf(finding.rule, finding.place)));
  const stained = new Set([
    ...found.filter((_, index) => findings[index]?.accepted === undefined).map(({ source }) => source),
    ...repeated.filter((one) => told.has(identityOf(one.rule.id, one.place))).map(({ source }) => source),
  ]);
  return workloads.filter((workload) => !stained.has(workload)).length;
}

/** A violation before it is known how many like it there are. */
interface Found {
  readonly source: Workload | SecurityContextConstraints;
  readonly subject: ManifestSubject;
  readonly rule: ManifestRule;
  readonly severity: Severity;
  readonly violation: Violation;
  readonly stable: string;
  readonly place: ManifestFinding['place'];
}

/** One workload after the other, for the reader that tells places holds on to the last document it was asked for. */
function findViolations(
  { workloads, sccs }: ManifestsToJudge,
  { rules, target }: RuleSelection,
): { readonly found: readonly PlacedFinding[]; readonly repeated: readonly Found[] } {
  const found = [
    ...workloads.flatMap((workload) => {
      const ask = ({ rule }: SelectedRule): Iterable<Violation> =>
        rule.kind === 'workload' ? rule.check(workload, target) : [];
      return violationsIn(workload, workload.podSpec, rules, ask);
    }),
    ...sccs.flatMap((scc) => violationsIn(scc, scc, rules, ({ rule }) => (rule.kind === 'scc' ? rule.check(scc) : []))),
  ];
  const ordered = found.toSorted(comparePlaces);
  const repeated = repeatedIn(ordered);
  return { found: numberAlike(ordered.filter((one) => !repeated.has(one))), repeated: [...repeated] };
}

/** What was found in a derived workload too, at the very place where it is told of another. */
function repeatedIn(found: readonly Found[]): ReadonlySet<Found> {
  const derived = found.filter(({ source }) => 'podSpec' in source && source.derived === true);
  if (derived.length === 0) return new Set();
  const others = new Set(derived);
  const identity = (one: Found): string => identityOf(one.rule.id, one.place);
  const told = new Set(found.filter((one) => !others.has(one)).map(identity));
  return new Set(
    derived.filter((one) => {
      const isTold = told.has(identity(one));
      told.add(identity(one));
      return isTold;
    }),
  );
}

function identityOf(rule: string, { file, line, column }: ManifestFinding['place']): string {
  return [rule, file, line, column].join('\0');
}

function violationsIn(
  source: Workload | SecurityContextConstraints,
  root: unknown,
  rules: readonly SelectedRule[],
  ask: (selected: SelectedRule) => Iterable<Violation>,
): readonly Found[] {
  const subject = subjectOf(source);
  return rules.flatMap((selected) =>
    Array.from(ask(selected), (violation) => ({
      source,
      subject,
      rule: selected.rule,
      severity: selected.severity ?? violation.severity ?? selected.rule.severity,
      violation,
      stable: stablePath(violation.path, root),
      place: source.locate(violation.path),
    })),
  );
}

/** Gives findings that are alike but for their place a number, so that each has a fingerprint of its own. */
function numberAlike(found: readonly Found[]): readonly PlacedFinding[] {
  const counts = new Map<string, number>();
  return found.map(({ source, subject, rule, severity, violation, stable, place }): PlacedFinding => {
    const identity = { rule: rule.id, file: place.file, subject, field: stable };
    const key = JSON.stringify([rule.id, place.file, subject, stable]);
    const occurrence = counts.get(key) ?? 0;
    counts.set(key, occurrence + 1);
    return {
      source,
      path: violation.path,
      finding: {
        rule: rule.id,
        severity,
        subject,
        message: violation.message,
        ...(violation.fix === undefined ? {} : { fix: violation.fix }),
        field: source.fieldName(violation.path),
        place,
        // The text of a small scan shows none, and hashing cold code takes longer than judging.
        get fingerprint() {
          return fingerprint({ ...identity, occurrence });
        },
      },
    };
  });
}

function subjectOf(source: Workload | SecurityContextConstraints): ManifestSubject {
  if (!('podSpec' in source))
    return { apiVersion: 'security.openshift.io/v1', kind: 'SecurityContextConstraints', name: source.name };
  const { apiVersion, kind, namespace, name } = source;
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name };
}

function compareFindings(a: ManifestFinding, b: ManifestFinding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    comparePlaces(a, b) ||
    compareText(a.rule, b.rule) ||
    compareText(a.field, b.field) ||
    compareText(a.fingerprint, b.fingerprint)
  );
}

type Placed = Pick<ManifestFinding, 'place'>;

function comparePlaces({ place: a }: Placed, { place: b }: Placed): number {
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column;
}
