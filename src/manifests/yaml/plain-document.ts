import { blockScalarEnd, doubleQuotedEnd, emptyMappingEnd, flowListEnd, singleQuotedEnd } from './plain-scalar.ts';
import { isGap, isLetter, isWord, plainLineEnd, skipSpaces, startsPlain, textEnd } from './plain-bytes.ts';
import type { Outline } from './outline.ts';

/**
 * Most documents of a repository hold no workload, and most of those are written in a small part of YAML: block mappings and
 * lists with plain words for keys, scalars on one line, block scalars, plain text over several lines. That part is checked here
 * from the bytes, without tokens or text, at several times the speed of the scanner. Whatever goes beyond it, right or wrong, is
 * left to the scanner, so that this knows no errors: test/manifests/plain-document.test.ts compares the two.
 */
interface Lines {
  readonly bytes: Buffer;
  readonly end: number;
  /** Start of the line that is read next. */
  position: number;
  /** Index of the innermost open block collection in `columns` and `states`; -1 before the first. */
  depth: number;
  /** The line before ends with a plain scalar, which deeper lines continue. */
  continues: boolean;
  apiVersion: string | undefined;
  kind: string | undefined;
}

/** Deeper ones are left to the scanner. */
const MAX_DEPTH = 100;

/** The column of each open block collection, as the scanner's `indents`. */
const columns = new Int32Array(MAX_DEPTH);
const states = new Uint8Array(MAX_DEPTH);

/** What may follow in a block collection. */
const STATE = {
  /** A mapping whose latest key has its value. */
  PAIR_DONE: 0,
  /** A mapping whose latest key has no value yet: a deeper collection may follow, or a list at its own column. */
  PAIR_OPEN: 1,
  /** A list, or a mapping within a list at its own column, whose latest entry is there. */
  ENTRY_DONE: 2,
  ENTRY_OPEN: 3,
} as const;

/** Set in the state of a list that has a column of its own. */
const LIST = 4;

/**
 * True when bytes[start, end) hold exactly one document, well-formed by the grammar of `parseYaml`, with an outline that `isWanted`
 * says no to. False says nothing. The bytes are valid UTF-8, and a NUL or a `---` after a line break stands at `end`.
 */
export function isPlainAndUnwanted(
  bytes: Buffer,
  start: number,
  end: number,
  isWanted: (outline: Outline) => boolean,
): boolean {
  const position = afterDocumentStart(bytes, start, end);
  const lines: Lines = { bytes, end, position, depth: -1, continues: false, apiVersion: undefined, kind: undefined };
  let isJudged = false;
  while (lines.position < end) {
    if (!readLine(lines)) return false;
    if (isJudged || lines.apiVersion === undefined || lines.kind === undefined) continue;
    // A workload is parsed anyway: nothing is gained by checking it first.
    if (isWanted({ apiVersion: lines.apiVersion, kind: lines.kind })) return false;
    isJudged = true;
  }
  return isJudged;
}

/** The line after `---`; a directive or anything beside the mark is found to be no key. */
function afterDocumentStart(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] !== 45 || bytes[start + 1] !== 45 || bytes[start + 2] !== 45) return start;
  const position = skipSpaces(bytes, start + 3);
  return position < end && bytes[position] === 10 ? position + 1 : start;
}

/** Goes over a line, or over all the lines of a block scalar; false where it is not certain that it is right. */
function readLine(lines: Lines): boolean {
  const { bytes, end } = lines;
  const position = skipSpaces(bytes, lines.position);
  const column = position - lines.position;
  if (position >= end || bytes[position] === 10) return endLine(lines, position);
  if (bytes[position] === 35) {
    lines.continues = false;
    return endLine(lines, textEnd(bytes, position));
  }
  if (lines.continues && column > (columns[lines.depth] ?? 0)) return readPlain(lines, position);
  lines.continues = false;
  while (lines.depth >= 0 && (columns[lines.depth] ?? 0) > column) lines.depth--;
  const isEntry = bytes[position] === 45 && isGap(bytes, position + 1, end);
  return isEntry ? readEntry(lines, position, column) : readPair(lines, position, column);
}

/** The end of the line must be at `position`. */
function endLine(lines: Lines, position: number): boolean {
  lines.position = position + 1;
  return position === lines.end || lines.bytes[position] === 10;
}

/** The end of the line, or a comment after blanks. */
function endContent(lines: Lines, from: number): boolean {
  const { bytes } = lines;
  const position = skipSpaces(bytes, from);
  const isComment = bytes[position] === 35 && position > from && position < lines.end;
  return endLine(lines, isComment ? textEnd(bytes, position) : position);
}

/** `key: value`, `key:` */
function readPair(lines: Lines, position: number, column: number): boolean {
  const colon = keyEnd(lines, position);
  if (colon === -1) return false;
  const { depth } = lines;
  if (depth < 0 || column > (columns[depth] ?? 0)) {
    if (!openCollection(lines, column, STATE.PAIR_DONE)) return false;
  } else if (((states[depth] ?? 0) & LIST) !== 0) return false;
  if (column > 0) return readValue(lines, colon + 1);
  return readRootPair(lines, position, colon);
}

/** A pair of the outermost mapping, whose keys must mean what they say (see `outlineOf`). */
function readRootPair(lines: Lines, position: number, colon: number): boolean {
  const { bytes } = lines;
  if (!isLetter(bytes[position] ?? 0)) return false;
  const length = colon - position;
  if (length > 5 && length !== 10) return readValue(lines, colon + 1);
  const key = bytes.toString('latin1', position, colon);
  if (/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(key)) return false;
  if (key !== 'kind' && key !== 'apiVersion') return readValue(lines, colon + 1);
  if (lines[key] !== undefined) return false;
  const start = skipSpaces(bytes, colon + 1);
  let end = start;
  while (isWord(bytes[end] ?? 0)) end++;
  if (end === start || !isLetter(bytes[start] ?? 0)) return false;
  lines[key] = bytes.toString('latin1', start, end);
  states[lines.depth] = STATE.PAIR_DONE;
  return endContent(lines, end);
}

/** `- value`, `- key: value`, `-` */
function readEntry(lines: Lines, dash: number, column: number): boolean {
  const { bytes, end, depth } = lines;
  if (depth < 0) return false;
  if (column > (columns[depth] ?? 0)) {
    if (!openCollection(lines, column, LIST)) return false;
  } else if (states[depth] === STATE.PAIR_DONE) return false;
  const position = skipSpaces(bytes, dash + 1);
  if (position >= end || bytes[position] === 10 || bytes[position] === 35) {
    setState(lines, STATE.ENTRY_OPEN);
    return endContent(lines, dash + 1);
  }
  setState(lines, STATE.ENTRY_OPEN);
  const colon = keyEnd(lines, position);
  if (colon === -1) {
    setState(lines, STATE.ENTRY_DONE);
    return readScalar(lines, position);
  }
  return openCollection(lines, position - lines.position, STATE.PAIR_DONE) && readValue(lines, colon + 1);
}

/** A collection at a deeper column: only as the value that the one around it waits for. */
function openCollection(lines: Lines, column: number, state: number): boolean {
  const { depth } = lines;
  if (depth >= 0) {
    const outer = states[depth] ?? 0;
    if ((outer & 1) === 0) return false;
    states[depth] = outer - 1;
  } else if (column > 0) return false;
  if (depth + 1 === MAX_DEPTH) return false;
  lines.depth++;
  columns[lines.depth] = column;
  states[lines.depth] = state;
  return true;
}

function setState({ depth }: Lines, state: number): void {
  states[depth] = ((states[depth] ?? 0) & LIST) | state;
}

/** go-yaml takes a key of at most 1024 characters. */
const MAX_KEY = 1000;

/** Offset of the colon after a key in quotes or of the letters that most have; -1 where there is none. */
function keyEnd({ bytes, end }: Lines, start: number): number {
  const first = bytes[start] ?? 0;
  let position = start;
  if (first === 34) position = doubleQuotedEnd(bytes, start);
  else if (first === 39) position = singleQuotedEnd(bytes, start);
  else if (first !== 45 && first !== 46) {
    for (;;) {
      while (isWord(bytes[position] ?? 0)) position++;
      if (bytes[position] !== 58 || !isWord(bytes[position + 1] ?? 0)) break;
      position++;
    }
  }
  const isKey = position > start && position - start <= MAX_KEY && bytes[position] === 58;
  return isKey && isGap(bytes, position + 1, end) ? position : -1;
}

function readValue(lines: Lines, from: number): boolean {
  const { bytes, end } = lines;
  const position = skipSpaces(bytes, from);
  if (position >= end || bytes[position] === 10 || bytes[position] === 35) {
    states[lines.depth] = STATE.PAIR_OPEN;
    return endContent(lines, from);
  }
  states[lines.depth] = STATE.PAIR_DONE;
  return readScalar(lines, position);
}

function readScalar(lines: Lines, position: number): boolean {
  const { bytes, end } = lines;
  switch (bytes[position] ?? 0) {
    case 34:
      return endAfter(lines, doubleQuotedEnd(bytes, position));
    case 39:
      return endAfter(lines, singleQuotedEnd(bytes, position));
    case 91:
      return endAfter(lines, flowListEnd(bytes, position));
    case 123:
      return endAfter(lines, emptyMappingEnd(bytes, position));
    case 124:
    case 62: {
      const next = blockScalarEnd(bytes, position, end, columns[lines.depth] ?? 0);
      lines.position = next;
      return next !== -1;
    }
    default:
      return startsPlain(bytes, position, end) && readPlain(lines, position);
  }
}

function endAfter(lines: Lines, position: number): boolean {
  return position !== -1 && endContent(lines, position);
}

/** A line of a plain scalar. */
function readPlain(lines: Lines, from: number): boolean {
  const { bytes } = lines;
  const position = plainLineEnd(bytes, from);
  const isComment = bytes[position] === 35;
  lines.continues = !isComment;
  return endLine(lines, isComment ? textEnd(bytes, position) : position);
}
