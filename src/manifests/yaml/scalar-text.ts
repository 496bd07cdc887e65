import type { YamlNode } from './node.ts';
import { INDENT_SHIFT, isBreak, STYLE, VERBATIM } from './scanner.ts';

/** The style of a scalar, one of STYLE. */
export function scalarStyle(node: YamlNode): number {
  return node.detail & 7;
}

/** The content of a scalar: quotes, escapes, folding and indentation done away with, as go-yaml does. */
export function scalarText(text: string, node: YamlNode): string {
  const style = scalarStyle(node);
  if (style === STYLE.JSON) return String(JSON.parse(text.slice(node.start, node.end)));
  const quoted = style === STYLE.SINGLE || style === STYLE.DOUBLE;
  const start = quoted ? node.start + 1 : node.start;
  const end = quoted ? node.end - 1 : node.end;
  if ((node.detail & VERBATIM) !== 0) return text.slice(start, end);
  const content = text.slice(start, end);
  switch (style) {
    case STYLE.SINGLE:
      return foldLines(content).replaceAll("''", "'");
    case STYLE.DOUBLE:
      return unescape(content);
    case STYLE.LITERAL:
    case STYLE.FOLDED:
      return blockText(text, node, style === STYLE.LITERAL);
    default:
      return foldLines(content);
  }
}

const FOLD = /[ \t]*(?:\r\n|[\r\n\u0085\u2028\u2029])[ \t\r\n\u0085\u2028\u2029]*/g;

/** Line breaks within a flow scalar: one becomes a space, n become n - 1 line feeds. */
function foldLines(content: string): string {
  return content.replace(FOLD, foldBreaks);
}

function foldBreaks(run: string): string {
  const breaks = run.match(/\r\n|[\r\n\u0085\u2028\u2029]/g) ?? [];
  const [first = '', ...rest] = breaks.map((mark) => (mark === '\u2028' || mark === '\u2029' ? mark : '\n'));
  if (first !== '\n') return first + rest.join('');
  return rest.length === 0 ? ' ' : rest.join('');
}

const ESCAPED: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
};
const ESCAPE_OR_FOLD =
  /\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|(?:\r\n|[\r\n\u0085\u2028\u2029])[ \t\r\n\u0085\u2028\u2029]*|[^])|[ \t]*(?:\r\n|[\r\n\u0085\u2028\u2029])[ \t\r\n\u0085\u2028\u2029]*/g;

function unescape(content: string): string {
  return content.replace(ESCAPE_OR_FOLD, (run) => {
    if (!run.startsWith('\\')) return foldBreaks(run);
    const letter = run.charAt(1);
    if (isBreak(run.charCodeAt(1))) {
      // An escaped line break is nothing; further empty lines count, as nothing stood before them to fold with.
      const breaks = run.slice(1).match(/\r\n|[\r\n\u0085\u2028\u2029]/g) ?? [];
      return breaks.length < 2 ? '' : escapedBreaks(breaks.slice(1));
    }
    if (run.length > 2) return String.fromCodePoint(parseInt(run.slice(2), 16));
    return ESCAPED[letter] ?? letter;
  });
}

function escapedBreaks(breaks: readonly string[]): string {
  return breaks.map((mark) => (mark === '\u2028' || mark === '\u2029' ? mark : '\n')).join('');
}

/** What a block scalar is put together from, line by line. */
interface BlockState {
  result: string;
  /** The break after the latest line of content, and those of the empty lines after it. */
  leadingBreak: string;
  trailingBreaks: string;
  /** The latest line of content begins with a blank: it is not folded. */
  blank: boolean;
}

/** The content of a `|` or `>` scalar, its header read again from the text. */
function blockText(text: string, node: YamlNode, literal: boolean): string {
  const header = /^[|>]([+\-\d]*)[^\r\n\u0085\u2028\u2029]*(?:\r\n|[\r\n\u0085\u2028\u2029])?/.exec(
    text.slice(node.start, node.end + 2),
  );
  const indicators = header?.[1] ?? '';
  const indent = node.detail >> INDENT_SHIFT;
  const bodyStart = node.start + (header?.[0].length ?? 0);
  const bodyEnd = blockBodyEnd(text, Math.max(node.end, bodyStart), indent);
  const parts = text.slice(bodyStart, bodyEnd).split(/(\r\n|[\r\n\u0085\u2028\u2029])/);
  const state: BlockState = { result: '', leadingBreak: '', trailingBreaks: '', blank: false };
  for (let index = 0; index < parts.length; index += 2) {
    const mark = parts[index + 1];
    const lineBreak = mark === undefined ? '' : mark === '\u2028' || mark === '\u2029' ? mark : '\n';
    const content = blockLine(parts[index] ?? '', indent);
    if (content === undefined) state.trailingBreaks += lineBreak;
    else addBlockLine(state, content, lineBreak, literal);
  }
  const { result, leadingBreak, trailingBreaks } = state;
  if (indicators.includes('-')) return result;
  return indicators.includes('+') ? result + leadingBreak + trailingBreaks : result + leadingBreak;
}

function addBlockLine(state: BlockState, content: string, lineBreak: string, literal: boolean): void {
  const blank = content.startsWith(' ') || content.startsWith('\t');
  const folds = !literal && state.leadingBreak === '\n' && !state.blank && !blank;
  if (!folds) state.result += state.leadingBreak;
  else if (state.trailingBreaks === '') state.result += ' ';
  state.result += state.trailingBreaks + content;
  state.leadingBreak = lineBreak;
  state.trailingBreaks = '';
  state.blank = blank;
}

/** A line without its indentation; undefined when it holds nothing beyond it. */
function blockLine(line: string, indent: number): string | undefined {
  let column = 0;
  while (column < indent && line.charCodeAt(column) === 32) column++;
  return column < indent || column === line.length ? undefined : line.slice(indent);
}

/** The node ends with its last line of content; the empty lines after it belong to the scalar for `+` and its last break. */
function blockBodyEnd(text: string, from: number, indent: number): number {
  let end = from;
  for (let position = from; ;) {
    let column = 0;
    while (column < indent && text.charCodeAt(position) === 32) {
      position++;
      column++;
    }
    if (!isBreak(text.charCodeAt(position))) return end;
    if (text.charCodeAt(position) === 13 && text.charCodeAt(position + 1) === 10) position++;
    position++;
    end = position;
  }
}
