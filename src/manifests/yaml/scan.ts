import { syntaxFault } from '../syntax-error.ts';
import { scanBlockScalar, scanPlainScalar, scanQuotedScalar } from './scan-scalar.ts';
import { scanAnchor, scanDirective, scanTag } from './scan-property.ts';
import {
  addToken,
  atDocumentMark,
  currentKey,
  isBlankOrEnd,
  isBreak,
  isSimpleKeyValid,
  lineEnd,
  MAX_DEPTH,
  removeSimpleKey,
  saveSimpleKey,
  skipBreak,
  startScanner,
  STYLE,
  TOKEN,
} from './scanner.ts';
import type { Scanner } from './scanner.ts';

/**
 * Splits the document text[0, limit) into tokens. `text` ends with a NUL, and at `limit` stands either that or the `---`
 * of the next document. Throws a SyntaxFault. The token memory is valid until the next scan.
 */
export function scanTokens(text: string, limit: number, oddBreaks: boolean): Scanner {
  const scanner = startScanner(text, limit, oddBreaks);
  while (fetchToken(scanner));
  return scanner;
}

/** Adds the next token; false after the last. */
function fetchToken(scanner: Scanner): boolean {
  skipToToken(scanner);
  const { position } = scanner;
  if (position >= scanner.limit) {
    endStream(scanner);
    return false;
  }
  const column = position - scanner.lineStart;
  unrollIndent(scanner, column);
  const code = scanner.text.charCodeAt(position);
  if (column === 0 && (code === 37 || code === 45 || code === 46) && fetchAtLineStart(scanner, code)) return true;
  if (isPlainLetter(code)) fetchPlain(scanner);
  else fetchIndicator(scanner, code);
  return true;
}

/** Letters and digits, the first character of nearly every key and value. */
function isPlainLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 47 && code <= 57);
}

/** Goes over blanks, comments and line breaks. */
function skipToToken(scanner: Scanner): void {
  const { text } = scanner;
  for (;;) {
    if (text.charCodeAt(scanner.position) === 0xfeff) skipByteOrderMark(scanner);
    let code = text.charCodeAt(scanner.position);
    while (code === 32 || (code === 9 && (scanner.flowLevel > 0 || !scanner.keyAllowed))) {
      code = text.charCodeAt(++scanner.position);
    }
    if (code === 35) {
      scanner.position = lineEnd(scanner, scanner.position);
      code = text.charCodeAt(scanner.position);
    }
    if (!isBreak(code)) return;
    skipBreak(scanner);
    if (scanner.flowLevel === 0) scanner.keyAllowed = true;
  }
}

/** A mark at the start of a document is no content: files put together have one after `---` too. */
function skipByteOrderMark(scanner: Scanner): void {
  const afterStart = scanner.count > 0 && scanner.tokens[scanner.count * 4 - 4] === TOKEN.DOCUMENT_START;
  if (scanner.position !== 0 && !(afterStart && scanner.position === scanner.lineStart)) return;
  scanner.position++;
  scanner.lineStart++;
}

/** `%YAML`, `---`, `...`: true when it was one of them. */
function fetchAtLineStart(scanner: Scanner, code: number): boolean {
  const { position } = scanner;
  if (code !== 37 && !atDocumentMark(scanner, position)) return false;
  unrollIndent(scanner, -1);
  removeSimpleKey(scanner);
  scanner.keyAllowed = false;
  scanner.marks++;
  if (code === 37) {
    scanDirective(scanner);
    return true;
  }
  scanner.position += 3;
  addToken(scanner, code === 45 ? TOKEN.DOCUMENT_START : TOKEN.DOCUMENT_END, position, position + 3, 0);
  return true;
}

function endStream(scanner: Scanner): void {
  scanner.position = scanner.limit;
  unrollIndent(scanner, -1);
  removeSimpleKey(scanner);
  addToken(scanner, TOKEN.STREAM_END, scanner.limit, scanner.limit, 0);
}

function fetchIndicator(scanner: Scanner, code: number): void {
  switch (code) {
    case 91:
      openFlow(scanner, TOKEN.FLOW_SEQUENCE_START);
      return;
    case 123:
      openFlow(scanner, TOKEN.FLOW_MAPPING_START);
      return;
    case 93:
      closeFlow(scanner, TOKEN.FLOW_SEQUENCE_END);
      return;
    case 125:
      closeFlow(scanner, TOKEN.FLOW_MAPPING_END);
      return;
    case 44:
      removeSimpleKey(scanner);
      scanner.keyAllowed = true;
      addIndicator(scanner, TOKEN.FLOW_ENTRY);
      return;
    case 34:
      fetchQuoted(scanner, STYLE.DOUBLE);
      return;
    case 39:
      fetchQuoted(scanner, STYLE.SINGLE);
      return;
    default:
      if (!fetchBlockIndicator(scanner, code)) fetchProperty(scanner, code);
  }
}

/** `- `, `? `, `: `: true when it was one of them. */
function fetchBlockIndicator(scanner: Scanner, code: number): boolean {
  if (code !== 45 && code !== 63 && code !== 58) return false;
  const followedByBlank = isBlankOrEnd(scanner.text.charCodeAt(scanner.position + 1));
  if (code === 45) {
    if (!followedByBlank) return false;
    fetchEntry(scanner);
    return true;
  }
  if (!followedByBlank && scanner.flowLevel === 0) return false;
  if (code === 63) fetchKey(scanner);
  else fetchValue(scanner);
  return true;
}

function fetchProperty(scanner: Scanner, code: number): void {
  if (code === 42 || code === 38) {
    saveSimpleKey(scanner);
    scanner.keyAllowed = false;
    scanAnchor(scanner, code === 42 ? TOKEN.ALIAS : TOKEN.ANCHOR);
  } else if (code === 33) {
    saveSimpleKey(scanner);
    scanner.keyAllowed = false;
    scanTag(scanner);
  } else if ((code === 124 || code === 62) && scanner.flowLevel === 0) {
    removeSimpleKey(scanner);
    scanner.keyAllowed = true;
    scanBlockScalar(scanner, code === 124);
  } else {
    if (code === 9) throw syntaxFault(scanner.position, 'found a tab where spaces are needed: indent with spaces');
    // `%`, `@` and `` ` `` are reserved; `|` and `>` have no meaning within brackets.
    if (code === 37 || code === 64 || code === 96 || code === 124 || code === 62) {
      throw syntaxFault(
        scanner.position,
        `found character '${String.fromCharCode(code)}' that cannot start a value: put it in quotes`,
      );
    }
    fetchPlain(scanner);
  }
}

function fetchPlain(scanner: Scanner): void {
  saveSimpleKey(scanner);
  scanner.keyAllowed = false;
  scanPlainScalar(scanner);
}

function fetchQuoted(scanner: Scanner, style: number): void {
  saveSimpleKey(scanner);
  scanner.keyAllowed = false;
  scanQuotedScalar(scanner, style);
}

function openFlow(scanner: Scanner, type: number): void {
  saveSimpleKey(scanner);
  scanner.flowLevel++;
  if (scanner.flowLevel > MAX_DEPTH) throw tooDeep(scanner.position);
  scanner.keys[scanner.flowLevel] ??= { possible: false, required: false, slot: 0, position: 0, lineStart: 0 };
  currentKey(scanner).possible = false;
  scanner.keyAllowed = true;
  addIndicator(scanner, type);
}

function closeFlow(scanner: Scanner, type: number): void {
  removeSimpleKey(scanner);
  if (scanner.flowLevel > 0) scanner.flowLevel--;
  scanner.keyAllowed = false;
  addIndicator(scanner, type);
}

function fetchEntry(scanner: Scanner): void {
  if (scanner.flowLevel === 0) {
    if (!scanner.keyAllowed) throw syntaxFault(scanner.position, 'block sequence entries are not allowed here');
    rollIndent(scanner, scanner.position, TOKEN.BLOCK_SEQUENCE_START);
  }
  removeSimpleKey(scanner);
  scanner.keyAllowed = true;
  addIndicator(scanner, TOKEN.BLOCK_ENTRY);
}

function fetchKey(scanner: Scanner): void {
  if (scanner.flowLevel === 0) {
    if (!scanner.keyAllowed) throw syntaxFault(scanner.position, 'mapping keys are not allowed here');
    rollIndent(scanner, scanner.position, TOKEN.BLOCK_MAPPING_START);
  }
  removeSimpleKey(scanner);
  scanner.keyAllowed = scanner.flowLevel === 0;
  if (isAtRoot(scanner)) scanner.rootKeys.push(scanner.count);
  addIndicator(scanner, TOKEN.KEY);
}

/** Within the outermost block collection and no deeper. */
function isAtRoot(scanner: Scanner): boolean {
  return scanner.indents.length === 1 && scanner.flowLevel === 0;
}

function fetchValue(scanner: Scanner): void {
  if (isSimpleKeyValid(scanner)) {
    const key = currentKey(scanner);
    const slot = key.slot * 4;
    const column = key.position - key.lineStart;
    if (scanner.flowLevel === 0 && scanner.indent < column) {
      pushIndent(scanner, column);
      scanner.tokens[slot] = TOKEN.BLOCK_MAPPING_START;
    }
    scanner.tokens[slot + 4] = TOKEN.KEY;
    if (isAtRoot(scanner)) scanner.rootKeys.push(key.slot + 1);
    key.possible = false;
    scanner.keyAllowed = false;
  } else {
    if (scanner.flowLevel === 0) {
      if (!scanner.keyAllowed) {
        throw syntaxFault(
          scanner.position,
          "mapping values are not allowed here: quote a text that contains ': ', and check the indentation",
        );
      }
      rollIndent(scanner, scanner.position, TOKEN.BLOCK_MAPPING_START);
    }
    scanner.keyAllowed = scanner.flowLevel === 0;
  }
  addIndicator(scanner, TOKEN.VALUE);
}

function addIndicator(scanner: Scanner, type: number): void {
  addToken(scanner, type, scanner.position, scanner.position + 1, 0);
  scanner.position++;
}

/** Opens a block collection at a deeper column. */
function rollIndent(scanner: Scanner, position: number, type: number): void {
  const column = position - scanner.lineStart;
  if (scanner.indent >= column) return;
  pushIndent(scanner, column);
  addToken(scanner, type, position, position, 0);
}

function pushIndent(scanner: Scanner, column: number): void {
  scanner.indents.push(scanner.indent);
  scanner.indent = column;
  if (scanner.indents.length > MAX_DEPTH) throw tooDeep(scanner.position);
}

/** Closes the block collections that are deeper than the column. */
function unrollIndent(scanner: Scanner, column: number): void {
  if (scanner.flowLevel > 0) return;
  while (scanner.indent > column) {
    addToken(scanner, TOKEN.BLOCK_END, scanner.position, scanner.position, 0);
    scanner.indent = scanner.indents.pop() ?? -1;
  }
}

function tooDeep(position: number): Error {
  return syntaxFault(position, `nested deeper than ${MAX_DEPTH} levels: exclude this file if it is meant to be so`);
}
