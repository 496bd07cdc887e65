import { compileGlob, type Glob } from './exception-glob.ts';
import { hasExpired } from './expiry-date.ts';
import { portablePath } from './fingerprint.ts';
import type { PolicyException } from './policy.ts';
import type { ManifestFinding, ManifestSubject, ScanProblem } from './scan-finding.ts';

/** How often an exception was needed. */
export interface ExceptionUse {
  readonly exception: PolicyException;
  /** Findings it names, whether or not something else accepts them too. */
  readonly matched: number;
  readonly expired: boolean;
}

/** A workload that was judged, and the file it stands in. */
export interface JudgedSubject {
  readonly subject: ManifestSubject;
  readonly file: string;
}

interface PreparedException {
  readonly exception: PolicyException;
  readonly expired: boolean;
  readonly covers: (judged: JudgedSubject) => boolean;
}

/** The answer of all exceptions to the findings of a run. */
export interface ExceptionMatches {
  readonly uses: readonly ExceptionUse[];
  /** The reason by which a finding is accepted, by its place in `findings`. */
  readonly reasons: ReadonlyMap<ManifestFinding, string>;
}

/** Matches every exception with every finding. An exception past its last day counts its matches and accepts nothing. */
export function matchExceptions(
  exceptions: readonly PolicyException[],
  findings: readonly ManifestFinding[],
  today: string,
): ExceptionMatches {
  const reasons = new Map<ManifestFinding, string>();
  const uses = exceptions.map((exception) => {
    const { covers, expired } = prepare(exception, today);
    const named = findings.filter(
      ({ rule, subject, place }) => namesRule(exception, rule) && covers({ subject, file: place.file }),
    );
    for (const finding of expired ? [] : named) if (!reasons.has(finding)) reasons.set(finding, exception.reason);
    return { exception, matched: named.length, expired };
  });
  return { uses, reasons };
}

/** What a run can tell of exceptions that did nothing. */
export interface ExceptionScope {
  readonly judged: readonly JudgedSubject[];
  /** Ids of the rules that were asked. */
  readonly rules: ReadonlySet<string>;
  readonly today: string;
  /** True when other files hold what an exception may be meant for. */
  readonly partial: boolean;
}

/** Remarks on exceptions that have expired, or that no finding needs any more. */
export function exceptionProblems(uses: readonly ExceptionUse[], scope: ExceptionScope): readonly ScanProblem[] {
  return uses.flatMap(({ exception, matched, expired }): readonly ScanProblem[] => {
    const about = `the exception for ${exception.rules.join(', ')} ("${exception.reason}")`;
    const remark = (kind: ScanProblem['kind'], message: string) => [
      { kind, message, place: exception.place, fatal: false },
    ];
    if (expired)
      return remark(
        'expired-exception',
        `${about} ended on ${exception.expires ?? ''}: ${count(matched, 'finding')} no longer accepted`,
      );
    if (matched > 0 || exception.namespaceSelector !== undefined || !wasAsked(exception, scope.rules)) return [];
    const { covers } = prepare(exception, scope.today);
    const covered = scope.judged.filter(covers).length;
    if (covered > 0)
      return remark(
        'unused-exception',
        `${about} is not needed: it covers ${count(covered, 'workload')}, and none breaks the rule`,
      );
    return scope.partial ? [] : remark('unused-exception', `${about} covers no workload that was read`);
  });
}

function prepare(exception: PolicyException, today: string): PreparedException {
  const namespaces = exception.namespaces?.map(compileGlob);
  const workloads = exception.workloads?.map(compileGlob);
  const files = exception.files?.map(compileGlob);
  return {
    exception,
    expired: hasExpired(exception.expires, today),
    covers: ({ subject: { kind, namespace, name }, file }) =>
      exception.namespaceSelector === undefined &&
      (exception.namespaces?.includes('*') === true || isCovered(namespaces, namespace)) &&
      isCovered(workloads, `${kind}/${name}`) &&
      isCovered(files, portablePath(file)),
  };
}

function isCovered(globs: readonly Glob[] | undefined, text: string | undefined): boolean {
  return globs === undefined || (text !== undefined && globs.some((glob) => glob(text)));
}

function namesRule({ rules }: PolicyException, rule: string): boolean {
  return rules.includes(rule) || rules.includes('*');
}

function wasAsked({ rules }: PolicyException, asked: ReadonlySet<string>): boolean {
  return rules.some((rule) => rule === '*' || asked.has(rule));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
