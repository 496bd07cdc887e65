import { POLICY_API_VERSION } from './policy.ts';
import { portablePath } from './fingerprint.ts';
import type { ManifestFinding, ManifestSubject } from './scan-finding.ts';

/** An accepted finding of an earlier run. */
export interface BaselineEntry {
  readonly fingerprint: string;
  readonly rule: string;
  readonly file: string;
  /** `DaemonSet kube-system/agent`, for people. */
  readonly subject: string;
  readonly field: string;
}

/** The findings a repository has lived with when it began to be judged (docs/baseline.md). */
export interface Baseline {
  readonly apiVersion: typeof POLICY_API_VERSION;
  readonly kind: 'Baseline';
  readonly findings: readonly BaselineEntry[];
}

export type ParsedBaseline =
  | { readonly ok: true; readonly baseline: Baseline }
  /** `findings[3].fingerprint must be 64 hex digits` */
  | { readonly ok: false; readonly error: string };

/**
 * A baseline of all findings that nothing else accepts. `kept` are entries of the baseline before that this run could not judge
 * (`ManifestJudgement.notJudged`). Sorted, so that its changes read well in a diff.
 */
export function createBaseline(findings: readonly ManifestFinding[], kept: readonly BaselineEntry[] = []): Baseline {
  const entries = findings
    .filter(({ accepted }) => accepted === undefined || accepted.by === 'baseline')
    .map(({ fingerprint, rule, subject, place, field }) => ({
      fingerprint,
      rule,
      file: portablePath(place.file),
      subject: subjectText(subject),
      field,
    }));
  const unique = new Map([...kept, ...entries].map((entry) => [entry.fingerprint, entry]));
  return {
    apiVersion: POLICY_API_VERSION,
    kind: 'Baseline',
    findings: [...unique.values()].toSorted((a, b) => compare(sortKey(a), sortKey(b))),
  };
}

/** The text of a baseline file. */
export function serializeBaseline(baseline: Baseline): string {
  return `${JSON.stringify(baseline, undefined, 2)}\n`;
}

/** Reads a baseline from the object JSON.parse made of its file. */
export function parseBaseline(value: unknown): ParsedBaseline {
  if (!isFields(value) || value['apiVersion'] !== POLICY_API_VERSION || value['kind'] !== 'Baseline')
    return { ok: false, error: `is not a Baseline of ${POLICY_API_VERSION}` };
  const { findings } = value;
  if (!Array.isArray(findings)) return { ok: false, error: 'findings must be a list' };
  const entries: BaselineEntry[] = [];
  for (const [index, item] of findings.entries()) {
    const entry = readEntry(item);
    if (typeof entry === 'string') return { ok: false, error: `findings[${index}]${entry}` };
    entries.push(entry);
  }
  return { ok: true, baseline: { apiVersion: POLICY_API_VERSION, kind: 'Baseline', findings: entries } };
}

/** What a run judged: only of that can it be said that an entry is gone. */
export interface BaselineScope {
  readonly rules: ReadonlySet<string>;
  /** Ids of the whole catalogue: an entry of a rule that is no more is gone as well. */
  readonly knownRules: ReadonlySet<string>;
  /** Files that were read, when there are others that were not. */
  readonly files?: ReadonlySet<string>;
  /** Files that could not be read whole. */
  readonly unjudged: ReadonlySet<string>;
}

export interface BaselineMatches {
  readonly known: ReadonlySet<ManifestFinding>;
  readonly fixed: readonly BaselineEntry[];
  readonly notJudged: readonly BaselineEntry[];
}

/** Compares the findings of a run with the baseline. */
export function applyBaseline(
  { findings: entries }: Baseline,
  findings: readonly ManifestFinding[],
  scope: BaselineScope,
): BaselineMatches {
  const accepted = new Set(entries.map((entry) => entry.fingerprint));
  const found = new Set(findings.map((finding) => finding.fingerprint));
  const missing = entries.filter((entry) => !found.has(entry.fingerprint));
  const [fixed, notJudged] = [
    missing.filter((entry) => wasJudged(entry, scope)),
    missing.filter((entry) => !wasJudged(entry, scope)),
  ];
  return { known: new Set(findings.filter((finding) => accepted.has(finding.fingerprint))), fixed, notJudged };
}

/** `DaemonSet kube-system/agent` */
export function subjectText({ kind, namespace, name }: ManifestSubject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function wasJudged({ rule, file }: BaselineEntry, { rules, knownRules, files, unjudged }: BaselineScope): boolean {
  if (!knownRules.has(rule)) return true;
  return rules.has(rule) && !unjudged.has(file) && (files === undefined || files.has(file));
}

function readEntry(item: unknown): BaselineEntry | string {
  if (!isFields(item)) return ' must be an object';
  const { fingerprint } = item;
  if (typeof fingerprint !== 'string' || !/^[0-9a-f]{64}$/.test(fingerprint))
    return '.fingerprint must be 64 hex digits';
  const texts = { rule: '', file: '', subject: '', field: '' };
  for (const key of ['rule', 'file', 'subject', 'field'] as const) {
    const text = item[key];
    if (typeof text !== 'string') return `.${key} must be a text`;
    texts[key] = text;
  }
  return { fingerprint, ...texts };
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortKey({ file, subject, field, rule, fingerprint }: BaselineEntry): string {
  return [file, subject, field, rule, fingerprint].join('\0');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
