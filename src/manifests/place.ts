import type { Place } from '../core/workload.ts';
import type { Chunk } from './chunk.ts';
import type { FoundField } from './document.ts';
import { NODE } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';

/** A span of a chunk's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Turns a span of a chunk into a place of a file. Rendered inputs point to the template instead. */
export type PlaceOf = (chunk: Chunk, span: Span) => Place;

let latest: { readonly chunk: Chunk; readonly starts: readonly number[] } | undefined;

/** Offsets at which the lines of a chunk start; kept for the latest one, as places are asked for chunk by chunk. */
function lineStarts(chunk: Chunk): readonly number[] {
  if (latest?.chunk === chunk) return latest.starts;
  const starts = [0];
  const { text } = chunk;
  if (text.includes('\r')) {
    for (const { index, 0: mark } of text.matchAll(/\r\n|\r|\n/g)) starts.push(index + mark.length);
  } else {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  }
  latest = { chunk, starts };
  return starts;
}

/** Line (from 1, within the file) and column (from 1, in UTF-16 units) of an offset in a chunk. */
export function positionOf(chunk: Chunk, offset: number): { readonly line: number; readonly column: number } {
  const starts = lineStarts(chunk);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const start = starts[low] ?? 0;
  // The closing byte order mark of a chunk's first line takes no column.
  const hidden = start === 0 && chunk.text.charCodeAt(0) === 0xfeff ? 1 : 0;
  return { line: chunk.line + low, column: Math.max(offset - start - hidden, 0) + 1 };
}

/** The place of a span in its own file. */
export function placeIn(file: string, chunk: Chunk, { start, end }: Span): Place {
  const from = positionOf(chunk, start);
  const to = positionOf(chunk, Math.max(end, start));
  return { file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
}

/**
 * What of a field is pointed at. An offending field: from its key to the end of its value, where the value is a scalar, an alias
 * or in brackets on one line; of a block only its key, of a list's element its first key. The parent of a missing field: its key.
 */
export function spanOf(text: string, { key, value }: FoundField, missing: boolean): Span {
  if (key === undefined) return firstLine(text, value);
  const sameText = value.start >= key.start;
  const oneLine = sameText && !text.slice(key.start, value.end).includes('\n');
  const whole = sameText && !missing && (oneLine || value.type === NODE.SCALAR || value.type === NODE.ALIAS);
  return { start: key.start, end: whole ? Math.max(value.end, key.end) : key.end };
}

/** The first line of a node: of a mapping its first pair. */
function firstLine(text: string, node: YamlNode): Span {
  const lineEnd = text.slice(node.start, node.end).search(/[\r\n]/);
  return { start: node.start, end: lineEnd === -1 ? node.end : node.start + lineEnd };
}
