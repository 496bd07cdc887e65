import { syntaxFault } from '../syntax-error.ts';

/**
 * What the scanner holds while it goes over one document. The grammar is that of go-yaml v2 (github.com/yaml/libyaml, MIT),
 * which kubectl reads manifests with: where YAML 1.2 differs, this follows go-yaml, and test/manifests/witness compares the
 * two. Tokens lie four numbers each in `tokens`: type, start, end, detail.
 */
export interface Scanner {
  /** Ends with a NUL that is not part of it, so that reading ahead stays within. */
  readonly text: string;
  /** Where the document ends: the `---` of the next one, or the closing NUL. */
  readonly limit: number;
  /** There are line breaks other than LF and CRLF. */
  readonly oddBreaks: boolean;
  position: number;
  lineStart: number;
  indent: number;
  readonly indents: number[];
  flowLevel: number;
  /** A simple key (`key:` without `?`) may start here. */
  keyAllowed: boolean;
  /** The place on each flow level where a simple key may have started. */
  readonly keys: SimpleKey[];
  tokens: Int32Array;
  count: number;
  /** How many of `---`, `...` and directives there were. */
  marks: number;
  /** Indexes of the KEY tokens of the outermost block mapping. */
  readonly rootKeys: number[];
}

export interface SimpleKey {
  possible: boolean;
  required: boolean;
  /** Index of the two empty tokens kept for BLOCK_MAPPING_START and KEY. */
  slot: number;
  position: number;
  lineStart: number;
}

export const TOKEN = {
  /** Room for a token that may have to be put before the ones that follow. */
  NONE: 0,
  STREAM_END: 1,
  DIRECTIVE: 2,
  DOCUMENT_START: 3,
  DOCUMENT_END: 4,
  BLOCK_SEQUENCE_START: 5,
  BLOCK_MAPPING_START: 6,
  BLOCK_END: 7,
  FLOW_SEQUENCE_START: 8,
  FLOW_SEQUENCE_END: 9,
  FLOW_MAPPING_START: 10,
  FLOW_MAPPING_END: 11,
  BLOCK_ENTRY: 12,
  FLOW_ENTRY: 13,
  KEY: 14,
  VALUE: 15,
  ALIAS: 16,
  ANCHOR: 17,
  TAG: 18,
  SCALAR: 19,
} as const;

/** JSON: a string with escapes, which are not those of YAML. */
export const STYLE = { PLAIN: 0, SINGLE: 1, DOUBLE: 2, LITERAL: 3, FOLDED: 4, JSON: 5 } as const;

/** Set in a scalar's detail when its value is its text as it stands (quotes apart): no folding, no escape. */
export const VERBATIM = 8;
/** A block scalar's detail holds its indentation above this many bits. */
export const INDENT_SHIFT = 4;

/** More than any manifest has; deeper ones are refused before the stack is. go-yaml stops at 10,000. */
export const MAX_DEPTH = 400;

/** The two buffers of the common case: a scan that is done leaves its token memory to the next. */
const reusable: { tokens: Int32Array } = { tokens: new Int32Array(1 << 14) };

export function startScanner(text: string, limit: number, oddBreaks: boolean): Scanner {
  return {
    text,
    limit,
    oddBreaks,
    position: 0,
    lineStart: 0,
    indent: -1,
    indents: [],
    flowLevel: 0,
    keyAllowed: true,
    keys: [{ possible: false, required: false, slot: 0, position: 0, lineStart: 0 }],
    tokens: reusable.tokens,
    count: 0,
    marks: 0,
    rootKeys: [],
  };
}

export function addToken(scanner: Scanner, type: number, start: number, end: number, detail: number): void {
  let { tokens } = scanner;
  const at = scanner.count * 4;
  if (at + 4 > tokens.length) {
    const larger = new Int32Array(tokens.length * 2);
    larger.set(tokens);
    tokens = larger;
    scanner.tokens = larger;
    if (larger.length <= 1 << 22) reusable.tokens = larger;
  }
  tokens[at] = type;
  tokens[at + 1] = start;
  tokens[at + 2] = end;
  tokens[at + 3] = detail;
  scanner.count++;
}

export function isBreak(code: number): boolean {
  return code === 10 || code === 13 || code === 0x85 || code === 0x2028 || code === 0x2029;
}

/** Space, tab, line break or the end. */
export function isBlankOrEnd(code: number): boolean {
  return code === 32 || code <= 13 || code === 0x85 || code === 0x2028 || code === 0x2029;
}

/** Goes over the line break at the position. */
export function skipBreak(scanner: Scanner): void {
  const { text } = scanner;
  if (text.charCodeAt(scanner.position) === 13 && text.charCodeAt(scanner.position + 1) === 10) scanner.position++;
  scanner.position++;
  scanner.lineStart = scanner.position;
}

/** Offset of the next line break or of the end. */
export function lineEnd(scanner: Scanner, from: number): number {
  const { text } = scanner;
  if (!scanner.oddBreaks) {
    const end = text.indexOf('\n', from);
    if (end === -1) return text.length - 1;
    return end > from && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
  }
  let position = from;
  while (position < text.length - 1 && !isBreak(text.charCodeAt(position))) position++;
  return position;
}

/** `---` or `...` at the start of a line, followed by a blank or the end. */
export function atDocumentMark(scanner: Scanner, position: number): boolean {
  const { text } = scanner;
  const code = text.charCodeAt(position);
  if (code !== 45 && code !== 46) return false;
  return (
    text.charCodeAt(position + 1) === code &&
    text.charCodeAt(position + 2) === code &&
    isBlankOrEnd(text.charCodeAt(position + 3))
  );
}

/** Notes that a simple key may start here, and keeps room for the tokens it would need. */
export function saveSimpleKey(scanner: Scanner): void {
  if (!scanner.keyAllowed) return;
  removeSimpleKey(scanner);
  const key = currentKey(scanner);
  const { position, lineStart } = scanner;
  key.possible = true;
  key.required = scanner.flowLevel === 0 && scanner.indent === position - lineStart;
  key.slot = scanner.count;
  key.position = position;
  key.lineStart = lineStart;
  addToken(scanner, TOKEN.NONE, position, position, 0);
  addToken(scanner, TOKEN.NONE, position, position, 0);
}

export function removeSimpleKey(scanner: Scanner): void {
  const key = currentKey(scanner);
  if (key.possible && key.required) throw missingColon(key);
  key.possible = false;
}

/** A simple key is one line and at most 1024 characters. */
export function isSimpleKeyValid(scanner: Scanner): boolean {
  const key = currentKey(scanner);
  if (!key.possible) return false;
  if (key.lineStart === scanner.lineStart && key.position + 1024 >= scanner.position) return true;
  if (key.required) throw missingColon(key);
  key.possible = false;
  return false;
}

export function currentKey(scanner: Scanner): SimpleKey {
  const key = scanner.keys[scanner.flowLevel];
  if (key === undefined) throw new Error('The scanner lost its flow level.');
  return key;
}

function missingColon(key: SimpleKey): Error {
  return syntaxFault(key.position, `could not find expected ':' after the key that starts here`);
}
