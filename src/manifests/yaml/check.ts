import { entriesOf, keyName } from './mapping.ts';
import type { Tree } from './mapping.ts';
import { NODE, resolveAlias } from './node.ts';
import type { YamlNode } from './node.ts';
import { isMergeKey, scalarValue, UNRESOLVED } from './scalar-value.ts';
import { MAX_DEPTH, STYLE, VERBATIM } from './scanner.ts';

/** Why a document that is well-formed is refused all the same. */
export interface ContentFault {
  readonly node: YamlNode;
  readonly message: string;
  /** The key that stands first, where `node` is its duplicate. */
  readonly duplicateOf?: YamlNode;
}

/**
 * What kubectl refuses in a well-formed document, and duplicate keys, which it takes silently: the first value is lost then.
 * Every node is looked at once, aliases are not followed.
 */
export function checkContent(tree: Tree, root: YamlNode): readonly ContentFault[] {
  const faults: ContentFault[] = [];
  const open: YamlNode[] = [root];
  let aliases = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === NODE.ALIAS) aliases++;
    else if (node.type === NODE.SCALAR) checkScalar(tree, node, faults);
    else {
      if (node.type === NODE.MAPPING) checkMapping(tree, node, faults);
      for (const child of node.children) open.push(child);
    }
  }
  if (aliases > 0) checkAliases(root, faults);
  return faults;
}

function checkScalar(tree: Tree, node: YamlNode, faults: ContentFault[]): void {
  if (node.tag === undefined || scalarValue(tree.text, node) !== UNRESOLVED) return;
  faults.push({ node, message: `this value is not what its tag ${shortTag(node.tag)} says` });
}

function shortTag(tag: string): string {
  return tag.replace('tag:yaml.org,2002:', '!!');
}

function checkMapping(tree: Tree, mapping: YamlNode, faults: ContentFault[]): void {
  if (hasPlainDistinctKeys(tree.text, mapping.children)) return;
  const { children } = mapping;
  const names = new Map<string, YamlNode>();
  for (let index = 0; index + 1 < children.length; index += 2) {
    const key = children[index];
    const value = children[index + 1];
    if (key === undefined || value === undefined) return;
    if (isMergeKey(tree.text, key)) {
      checkMerge(value, faults);
      continue;
    }
    const name = keyName(tree, key);
    if (name === undefined) {
      faults.push({ node: key, message: 'this cannot be a key: Kubernetes takes only strings, numbers and booleans' });
      continue;
    }
    const first = names.get(name);
    if (first === undefined) names.set(name, key);
    else faults.push({ node: key, message: `duplicate key "${name}"`, duplicateOf: first });
  }
}

const PLAIN = STYLE.PLAIN | VERBATIM;
/** Starts unlike a word, or is one of YAML's own. */
const NO_WORD = /^(?:[^A-Za-z_/]|(?:[yn]|yes|no|on|off|true|false|null)?$)/i;
/** More keys than this are compared by a map. */
const FEW_KEYS = 12;

/** True without a doubt for the usual mapping: a few keys that are words, no two of the same length and first letters. */
function hasPlainDistinctKeys(text: string, children: readonly YamlNode[]): boolean {
  if (children.length > FEW_KEYS * 2) return false;
  for (let index = 0; index < children.length; index += 2) {
    const key = children[index];
    if (key?.detail !== PLAIN || key.tag !== undefined || key.type !== NODE.SCALAR) return false;
    // Shorter words may be booleans and null, and other characters numbers or a merge.
    if (key.end - key.start < 6 || !isLetter(text.charCodeAt(key.start))) {
      if (NO_WORD.test(text.slice(key.start, key.end))) return false;
    }
    for (let other = 0; other < index; other += 2) if (mayBeEqual(text, key, children[other])) return false;
  }
  return true;
}

function isLetter(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122;
}

function mayBeEqual(text: string, a: YamlNode, b: YamlNode | undefined): boolean {
  return (
    b !== undefined &&
    a.end - a.start === b.end - b.start &&
    text.charCodeAt(a.start) === text.charCodeAt(b.start) &&
    text.charCodeAt(a.end - 1) === text.charCodeAt(b.end - 1) &&
    text.charCodeAt(a.start + 1) === text.charCodeAt(b.start + 1)
  );
}

function checkMerge(value: YamlNode, faults: ContentFault[]): void {
  const source = resolveAlias(value);
  const maps =
    source.type === NODE.SEQUENCE && value.type !== NODE.ALIAS ? source.children.map(resolveAlias) : [source];
  if (maps.every(({ type }) => type === NODE.MAPPING)) return;
  faults.push({ node: value, message: 'a merge (<<) needs a mapping or a list of mappings' });
}

/** How the message begins of a document that must not be walked, as it is far larger than its text. */
export const EXCESSIVE_ALIASING = 'document contains excessive aliasing';

/** Where aliases stand for more than this many nodes the document is refused, unless they are few of them. */
const FEW_NODES = 400_000;
const MANY_NODES = 4_000_000;

/** Aliases within aliases deeper than this are refused, as no stack would hold them. */
const MAX_EXPANDED_DEPTH = 2 * MAX_DEPTH;

/** What a node comes to with its aliases expanded. */
interface ExpandedSize {
  nodes: number;
  /** How many of them stand behind aliases. */
  aliased: number;
  depth: number;
}

/** go-yaml's measure against "billion laughs": how much of the expanded document comes from aliases. */
function checkAliases(root: YamlNode, faults: ContentFault[]): void {
  const { nodes, aliased, depth } = expandedSize(root, new Map());
  if (depth > MAX_EXPANDED_DEPTH) {
    faults.push({ node: root, message: `${EXCESSIVE_ALIASING}: it expands to ${depth} levels` });
  }
  if (nodes <= 1000 || aliased <= 100) return;
  const share = Math.min(Math.max((nodes - FEW_NODES) / (MANY_NODES - FEW_NODES), 0), 1);
  if (aliased / nodes > 0.99 - share * 0.89) {
    faults.push({ node: root, message: `${EXCESSIVE_ALIASING}: it expands to ${nodes.toPrecision(3)} values` });
  }
}

/** Aliases speak of what comes before them, so that in the order of the text every target is known already. */
function expandedSize(node: YamlNode, sizes: Map<YamlNode, ExpandedSize>): ExpandedSize {
  const known = sizes.get(node);
  if (known !== undefined) return known;
  const size: ExpandedSize = { nodes: 1, aliased: 0, depth: 1 };
  if (node.target !== undefined) {
    const { nodes, depth } = expandedSize(node.target, sizes);
    size.nodes += nodes;
    size.aliased += nodes;
    size.depth += depth;
  }
  for (const child of node.children) {
    const { nodes, aliased, depth } = expandedSize(child, sizes);
    size.nodes += nodes;
    size.aliased += aliased;
    size.depth = Math.max(size.depth, depth + 1);
  }
  if (node.type !== NODE.SCALAR) sizes.set(node, size);
  return size;
}

/** The value of a node as kubectl hands it on. Only for documents without content faults; aliases are expanded. */
export function plainValue(tree: Tree, node: YamlNode): unknown {
  const target = resolveAlias(node);
  if (target.type === NODE.SEQUENCE) return target.children.map((child) => plainValue(tree, child));
  if (target.type === NODE.MAPPING) {
    const pairs = [...entriesOf(tree, target)].map(([name, entry]) => [name, plainValue(tree, entry.value)] as const);
    return Object.fromEntries(pairs);
  }
  const value = scalarValue(tree.text, target);
  return value === UNRESOLVED ? undefined : value;
}
