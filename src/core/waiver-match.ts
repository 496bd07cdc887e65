import { hasExpired } from './expiry-date.ts';
import { portablePath } from './fingerprint.ts';
import type { ManifestFinding, ScanProblem } from './scan-finding.ts';
import {
  parseWaiverAnnotations,
  parseWaiverComment,
  type ParsedWaivers,
  type Waiver,
  type WaiverComment,
} from './waiver.ts';
import type { FieldPath, Place, SecurityContextConstraints, Workload } from './workload.ts';

/** A finding with what it was found in. */
export interface PlacedFinding {
  readonly finding: ManifestFinding;
  readonly source: Workload | SecurityContextConstraints;
  /** Relative to the pod spec, or to the SCC. */
  readonly path: FieldPath;
}

/** Comments that belong to a field, as the reader of the file knows them (`commentsAt` of src/manifests). */
export type CommentsAt = (
  source: Workload | SecurityContextConstraints,
  path: FieldPath,
) => readonly { readonly text: string; readonly line: number }[];

export interface WaiverInput {
  readonly findings: readonly PlacedFinding[];
  readonly sources: readonly (Workload | SecurityContextConstraints)[];
  /** Every comment of the files that speaks to this tool: without them unused ones are not known. */
  readonly comments: readonly WaiverComment[];
  readonly commentsAt?: CommentsAt;
  /** Ids of the rules that were asked. */
  readonly asked: ReadonlySet<string>;
  /** Ids of the whole catalogue. */
  readonly known: ReadonlySet<string>;
  readonly today: string;
}

export interface WaiverMatches {
  /** The reason by which a finding is accepted. */
  readonly reasons: ReadonlyMap<ManifestFinding, string>;
  readonly problems: readonly ScanProblem[];
}

/** One waiver at its place; `used` is set by the findings it names. */
interface PlacedWaiver {
  readonly waiver: Waiver;
  readonly place: Place;
  used: boolean;
}

/** Gives every finding the waiver that names it, and remarks on waivers that are none, have expired, or are not needed. */
export function matchWaivers(input: WaiverInput): WaiverMatches {
  const problems: ScanProblem[] = [];
  const read = ({ waivers, flaws }: ParsedWaivers, place: Place): readonly PlacedWaiver[] => {
    problems.push(...flaws.map(({ kind, message }) => ({ kind, message, place, fatal: false })));
    return waivers.map((waiver) => ({ waiver, place, used: false }));
  };
  const annotated = new Map(
    input.sources.map((source) => [
      source,
      parseWaiverAnnotations(source.annotations ?? {}).flatMap(({ key, ...parsed }) =>
        read(parsed, placeOfAnnotation(source, key)),
      ),
    ]),
  );
  const commented = readComments(input, read);
  const reasons = new Map<ManifestFinding, string>();
  for (const { finding, source, path } of input.findings) {
    const candidates = [...(annotated.get(source) ?? []), ...commented({ finding, source, path })];
    for (const placed of candidates.filter(({ waiver }) => waiver.rule === finding.rule)) {
      placed.used = true;
      if (!hasExpired(placed.waiver.until, input.today) && !reasons.has(finding))
        reasons.set(finding, placed.waiver.reason);
    }
  }
  const all = [...[...annotated.values()].flat(), ...commented.all()];
  return { reasons, problems: [...problems, ...all.flatMap((placed) => remarksOn(placed, input))] };
}

interface CommentLookup {
  (placed: PlacedFinding): readonly PlacedWaiver[];
  all(): readonly PlacedWaiver[];
}

/** Comments by where they stand and by what they speak of; each is parsed once. */
function readComments(
  { comments, commentsAt }: WaiverInput,
  read: (parsed: ParsedWaivers, place: Place) => readonly PlacedWaiver[],
): CommentLookup {
  const byOwnLine = new Map<string, readonly PlacedWaiver[]>();
  const byTarget = new Map<string, PlacedWaiver[]>();
  const add = (text: string, place: Place): readonly PlacedWaiver[] => {
    const key = lineKey(place.file, place.line);
    const known = byOwnLine.get(key);
    if (known) return known;
    const parsed = parseWaiverComment(text);
    const placed = parsed ? read(parsed, place) : [];
    byOwnLine.set(key, placed);
    return placed;
  };
  for (const { text, place, line } of comments) {
    const key = lineKey(place.file, line);
    const targeted = byTarget.get(key) ?? [];
    targeted.push(...add(text, place));
    byTarget.set(key, targeted);
  }
  const lookup = ({ finding: { place }, source, path }: PlacedFinding): readonly PlacedWaiver[] => {
    const near = commentsAt?.(source, path) ?? [];
    const beside = near.flatMap(({ text, line }) =>
      add(text, { file: place.file, line, column: 1, endLine: line, endColumn: 1 }),
    );
    return [...new Set([...(byTarget.get(lineKey(place.file, place.line)) ?? []), ...beside])];
  };
  return Object.assign(lookup, { all: () => [...byOwnLine.values()].flat() });
}

function remarksOn({ waiver: { rule, until }, place, used }: PlacedWaiver, input: WaiverInput): readonly ScanProblem[] {
  const remark = (kind: ScanProblem['kind'], message: string) => [{ kind, message, place, fatal: false }];
  if (!input.known.has(rule)) return remark('unknown-rule', `a waiver names ${rule}, and no rule is called so`);
  if (hasExpired(until, input.today)) return remark('expired-waiver', `the waiver of ${rule} ended on ${until ?? ''}`);
  return used || !input.asked.has(rule)
    ? []
    : remark('unused-waiver', `the waiver of ${rule} is not needed: nothing breaks the rule here`);
}

function placeOfAnnotation(source: Workload | SecurityContextConstraints, key: string): Place {
  return source.locateAnnotation?.(key) ?? source.locate([]);
}

function lineKey(file: string, line: number): string {
  return `${portablePath(file)}:${line}`;
}
