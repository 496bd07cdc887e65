import type { FieldPath } from '../core/workload.ts';
import { jsonStart } from './chunk.ts';
import type { Chunk } from './chunk.ts';
import { parseJson } from './json.ts';
import { syntaxFault } from './syntax-error.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Tree } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import type { Outline } from './yaml/outline.ts';
import { parseYaml } from './yaml/parse.ts';

/** The documents of a chunk: one, but for `...` in YAML and values in a row in JSON. */
export interface ParsedChunk extends Tree {
  readonly chunk: Chunk;
  readonly syntax: Syntax;
  readonly roots: readonly YamlNode[];
}

export type Syntax = 'yaml' | 'json';

/** What hardly any file has, so that one look finds it clean. */
const SUSPICIOUS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]/;
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;
const ODD_BREAK = /\r(?!\n)|[\u0085\u2028\u2029]/;

/** For `isWanted` see parseYaml. Throws a SyntaxFault, its offset counted within the chunk. */
export function parseChunk(chunk: Chunk, syntax: Syntax, isWanted?: (outline: Outline) => boolean): ParsedChunk {
  const { text, limit } = chunk;
  const roots =
    syntax === 'json' ? parseJson(text, jsonStart(chunk) ?? 0, limit) : parseYamlChunk(text, limit, isWanted);
  return { chunk, syntax, text, roots, entries: new Map() };
}

function parseYamlChunk(text: string, limit: number, isWanted?: (outline: Outline) => boolean): YamlNode[] {
  const suspicious = text.search(SUSPICIOUS);
  if (suspicious === -1 || suspicious >= limit) return parseYaml(text, limit, false, isWanted);
  const forbidden = text.search(FORBIDDEN);
  if (forbidden >= 0 && forbidden < limit) {
    const code = text.charCodeAt(forbidden).toString(16).padStart(4, '0').toUpperCase();
    throw syntaxFault(forbidden, `control characters are not allowed: found U+${code}`);
  }
  return parseYaml(text, limit, ODD_BREAK.test(text), isWanted);
}

let latest: ParsedChunk | undefined;

/**
 * The parsed chunk again. Workloads hold their text alone, not the nodes, which are ten times as large; only the few with
 * findings are looked up, one after the other, so that remembering one chunk is enough.
 */
export function parseAgain(chunk: Chunk, syntax: Syntax): ParsedChunk {
  if (latest?.chunk !== chunk) latest = parseChunk(chunk, syntax);
  return latest;
}

/** A field found by its path: as it stands, and what an alias at its place stands for. */
export interface FoundField {
  /** Missing for an element of a list, and for the root. */
  readonly key: YamlNode | undefined;
  readonly value: YamlNode;
  /** The mapping or list that holds it, undefined for the root. */
  readonly parent: YamlNode | undefined;
}

/** The field at a path, through aliases and merge keys; undefined where there is none. */
export function findField(tree: Tree, root: YamlNode, path: FieldPath): FoundField | undefined {
  let found: FoundField = { key: undefined, value: root, parent: undefined };
  for (const step of path) {
    const parent = resolveAlias(found.value);
    if (typeof step === 'number') {
      const value = parent.type === NODE.SEQUENCE ? parent.children[step] : undefined;
      if (value === undefined) return undefined;
      found = { key: undefined, value, parent };
    } else {
      const entry = entriesOf(tree, parent).get(step);
      if (entry === undefined) return undefined;
      found = { ...entry, parent };
    }
  }
  return found;
}

/** The field at a path or the nearest of its parents that is there, and how much of the path was found. */
export function findNearest(tree: Tree, root: YamlNode, path: FieldPath): FoundField & { readonly depth: number } {
  for (let depth = path.length; depth > 0; depth--) {
    const found = findField(tree, root, path.slice(0, depth));
    if (found !== undefined) return { ...found, depth };
  }
  return { key: undefined, value: root, parent: undefined, depth: 0 };
}
