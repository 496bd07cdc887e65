import { NODE, resolveAlias } from './node.ts';
import type { YamlNode } from './node.ts';
import { isMergeKey, scalarValue, UNRESOLVED } from './scalar-value.ts';

/** A pair of a mapping; both nodes as they stand, aliases included. */
export interface Entry {
  readonly key: YamlNode;
  readonly value: YamlNode;
}

/** One object in memory, read from a text. */
export interface Tree {
  /** The whole text, with a closing NUL. */
  readonly text: string;
  /** Mappings looked into already. */
  readonly entries: Map<YamlNode, ReadonlyMap<string, Entry>>;
}

const NO_ENTRIES: ReadonlyMap<string, Entry> = new Map();

/**
 * The pairs of a mapping by name, aliases followed and merge keys taken in the way go-yaml v2 does: in the order of the text,
 * so that `<<` overrides what stands before it. The last of two equal keys wins. Empty for what is not a mapping.
 */
export function entriesOf(tree: Tree, node: YamlNode): ReadonlyMap<string, Entry> {
  const mapping = resolveAlias(node);
  if (mapping.type !== NODE.MAPPING) return NO_ENTRIES;
  const known = tree.entries.get(mapping);
  if (known !== undefined) return known;
  const entries = new Map<string, Entry>();
  const { children } = mapping;
  for (let index = 0; index + 1 < children.length; index += 2) {
    const key = children[index];
    const value = children[index + 1];
    if (key === undefined || value === undefined) break;
    if (isMergeKey(tree.text, key)) {
      for (const source of mergeSources(value)) {
        for (const [name, entry] of entriesOf(tree, source)) entries.set(name, entry);
      }
    } else {
      const name = keyName(tree, key);
      if (name !== undefined) entries.set(name, { key, value });
    }
  }
  tree.entries.set(mapping, entries);
  return entries;
}

/** The mappings behind `<<`, in the order they are laid over each other: of a list the first wins. */
function mergeSources(value: YamlNode): readonly YamlNode[] {
  const source = resolveAlias(value);
  return source.type === NODE.SEQUENCE ? source.children.toReversed() : [source];
}

/** A key as text, as sigs.k8s.io/yaml turns it into JSON; undefined where it cannot be. */
export function keyName(tree: Tree, key: YamlNode): string | undefined {
  const node = resolveAlias(key);
  if (node.type !== NODE.SCALAR) return undefined;
  const value = scalarValue(tree.text, node);
  if (value === null || value === UNRESOLVED) return undefined;
  return typeof value === 'number' ? numberName(value) : String(value);
}

function numberName(value: number): string {
  if (value === Infinity) return '.inf';
  if (value === -Infinity) return '-.inf';
  return Number.isNaN(value) ? '.nan' : String(value);
}
