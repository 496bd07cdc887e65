import { entriesOf, keyName } from './mapping.ts';
import type { Tree } from './mapping.ts';
import { NODE, resolveAlias } from './node.ts';
import type { YamlNode } from './node.ts';
import { isMergeKey, scalarValue, UNRESOLVED } from './scalar-value.ts';

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

/** go-yaml's measure against "billion laughs": how much of the expanded document comes from aliases. */
function checkAliases(root: YamlNode, faults: ContentFault[]): void {
  const sizes = new Map<YamlNode, { nodes: number; aliased: number }>();
  const { nodes, aliased } = expandedSize(root, sizes);
  if (nodes <= 1000 || aliased <= 100) return;
  const share = Math.min(Math.max((nodes - FEW_NODES) / (MANY_NODES - FEW_NODES), 0), 1);
  if (aliased / nodes > 0.99 - share * 0.89) {
    faults.push({
      node: root,
      message: `${EXCESSIVE_ALIASING}: it expands to ${nodes.toPrecision(3)} values`,
    });
  }
}

function expandedSize(
  node: YamlNode,
  sizes: Map<YamlNode, { nodes: number; aliased: number }>,
): { nodes: number; aliased: number } {
  if (node.type === NODE.SCALAR) return { nodes: 1, aliased: 0 };
  const known = sizes.get(node);
  if (known !== undefined) return known;
  const size = { nodes: 1, aliased: 0 };
  if (node.target !== undefined) {
    const { nodes } = expandedSize(node.target, sizes);
    size.nodes += nodes;
    size.aliased += nodes;
  }
  for (const child of node.children) {
    const { nodes, aliased } = expandedSize(child, sizes);
    size.nodes += nodes;
    size.aliased += aliased;
  }
  sizes.set(node, size);
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
