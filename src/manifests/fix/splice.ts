import type { FieldPath } from '../../core/workload.ts';
import { findField } from '../document.ts';
import type { FoundField, ParsedChunk } from '../document.ts';
import { positionOf } from '../place.ts';
import type { Entry } from '../yaml/mapping.ts';
import { FLOW, NODE } from '../yaml/node.ts';
import type { YamlNode } from '../yaml/node.ts';
import { scalarStyle } from '../yaml/scalar-text.ts';
import { scalarValue } from '../yaml/scalar-value.ts';
import { STYLE } from '../yaml/scanner.ts';

/** Replaces text[start, end). */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What an edit comes to: a change of the text, nothing to change, or why it cannot be made. */
export type Spliced = Splice | 'unchanged' | { readonly refused: string };

export type EditValue = boolean | string | number;

/** Sets the field at a path from the root of a document. */
export function setField(parsed: ParsedChunk, root: YamlNode, path: FieldPath, value: EditValue): Spliced {
  const shared = sharedPart(parsed, root, path);
  if (shared !== undefined) return { refused: shared };
  const found = findField(parsed, root, path);
  if (found !== undefined) return replaceValue(parsed, found, value);
  const key = path.at(-1);
  const parent = findField(parsed, root, path.slice(0, -1));
  if (parent?.value.type !== NODE.MAPPING || typeof key !== 'string') {
    return { refused: `there is no ${path.slice(0, -1).join('.')} to put it in: add it by hand` };
  }
  return (parent.value.detail & FLOW) === 0
    ? insertInBlock(parsed.text, parent, key, value)
    : insertInFlow(parsed, parent.value, key, value);
}

/** Takes away the field at a path from the root of a document. */
export function removeField(parsed: ParsedChunk, root: YamlNode, path: FieldPath): Spliced {
  if (findField(parsed, root, path) === undefined) return 'unchanged';
  const shared = sharedPart(parsed, root, path);
  if (shared !== undefined) return { refused: shared };
  const parent = findField(parsed, root, path.slice(0, -1));
  const entry = findField(parsed, root, path);
  if (parent === undefined || entry?.key === undefined) return { refused: 'an element of a list is not removed' };
  const owned = { key: entry.key, value: entry.value };
  const inFlow = (parent.value.detail & FLOW) !== 0;
  return inFlow ? removeFromFlow(parsed.text, parent.value, owned) : removeFromBlock(parsed.text, parent, owned);
}

/** Why a field is written somewhere else than at its own path: an alias or a merge; undefined where it is not. */
function sharedPart(parsed: ParsedChunk, root: YamlNode, path: FieldPath): string | undefined {
  for (let depth = 1; depth <= path.length; depth++) {
    const found = findField(parsed, root, path.slice(0, depth));
    if (found === undefined) return undefined;
    const name = path.slice(0, depth).join('.');
    if (found.value.type === NODE.ALIAS) {
      const { line } = positionOf(parsed.chunk, found.value.target?.start ?? 0);
      return `${name} is an alias of what is written on line ${line}: edit it there, for all that share it`;
    }
    const isOwn = found.key === undefined || found.parent?.children.includes(found.key) === true;
    if (!isOwn) {
      const { line } = positionOf(parsed.chunk, found.value.start);
      return `${name} is merged (<<) from line ${line}: edit it there, for all that share it`;
    }
  }
  return undefined;
}

function replaceValue({ text, syntax }: ParsedChunk, { value: node }: FoundField, value: EditValue): Spliced {
  if (node.type !== NODE.SCALAR) return { refused: 'a mapping or list stands there: edit it by hand' };
  if (scalarValue(text, node) === value) return 'unchanged';
  const written = writeValue(value, syntax === 'json');
  // An empty value begins right after the colon.
  return { start: node.start, end: node.end, text: node.start === node.end ? ` ${written}` : written };
}

function writeValue(value: EditValue, json: boolean): string {
  if (typeof value !== 'string') return String(value);
  return json || !/^[A-Za-z][\w./-]*$/.test(value) ? JSON.stringify(value) : value;
}

/** A line of its own below the key of the mapping, above the comments there, which belong to what follows them. */
function insertInBlock(
  text: string,
  { key: parentKey, value: mapping }: FoundField,
  key: string,
  value: EditValue,
): Splice {
  const column = mapping.start - lineStartOf(text, mapping.start);
  const written = `${key}: ${writeValue(value, false)}`;
  const below = parentKey === undefined ? -1 : text.indexOf('\n', parentKey.end) + 1;
  if (below > 0 && below <= mapping.start) {
    const eol = text.charAt(below - 2) === '\r' ? '\r\n' : '\n';
    return { start: below, end: below, text: `${' '.repeat(column)}${written}${eol}` };
  }
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
  return { start: mapping.start, end: mapping.start, text: `${written}${eol}${' '.repeat(column)}` };
}

/** The first of the pairs in brackets, laid out as the one that was first. */
function insertInFlow({ text, syntax }: ParsedChunk, mapping: YamlNode, key: string, value: EditValue): Splice {
  const [first, firstValue] = mapping.children;
  const at = mapping.start + 1;
  const quoted = syntax === 'json' || (first !== undefined && scalarStyle(first) === STYLE.DOUBLE);
  const name = quoted ? JSON.stringify(key) : key;
  const written = writeValue(value, quoted);
  if (first === undefined || firstValue === undefined) return { start: at, end: at, text: `${name}: ${written}` };
  const lead = text.slice(at, first.start);
  const layout = /^\s*$/.test(lead) ? lead : '';
  const between = text.slice(first.end, firstValue.start);
  const colon = quoted && /^\s*:\s*$/.test(between) && !between.includes('\n') ? between : ': ';
  const gap = layout.includes('\n') ? '' : quoted && colon === ':' ? '' : ' ';
  return layout.includes('\n')
    ? { start: at, end: at, text: `${layout}${name}${colon}${written},` }
    : { start: at + layout.length, end: at + layout.length, text: `${name}${colon}${written},${gap}` };
}

/** The lines of the pair, its comment beside it included; comments above stay. */
function removeFromBlock(text: string, parent: FoundField, { key, value }: Entry): Spliced {
  const { children } = parent.value;
  const next = children[children.indexOf(key) + 2];
  const lineStart = lineStartOf(text, key.start);
  const standsAlone = /^[ \t]*$/.test(text.slice(lineStart, key.start));
  const end = endOfLine(text, Math.max(value.end, key.end));
  if (children.length === 2) return emptyMapping(text, parent, { start: lineStart, end });
  if (standsAlone) return { start: lineStart, end, text: '' };
  // The first pair of `- key: value`: the next takes its place.
  if (next === undefined) return { refused: 'its layout is unusual: remove it by hand' };
  if (text.slice(value.end, next.start).includes('#')) return { refused: 'comments stand between: remove it by hand' };
  return { start: key.start, end: next.start, text: '' };
}

/** `{}` instead of the only pair, as nothing would mean null. */
function emptyMapping(text: string, { key, value }: FoundField, lines: { start: number; end: number }): Spliced {
  if (key === undefined) return { refused: 'it is all there is: remove it by hand' };
  const colon = text.indexOf(':', key.end);
  if (colon === -1 || colon > value.start || !/^:[ \t]*\r?\n[ \t]*$/.test(text.slice(colon, value.start))) {
    return { refused: 'its layout is unusual: remove it by hand' };
  }
  const eol = /\r?\n$/.exec(text.slice(lines.start, lines.end))?.[0] ?? '';
  return { start: colon + 1, end: lines.end, text: ` {}${eol}` };
}

function removeFromFlow(text: string, mapping: YamlNode, { key, value }: Entry): Spliced {
  const { children } = mapping;
  const index = children.indexOf(key);
  const next = children[index + 2];
  const previous = children[index - 1];
  const end = Math.max(value.end, key.end);
  const beside = next === undefined ? text.slice(previous?.end ?? key.start, key.start) : text.slice(end, next.start);
  if (beside.includes('#')) return removeFlowLine(text, key.start, end);
  if (next !== undefined) return { start: key.start, end: next.start, text: '' };
  return { start: previous?.end ?? key.start, end, text: '' };
}

/** Comments of its neighbors stay where the pair has a line to itself; the one beside it goes with it. */
function removeFlowLine(text: string, keyStart: number, valueEnd: number): Spliced {
  const start = lineStartOf(text, keyStart);
  const rest = /^[ \t]*,?[ \t]*(?:#[^\r\n]*)?\r?\n/.exec(text.slice(valueEnd))?.[0];
  if (rest === undefined || !/^[ \t]*$/.test(text.slice(start, keyStart)))
    return { refused: 'comments stand between: remove it by hand' };
  return { start, end: valueEnd + rest.length, text: '' };
}

function lineStartOf(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** After the line break of the line an offset is on. */
function endOfLine(text: string, offset: number): number {
  const at = text.indexOf('\n', offset);
  return at === -1 ? text.length - 1 : at + 1;
}
