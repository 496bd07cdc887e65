import type { FieldPath, SecurityContextConstraints, Workload } from '../core/workload.ts';
import { nearestField } from './located.ts';
import type { Comment } from './manifest.ts';
import { positionOf } from './place.ts';
import { sourceOf } from './workload-source.ts';

/**
 * Comments on the line of a field of the pod spec (or SCC) and on the lines directly above it; of a missing field those of its
 * nearest parent. None for JSON, rendered charts, and what `readManifests` did not make.
 */
export function commentsAt(subject: Workload | SecurityContextConstraints, path: FieldPath): readonly Comment[] {
  const source = sourceOf(subject);
  if (source === undefined || source.syntax === 'json') return [];
  const { chunk, placeOf } = source;
  const { key, value } = nearestField(source, source.pathOf(path));
  const anchor = key ?? value;
  const span = { start: anchor.start, end: anchor.end };
  // A place that is not the line of the text is one of a template, whose comments are not these.
  const { line } = positionOf(chunk, anchor.start);
  if (placeOf(chunk, span).line !== line) return [];
  const { text } = chunk;
  const lineStart = text.lastIndexOf('\n', anchor.start - 1) + 1;
  const isOneLine = value.start >= anchor.start && !text.slice(anchor.start, value.end).includes('\n');
  const beside = commentAfter(text, isOneLine ? Math.max(value.end, anchor.end) : anchor.end);
  return [...commentsAbove(text.slice(0, lineStart), line), ...(beside === undefined ? [] : [{ text: beside, line }])];
}

/** The comment that begins after `from` on the same line, a colon or comma between. */
function commentAfter(text: string, from: number): string | undefined {
  const end = text.indexOf('\n', from);
  const rest = text.slice(from, end === -1 ? text.length : end);
  return /(?:^|[\s,:\]}])(#[^\r\0]*)/.exec(rest)?.[1];
}

function commentsAbove(text: string, line: number): readonly Comment[] {
  const lines = text.split(/\r\n|\n/).slice(0, -1);
  const last = lines.findLastIndex((content) => !content.trimStart().startsWith('#'));
  return lines
    .slice(last + 1)
    .map((content, index, { length }) => ({ text: content.trim(), line: line - length + index }));
}
