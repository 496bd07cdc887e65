import type { FieldPath } from '../core/workload.ts';
import { findField } from './document.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Tree } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import { scalarText } from './yaml/scalar-text.ts';

/** A Kubernetes object in a document: the whole of it, or an element of a List or Template. */
export interface PlacedObject {
  readonly node: YamlNode;
  /** From the root of the document. */
  readonly path: FieldPath;
  readonly apiVersion: string;
  readonly kind: string;
  /** It is part of a template of objects: `${NAME}`, `$(name)` stand for a parameter. */
  readonly templated: boolean;
}

/** Lists within lists deeper than this are not looked into. */
const MAX_NESTED_LISTS = 16;

/** The objects of a document, lists and templates opened. An element of a typed list may leave out its kind. */
export function* objectsOf(tree: Tree, root: YamlNode): Iterable<PlacedObject> {
  yield* objectsAt(tree, { node: root, path: [], apiVersion: '', kind: '', templated: false });
}

function* objectsAt(tree: Tree, outer: PlacedObject): Iterable<PlacedObject> {
  const node = resolveAlias(outer.node);
  if (outer.path.length > MAX_NESTED_LISTS) return;
  if (node.type === NODE.SEQUENCE && outer.path.length === 0) {
    for (const [index, child] of node.children.entries())
      yield* objectsAt(tree, { ...outer, node: child, path: [index] });
  }
  if (node.type !== NODE.MAPPING) return;
  const apiVersion = textOf(tree, node, 'apiVersion') ?? outer.apiVersion;
  const kind = textOf(tree, node, 'kind') ?? outer.kind;
  const object: PlacedObject = { ...outer, node, apiVersion, kind };
  const inner = innerList(tree, object);
  if (inner === undefined) {
    if (kind !== '') yield object;
    for (const whole of wholeObjectsIn(tree, object)) yield* objectsAt(tree, whole);
    return;
  }
  const itemKind = kind === 'List' || inner.name === 'objects' ? '' : kind.slice(0, -'List'.length);
  for (const [index, child] of inner.list.children.entries()) {
    yield* objectsAt(tree, {
      node: child,
      path: [...object.path, inner.name, index],
      apiVersion: itemKind === '' ? '' : apiVersion,
      kind: itemKind,
      templated: object.templated || inner.name === 'objects',
    });
  }
}

/** Where kinds keep whole objects that a controller creates, by API group; a list gives each of its elements. */
const WHOLE_OBJECTS: Readonly<Record<string, Readonly<Record<string, FieldPath>>>> = {
  'triggers.tekton.dev': { TriggerTemplate: ['spec', 'resourcetemplates'] },
  'kubeflow.org': { Experiment: ['spec', 'trialTemplate', 'trialSpec'] },
  'work.open-cluster-management.io': { ManifestWork: ['spec', 'workload', 'manifests'] },
};

function wholeObjectsIn(tree: Tree, object: PlacedObject): readonly PlacedObject[] {
  const group = groupOf(object.apiVersion);
  const kinds = Object.hasOwn(WHOLE_OBJECTS, group) ? WHOLE_OBJECTS[group] : undefined;
  const path = kinds !== undefined && Object.hasOwn(kinds, object.kind) ? kinds[object.kind] : undefined;
  const found = path && findField(tree, object.node, path);
  if (path === undefined || found === undefined) return [];
  const target = resolveAlias(found.value);
  const placed = (node: YamlNode, below: FieldPath): PlacedObject => {
    return { node, path: [...object.path, ...path, ...below], apiVersion: '', kind: '', templated: true };
  };
  if (target.type !== NODE.SEQUENCE) return [placed(target, [])];
  return target.children.map((child, index) => placed(child, [index]));
}

/** The list of further objects of a List or an OpenShift Template. */
function innerList(tree: Tree, { node, kind, apiVersion }: PlacedObject): { name: string; list: YamlNode } | undefined {
  const isTemplate =
    (kind === 'Template' || kind === 'ProcessedTemplate') &&
    (apiVersion === 'v1' || apiVersion === '' || apiVersion.startsWith('template.openshift.io/'));
  const name = isTemplate ? 'objects' : kind.endsWith('List') ? 'items' : undefined;
  const value = name === undefined ? undefined : entriesOf(tree, node).get(name)?.value;
  if (name === undefined || value === undefined) return undefined;
  const list = resolveAlias(value);
  return list.type === NODE.SEQUENCE ? { name, list } : undefined;
}

/** The text of a scalar field. */
export function textOf(tree: Tree, object: YamlNode, ...path: readonly (string | number)[]): string | undefined {
  const found = findField(tree, object, path);
  if (found === undefined) return undefined;
  const node = resolveAlias(found.value);
  return node.type === NODE.SCALAR ? scalarText(tree.text, node) : undefined;
}

/** `apps/v1` → `apps`, `v1` → ``. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.lastIndexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}
