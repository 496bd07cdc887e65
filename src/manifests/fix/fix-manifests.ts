import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Workload } from '../../core/workload.ts';
import type { Chunk } from '../chunk.ts';
import { parseChunk } from '../document.ts';
import type { Syntax } from '../document.ts';
import type { FixResult, ManifestEdit, Manifests, RefusedEdit, WorkloadEdits } from '../manifest.ts';
import { textOfInput } from '../read-manifests.ts';
import { isSyntaxFault } from '../syntax-error.ts';
import { sourceOf } from '../workload-source.ts';
import type { WorkloadSource } from '../workload-source.ts';
import { plainValue } from '../yaml/check.ts';
import { translateEdit } from './dialect.ts';
import { applyEdit } from './expected.ts';
import type { RootEdit } from './expected.ts';
import { helmHint } from './helm-hint.ts';
import { removeField, setField } from './splice.ts';
import type { Splice } from './splice.ts';

/** An edit that is to be made in a chunk. */
interface PlannedEdit {
  readonly workload: Workload;
  readonly edit: ManifestEdit;
  readonly rootIndex: number;
  readonly change: RootEdit;
}

interface Outcome {
  readonly applied: { readonly workload: Workload; readonly edit: ManifestEdit }[];
  readonly refused: RefusedEdit[];
}

/**
 * The new text of one file, all of whose edits are given at once: spliced into the old one, so that nothing else changes. Each
 * round of edits is read again, and what does not come to the same data but for the edits is refused. Writes nothing; throws
 * when the file is gone.
 */
export function fixManifests(manifests: Manifests, edits: readonly WorkloadEdits[]): FixResult {
  const { input } = manifests;
  const outcome: Outcome = { applied: [], refused: [] };
  if (input.origin === 'helm' || input.origin === 'kustomize') {
    for (const { workload, edit } of flatten(edits)) {
      outcome.refused.push({ workload, edit, reason: renderedReason(manifests, edit) });
    }
    return { before: '', text: '', ...outcome };
  }
  const before = textOfInput(manifests) ?? readFileSync(input.absolutePath, 'utf8');
  const byChunk = Map.groupBy(flatten(edits), ({ workload }) => sourceOf(workload)?.chunk);
  const changes: { readonly chunk: Chunk; readonly text: string }[] = [];
  for (const [chunk, planned] of byChunk) {
    const source = chunk && sourceOf(planned[0]?.workload ?? ({} as Workload));
    if (chunk === undefined || source === undefined) refuseAll(planned, 'it was not read from this file', outcome);
    else changes.push({ chunk, text: editChunk(chunk, source.syntax, planned, outcome) });
  }
  return { before, text: replaceChunks(before, changes), ...outcome };
}

function flatten(edits: readonly WorkloadEdits[]): readonly { workload: Workload; edit: ManifestEdit }[] {
  return edits.flatMap(({ workload, edits: own }) => own.map((edit) => ({ workload, edit })));
}

function refuseAll(
  edits: readonly { workload: Workload; edit: ManifestEdit }[],
  reason: string,
  { refused }: Outcome,
): void {
  for (const { workload, edit } of edits) refused.push({ workload, edit, reason });
}

function renderedReason({ input }: Manifests, edit: ManifestEdit): string {
  return input.origin === 'helm'
    ? helmHint(input, edit)
    : 'kustomize builds it: edit the file it comes from, or add a patch to the kustomization';
}

/** Edits one chunk in rounds, one edit of every workload in each: those of different workloads do not meet. */
function editChunk(
  chunk: Chunk,
  syntax: Syntax,
  edits: readonly { workload: Workload; edit: ManifestEdit }[],
  outcome: Outcome,
): string {
  const rounds: PlannedEdit[][] = [];
  for (const [workload, own] of Map.groupBy(edits, (edit) => edit.workload)) {
    let round = 0;
    for (const { edit } of own) {
      const source = sourceOf(workload);
      const change = source && translateEdit(source, edit);
      if (change === undefined || 'refused' in change) {
        outcome.refused.push({ workload, edit, reason: change?.refused ?? 'it was not read from this file' });
      } else {
        rounds[round] ??= [];
        rounds[round]?.push({ workload, edit, rootIndex: rootIndexOf(source), change });
        round++;
      }
    }
  }
  let current = chunk;
  for (const round of rounds) current = editRound(current, syntax, withoutConflicts(round, outcome), outcome);
  return current.text.slice(0, current.limit);
}

const HOST_NAMESPACES: readonly unknown[] = ['hostPID', 'hostIPC', 'hostNetwork'];

/** The edits of a round but for `hostUsers: false` where a host namespace could not be taken away: the two exclude each other. */
function withoutConflicts(round: readonly PlannedEdit[], outcome: Outcome): readonly PlannedEdit[] {
  const kept = outcome.refused.filter(({ edit }) => 'remove' in edit && HOST_NAMESPACES.includes(edit.path[0]));
  if (kept.length === 0) return round;
  const fields = new Map(kept.map(({ workload, edit }) => [workload, String(edit.path[0])] as const));
  return round.filter((planned) => {
    const field = 'set' in planned.edit && planned.edit.path[0] === 'hostUsers' ? fields.get(planned.workload) : undefined;
    if (field !== undefined) refuseAll([planned], `${field} stays, and the API server refuses both together`, outcome);
    return field === undefined;
  });
}

function rootIndexOf(source: WorkloadSource | undefined): number {
  return source?.rootIndex ?? 0;
}

/** Makes the edits of a round at once; where they do not come out right together, in halves, down to the one that does not. */
function editRound(chunk: Chunk, syntax: Syntax, round: readonly PlannedEdit[], outcome: Outcome): Chunk {
  const parsed = parseChunk(chunk, syntax);
  const splices: Splice[] = [];
  const made: PlannedEdit[] = [];
  for (const planned of round) {
    const root = parsed.roots[planned.rootIndex];
    if (root === undefined) continue;
    const { path, value } = planned.change;
    const spliced = value === undefined ? removeField(parsed, root, path) : setField(parsed, root, path, value);
    if (spliced === 'unchanged') continue;
    if ('refused' in spliced) refuseAll([planned], spliced.refused, outcome);
    else {
      splices.push(spliced);
      made.push(planned);
    }
  }
  if (made.length === 0) return chunk;
  const edited = spliceChunk(chunk, splices);
  const values = parsed.roots.map((root) => plainValue(parsed, root));
  if (edited !== undefined && comesOutRight(edited, syntax, values, made)) {
    for (const { workload, edit } of made) outcome.applied.push({ workload, edit });
    return edited;
  }
  if (made.length > 1) {
    const half = made.length >> 1;
    return editRound(editRound(chunk, syntax, made.slice(0, half), outcome), syntax, made.slice(half), outcome);
  }
  refuseAll(made, 'the edit would change other fields too, as by an anchor that others use: make it by hand', outcome);
  return chunk;
}

/** The chunk with its text replaced; undefined when splices overlap. */
function spliceChunk(chunk: Chunk, splices: readonly Splice[]): Chunk | undefined {
  const parts: string[] = [];
  let from = 0;
  let { limit } = chunk;
  for (const { start, end, text } of splices.toSorted((a, b) => a.start - b.start)) {
    if (start < from) return undefined;
    parts.push(chunk.text.slice(from, start), text);
    limit += text.length - (end - start);
    from = end;
  }
  return { ...chunk, text: parts.join('') + chunk.text.slice(from), limit };
}

/** `values`: of the documents before, which are changed here to what they must be after. */
function comesOutRight(
  edited: Chunk,
  syntax: Syntax,
  values: readonly unknown[],
  made: readonly PlannedEdit[],
): boolean {
  for (const { rootIndex, change } of made) applyEdit(values[rootIndex], change);
  try {
    const parsed = parseChunk(edited, syntax);
    return isDeepStrictEqual(
      parsed.roots.map((root) => plainValue(parsed, root)),
      values,
    );
  } catch (error) {
    if (!isSyntaxFault(error)) throw error;
    return false;
  }
}

/** Throws an Error when the file is no longer what was read. */
function replaceChunks(before: string, changes: readonly { readonly chunk: Chunk; readonly text: string }[]): string {
  if (changes.length === 0) return before;
  const bytes = Buffer.from(before);
  const parts: Buffer[] = [];
  let from = 0;
  for (const { chunk, text } of changes.toSorted((a, b) => a.chunk.byteStart - b.chunk.byteStart)) {
    const old = Buffer.from(chunk.text.slice(0, chunk.limit));
    const end = chunk.byteStart + old.length;
    if (!bytes.subarray(chunk.byteStart, end).equals(old)) {
      throw new Error('The file has changed since it was read, or is not UTF-8: nothing was edited, run again.');
    }
    parts.push(bytes.subarray(from, chunk.byteStart), Buffer.from(text));
    from = end;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]).toString('utf8');
}
