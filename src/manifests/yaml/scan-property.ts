import { syntaxFault } from '../syntax-error.ts';
import { addToken, isBlankOrEnd, isBreak, lineEnd, skipBreak, TOKEN } from './scanner.ts';
import type { Scanner } from './scanner.ts';

const NAME = /[\w-]+/y;
const AFTER_NAME = /[?:,\]}%@`]/y;

/** `&name` or `*name`; the token covers the mark and the name. */
export function scanAnchor(scanner: Scanner, type: number): void {
  const start = scanner.position;
  const end = matchEnd(NAME, scanner.text, start + 1);
  const code = scanner.text.charCodeAt(end);
  if (end === start + 1 || !(isBlankOrEnd(code) || matchEnd(AFTER_NAME, scanner.text, end) > end)) {
    const what = type === TOKEN.ANCHOR ? 'anchor' : 'alias';
    throw syntaxFault(start, `expected letters, digits, - or _ as the name of an ${what}; quote a text that starts so`);
  }
  scanner.position = end;
  addToken(scanner, type, start, end, 0);
}

const VERBATIM_TAG = /!<[\w\-;/?:@&=+$,.!~*'()[\]%]+>/y;
const HANDLE_TAG = /!(?:[\w-]*!)?[\w\-;/?:@&=+$,.!~*'()[\]%]*/y;

/** `!tag`, `!!tag`, `!handle!tag` or `!<tag>`; the token covers all of it. */
export function scanTag(scanner: Scanner): void {
  const { text, position } = scanner;
  const end = matchEnd(text.charCodeAt(position + 1) === 60 ? VERBATIM_TAG : HANDLE_TAG, text, position);
  const raw = text.slice(position, end);
  if (end === position || /^![\w-]*!$/.test(raw) || !hasValidEscapes(raw)) {
    throw syntaxFault(position, 'found a tag that is not written right; quote a text that starts with !');
  }
  if (!isBlankOrEnd(text.charCodeAt(end))) {
    throw syntaxFault(end, 'expected a blank or a line break after a tag; quote a text that starts with !');
  }
  scanner.position = end;
  addToken(scanner, TOKEN.TAG, position, end, 0);
}

function hasValidEscapes(uri: string): boolean {
  if (!uri.includes('%')) return true;
  if (/%(?![\da-f]{2})/i.test(uri)) return false;
  try {
    decodeURIComponent(uri);
    return true;
  } catch {
    return false;
  }
}

const VERSION_DIRECTIVE = /%YAML[ \t]+(\d{1,2})\.(\d{1,2})[ \t]*(?=#|[\r\n\0\u0085\u2028\u2029])/y;
const TAG_DIRECTIVE =
  /%TAG[ \t]+(![\w-]*!|!)[ \t]+([\w\-;/?:@&=+$,.!~*'()[\]%]+)(?:[ \t]*|[ \t]+#.*)(?=[\r\n\0\u0085\u2028\u2029])/y;

/** `%YAML 1.1` or `%TAG ! prefix`; the token covers the directive, the rest of the line is gone over. */
export function scanDirective(scanner: Scanner): void {
  const { text, position } = scanner;
  const end = Math.max(matchEnd(VERSION_DIRECTIVE, text, position), matchEnd(TAG_DIRECTIVE, text, position));
  if (end === position) {
    throw syntaxFault(position, 'found a directive that is not %YAML 1.1 or %TAG; quote a text that starts with %');
  }
  scanner.position = lineEnd(scanner, end);
  addToken(scanner, TOKEN.DIRECTIVE, position, end, 0);
  if (isBreak(text.charCodeAt(scanner.position))) skipBreak(scanner);
}

function matchEnd(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}
