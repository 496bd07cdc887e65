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
  return [...commentsAbove(text, lineStart, line), ...(beside === undefined ? [] : [{ text: beside, line }])];
}

/** The comment that begins after `from` on the same line, a colon or comma between. */
function commentAfter(text: string, from: number): string | undefined {
  const end = text.indexOf('\n', from);
  const rest = text.slice(from, end === -1 ? text.length : end);
  return /(?:^|[\s,:\]}])(#[^\r\0]*)/.exec(rest)?.[1];
}

/** The lines of comment directly above the line that starts at `lineStart`; `line` is its number. */
function commentsAbove(text: string, lineStart: number, line: number): readonly Comment[] {
  const comments: Comment[] = [];
  for (let end = lineStart - 1, number = line - 1; end > 0; number--) {
    const start = text.lastIndexOf('\n', end - 1) + 1;
    const content = text.slice(start, end).trim();
    if (!content.startsWith('#')) break;
    comments.unshift({ text: content, line: number });
    end = start - 1;
  }
  return comments;
}
