import { syntaxFault } from '../syntax-error.ts';
import {
  addToken,
  atDocumentMark,
  INDENT_SHIFT,
  isBlankOrEnd,
  isBreak,
  lineEnd,
  skipBreak,
  STYLE,
  TOKEN,
  VERBATIM,
} from './scanner.ts';
import type { Scanner } from './scanner.ts';

/** A scalar without quotes, over as many lines as it has. */
export function scanPlainScalar(scanner: Scanner): void {
  const { text } = scanner;
  const start = scanner.position;
  const inFlow = scanner.flowLevel > 0;
  const indent = scanner.indent + 1;
  let end = start;
  let verbatim = VERBATIM;
  let afterBreak = false;
  for (;;) {
    if (scanner.position === scanner.lineStart && atDocumentMark(scanner, scanner.position)) break;
    if (text.charCodeAt(scanner.position) === 35) break;
    const wordEnd = plainWordEnd(text, scanner.position, inFlow);
    if (wordEnd > scanner.position) {
      if (afterBreak) verbatim = 0;
      afterBreak = false;
      end = wordEnd;
      scanner.position = wordEnd;
    }
    const code = text.charCodeAt(wordEnd);
    if (code === 0 || !isBlankOrEnd(code)) break;
    if (skipPlainBlanks(scanner, start, indent, afterBreak)) afterBreak = true;
    if (!inFlow && scanner.position - scanner.lineStart < indent) break;
  }
  addToken(scanner, TOKEN.SCALAR, start, end, STYLE.PLAIN | verbatim);
  if (afterBreak) scanner.keyAllowed = true;
}

/** Where the run of words ends that a plain scalar takes in without looking further. */
function plainWordEnd(text: string, from: number, inFlow: boolean): number {
  let position = from;
  for (;;) {
    const code = text.charCodeAt(position);
    if (code <= 32) {
      if (isBlankOrEnd(code) && !(code === 32 && isWordStart(text.charCodeAt(position + 1), inFlow))) return position;
    } else if (code === 58) {
      if (isBlankOrEnd(text.charCodeAt(position + 1))) return position;
    } else if (inFlow && isFlowEnd(code)) return position;
    else if (code >= 0x85 && isBreak(code)) return position;
    position++;
  }
}

/** What goes on with a plain scalar after a single space, which is most of them. */
function isWordStart(code: number, inFlow: boolean): boolean {
  return code > 32 && code < 0x7f && code !== 35 && code !== 58 && !(inFlow && isFlowEnd(code));
}

/** `,` `?` `[` `]` `{` `}` end a plain scalar within brackets (go-yaml counts `?` too). */
function isFlowEnd(code: number): boolean {
  return code === 44 || code === 63 || code === 91 || code === 93 || code === 123 || code === 125;
}

/** Goes over blanks and line breaks within a plain scalar; true when there was a line break. */
function skipPlainBlanks(scanner: Scanner, start: number, indent: number, afterBreak: boolean): boolean {
  const { text } = scanner;
  let broke = afterBreak;
  for (;;) {
    const code = text.charCodeAt(scanner.position);
    if (code === 32 || code === 9) {
      if (code === 9 && broke && scanner.position - scanner.lineStart < indent) {
        throw syntaxFault(scanner.position, 'found a tab that violates indentation: indent with spaces', start);
      }
      scanner.position++;
    } else if (isBreak(code)) {
      skipBreak(scanner);
      broke = true;
    } else return broke;
  }
}

/** A scalar in quotes. Its further lines may stand at any column. */
export function scanQuotedScalar(scanner: Scanner, style: number): void {
  const { text } = scanner;
  const start = scanner.position;
  const quote = style === STYLE.SINGLE ? 39 : 34;
  let verbatim = VERBATIM;
  scanner.position++;
  for (;;) {
    const code = text.charCodeAt(scanner.position);
    if (code === quote) {
      if (quote === 34 || text.charCodeAt(scanner.position + 1) !== 39) break;
      verbatim = 0;
      scanner.position += 2;
    } else if (code === 92 && quote === 34) {
      verbatim = 0;
      scanEscape(scanner, start);
    } else if (isBreak(code)) {
      verbatim = 0;
      skipBreak(scanner);
      assertNoDocumentMark(scanner, start);
    } else if (code === 0) {
      throw syntaxFault(scanner.position, 'this quoted text is not closed before the document ends', start);
    } else scanner.position++;
  }
  scanner.position++;
  addToken(scanner, TOKEN.SCALAR, start, scanner.position, style | verbatim);
}

function assertNoDocumentMark(scanner: Scanner, start: number): void {
  if (atDocumentMark(scanner, scanner.position)) {
    throw syntaxFault(scanner.position, 'found a document separator within a quoted text: it is not closed', start);
  }
}

const ESCAPES = new Set(
  '0 a b t \t n v f r e " \' \\ N _ L P'
    .split(' ')
    .map((letter) => letter.charCodeAt(0))
    .concat(32),
);
const HEX_LENGTH = new Map([
  [120, 2],
  [117, 4],
  [85, 8],
]);
const HEX = /^[\da-f]+$/i;

function scanEscape(scanner: Scanner, start: number): void {
  const { text, position } = scanner;
  const code = text.charCodeAt(position + 1);
  if (isBreak(code)) {
    scanner.position++;
    skipBreak(scanner);
    // go-yaml looks for the separator only where a line begins; after an escaped break it does too.
    assertNoDocumentMark(scanner, start);
    return;
  }
  const length = HEX_LENGTH.get(code);
  if (length === undefined) {
    if (!ESCAPES.has(code)) {
      throw syntaxFault(position, 'found unknown escape character: write \\\\ for a backslash, or use single quotes');
    }
    scanner.position += 2;
    return;
  }
  const digits = text.slice(position + 2, position + 2 + length);
  if (digits.length < length || !HEX.test(digits)) {
    throw syntaxFault(position, `expected ${length} hexadecimal digits in this escape`);
  }
  const value = parseInt(digits, 16);
  if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) {
    throw syntaxFault(position, 'found invalid Unicode character escape code');
  }
  scanner.position += 2 + length;
}

/** A scalar after `|` or `>`. */
export function scanBlockScalar(scanner: Scanner, literal: boolean): void {
  const start = scanner.position;
  const increment = scanBlockHeader(scanner, start);
  let indent = increment === 0 ? 0 : Math.max(scanner.indent, 0) + increment;
  let end = lineEnd(scanner, start);
  indent = skipBlockBreaks(scanner, indent, start);
  while (scanner.position - scanner.lineStart === indent && scanner.position < scanner.limit) {
    end = lineEnd(scanner, scanner.position);
    scanner.position = end;
    if (scanner.position >= scanner.limit) break;
    skipBreak(scanner);
    indent = skipBlockBreaks(scanner, indent, start);
  }
  addToken(scanner, TOKEN.SCALAR, start, end, (literal ? STYLE.LITERAL : STYLE.FOLDED) | (indent << INDENT_SHIFT));
}

/** Reads `|2-` and the rest of the line; returns the indentation indicator or 0. */
function scanBlockHeader(scanner: Scanner, start: number): number {
  const { text } = scanner;
  let increment = 0;
  let chomping = false;
  for (scanner.position++; ; scanner.position++) {
    const code = text.charCodeAt(scanner.position);
    if ((code === 43 || code === 45) && !chomping) chomping = true;
    else if (code >= 48 && code <= 57 && increment === 0) {
      if (code === 48) throw syntaxFault(scanner.position, 'found an indentation indicator equal to 0', start);
      increment = code - 48;
    } else break;
  }
  while (text.charCodeAt(scanner.position) === 32 || text.charCodeAt(scanner.position) === 9) scanner.position++;
  if (text.charCodeAt(scanner.position) === 35) scanner.position = lineEnd(scanner, scanner.position);
  const code = text.charCodeAt(scanner.position);
  if (isBreak(code)) skipBreak(scanner);
  else if (code !== 0) throw syntaxFault(scanner.position, 'expected a comment or a line break after | or >', start);
  return increment;
}

/** Goes over empty lines and the indentation of the next; returns the indentation of the scalar, found if it was 0. */
function skipBlockBreaks(scanner: Scanner, indent: number, start: number): number {
  const { text } = scanner;
  let widest = 0;
  for (;;) {
    let column = scanner.position - scanner.lineStart;
    while ((indent === 0 || column < indent) && text.charCodeAt(scanner.position) === 32) {
      scanner.position++;
      column++;
    }
    if (column > widest) widest = column;
    const code = text.charCodeAt(scanner.position);
    if (code === 9 && (indent === 0 || column < indent)) {
      throw syntaxFault(scanner.position, 'found a tab where spaces are needed: indent with spaces', start);
    }
    if (!isBreak(code)) break;
    skipBreak(scanner);
  }
  return indent === 0 ? Math.max(widest, scanner.indent + 1, 1) : indent;
}
