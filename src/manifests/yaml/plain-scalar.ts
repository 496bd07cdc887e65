import { endIn, isLetter, isWord, skipSpaces, textEnd } from './plain-bytes.ts';

const QUOTED = new Uint8Array(256).fill(1, 32, 127);
QUOTED[9] = 1;
const IN_DOUBLE = QUOTED.slice();
IN_DOUBLE[34] = 0;
IN_DOUBLE[92] = 0;
const IN_SINGLE = QUOTED.slice();
IN_SINGLE[39] = 0;
/** The escapes of nearly all texts: \" \\ \n \r \t */
const ESCAPED = new Uint8Array(256);
for (const character of '"\\nrt') ESCAPED[character.charCodeAt(0)] = 1;

/** Offset after a text in double quotes on one line; -1 where that is not certain. */
export function doubleQuotedEnd(bytes: Buffer, start: number): number {
  for (let position = start + 1; ; position += 2) {
    position = endIn(IN_DOUBLE, bytes, position);
    if (bytes[position] === 34) return position + 1;
    if (bytes[position] !== 92 || ESCAPED[bytes[position + 1] ?? 0] !== 1) return -1;
  }
}

/** The same for single quotes. */
export function singleQuotedEnd(bytes: Buffer, start: number): number {
  for (let position = start + 1; ; position += 2) {
    position = endIn(IN_SINGLE, bytes, position);
    if (bytes[position] !== 39) return -1;
    if (bytes[position + 1] !== 39) return position + 1;
  }
}

/** Offset after `{}`; -1 for any other mapping in brackets. */
export function emptyMappingEnd(bytes: Buffer, start: number): number {
  const position = skipSpaces(bytes, start + 1);
  return bytes[position] === 125 ? position + 1 : -1;
}

/** Offset after a list in brackets on one line, of words and quoted texts; -1 for another. */
export function flowListEnd(bytes: Buffer, start: number): number {
  let position = skipSpaces(bytes, start + 1);
  if (bytes[position] === 93) return position + 1;
  for (;;) {
    const end = itemEnd(bytes, position);
    if (end === -1) return -1;
    position = skipSpaces(bytes, end);
    if (bytes[position] === 93) return position + 1;
    if (bytes[position] !== 44) return -1;
    position = skipSpaces(bytes, position + 1);
  }
}

function itemEnd(bytes: Buffer, start: number): number {
  if (bytes[start] === 34) return doubleQuotedEnd(bytes, start);
  if (bytes[start] === 39) return singleQuotedEnd(bytes, start);
  if (!isLetter(bytes[start] ?? 0)) return -1;
  let position = start;
  while (isWord(bytes[position] ?? 0)) position++;
  return position;
}

/**
 * Start of the line after a block scalar without an indentation indicator, `parent` being the column of the collection around it;
 * -1 where that is not certain.
 */
export function blockScalarEnd(bytes: Buffer, start: number, end: number, parent: number): number {
  const chomping = bytes[start + 1] === 43 || bytes[start + 1] === 45 ? 1 : 0;
  let line = skipSpaces(bytes, start + 1 + chomping);
  if (line === end) return end;
  if (bytes[line] !== 10) return -1;
  line++;
  while (bytes[line] === 10) line++;
  const first = skipSpaces(bytes, line);
  // Blanks in a line before the first one of content may set the indentation.
  if (bytes[first] === 10 || bytes[first] === 9) return -1;
  const indent = first - line;
  if (line >= end || indent <= parent) return line;
  return contentEnd(bytes, line, end, indent);
}

/** Start of the first line that is indented less and not empty. */
function contentEnd(bytes: Buffer, from: number, end: number, indent: number): number {
  let line = from;
  while (line < end) {
    let position = line;
    const limit = line + indent;
    while (position < limit && bytes[position] === 32) position++;
    if (position === limit) {
      position = textEnd(bytes, position);
      if (position !== end && bytes[position] !== 10) return -1;
    } else if (position !== end && bytes[position] !== 10) return line;
    line = position + 1;
  }
  return line;
}
