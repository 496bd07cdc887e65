import type { FieldPath } from '../core/workload.ts';
import type { PodSpecPath } from './manifest.ts';
import { argoSources } from './argo-workflow.ts';
import { tektonSources } from './tekton.ts';
import { podSpecPathsOf } from './workload-kinds.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Tree } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import { findField } from './document.ts';
import { textOf } from './objects.ts';
import { formatPath } from './format-path.ts';

/** Where in an object the parts of one pod stand; all paths from the object. */
export interface PodSource {
  /** The pod spec, or what comes nearest to one: pod-level fields stand here. */
  readonly path: FieldPath;
  /** Pod-level fields that stand elsewhere. */
  readonly fields?: Readonly<Record<string, FieldPath>>;
  /** Containers that stand elsewhere, one path each. */
  readonly containers?: Readonly<Partial<Record<'initContainers' | 'containers', readonly FieldPath[]>>>;
  /** Added to the object's name where it has several pods: `headGroupSpec`. */
  readonly part?: string;
  /** The pod belongs to another object: fields that are missing here say nothing. */
  readonly containersOnly?: boolean;
  /** Why pod-level fields cannot be added here, and where they can. */
  readonly noPodFields?: string;
}

export interface ObjectHead {
  /** Without version: `apps`; empty for the core group. */
  readonly group: string;
  readonly kind: string;
}

const NO_SIDECAR_FIELDS = 'a SidecarSet only adds containers: set the field in the pods they are added to';

/** The pods an object describes; none for an object that is no workload. */
export function podSources(
  tree: Tree,
  object: YamlNode,
  head: ObjectHead,
  custom: readonly PodSpecPath[],
): readonly PodSource[] {
  const own = custom.filter(({ kind }) => kind === head.kind);
  if (own.length > 0) return own.flatMap(({ path }) => sourcesAt(tree, object, path, own.length > 1));
  const special = argoSources(tree, object, head) ?? tektonSources(tree, object, head);
  if (special !== undefined) return special;
  if (head.group === 'apps.kruise.io' && head.kind === 'SidecarSet') {
    return [{ path: ['spec'], containersOnly: true, noPodFields: NO_SIDECAR_FIELDS }];
  }
  const { certain, paths } = podSpecPathsOf(head.group, head.kind);
  const sources = paths
    .flatMap((path) => sourcesAt(tree, object, path.split('.'), certain && paths.length > 1))
    .filter(({ path }) => certain || hasContainers(tree, object, path));
  return head.group === 'serving.kserve.io' ? sources.map((source) => withModel(tree, object, source)) : sources;
}

/** The pods at a pattern. They get a part where there may be several, even if there is one: names must not change by another. */
function sourcesAt(tree: Tree, object: YamlNode, pattern: FieldPath, oneOfSeveral: boolean): readonly PodSource[] {
  return expand(tree, object, pattern).map((path) => {
    const part = oneOfSeveral || pattern.includes('*') ? partName(tree, object, pattern, path) : '';
    return part === '' ? { path } : { path, part };
  });
}

/** Steps on the way to every pod spec, which tell nothing apart. */
const COMMON_STEPS = new Set([
  'spec',
  'template',
  'podTemplate',
  'install',
  'jobTemplate',
  'rayClusterSpec',
  'rayClusterConfig',
  'leaderWorkerTemplate',
  'provider',
  'job',
]);

/** `headGroupSpec`, `Master`, the name of an element of a list. */
function partName(tree: Tree, object: YamlNode, pattern: FieldPath, path: FieldPath): string {
  return path
    .flatMap((step, index) => {
      if (pattern[index] !== '*') return pattern[index + 1] === '*' || COMMON_STEPS.has(String(step)) ? [] : [step];
      return typeof step === 'number' ? [elementName(tree, object, path.slice(0, index + 1))] : [step];
    })
    .join('.');
}

/** An element of a list by its name, else by its index: `tasks[0]`. */
function elementName(tree: Tree, object: YamlNode, path: FieldPath): string {
  const name = ['name', 'groupName']
    .map((field) => textOf(tree, object, ...path, field))
    .find((text) => text !== undefined);
  return name ?? formatPath(path.slice(-2));
}

/** The paths that lead to a mapping, `*` replaced by every index or key there is. */
export function expand(tree: Tree, object: YamlNode, pattern: FieldPath): readonly FieldPath[] {
  let paths: FieldPath[] = [[]];
  for (const step of pattern) {
    paths = paths.flatMap((path) => {
      const node = findField(tree, object, path)?.value;
      if (node === undefined) return [];
      return step === '*' ? childSteps(tree, node).map((child) => [...path, child]) : [[...path, step]];
    });
  }
  return paths.filter((path) => {
    const found = findField(tree, object, path);
    return found !== undefined && resolveAlias(found.value).type === NODE.MAPPING;
  });
}

function childSteps(tree: Tree, node: YamlNode): FieldPath {
  const target = resolveAlias(node);
  return target.type === NODE.SEQUENCE ? target.children.map((_, index) => index) : [...entriesOf(tree, target).keys()];
}

function hasContainers(tree: Tree, object: YamlNode, path: FieldPath): boolean {
  const containers = findField(tree, object, [...path, 'containers'])?.value;
  if (containers === undefined) return false;
  const list = resolveAlias(containers);
  return list.type === NODE.SEQUENCE && list.children.some((child) => resolveAlias(child).type === NODE.MAPPING);
}

/** The model servers of KServe are containers by another name. */
const MODEL_SERVERS = [
  'model',
  'sklearn',
  'xgboost',
  'tensorflow',
  'pytorch',
  'triton',
  'onnx',
  'pmml',
  'lightgbm',
  'paddle',
  'huggingface',
  'mlflow',
];

function withModel(tree: Tree, object: YamlNode, source: PodSource): PodSource {
  const servers = MODEL_SERVERS.map((name) => [...source.path, name]).filter(
    (path) => expand(tree, object, path).length > 0,
  );
  if (servers.length === 0) return source;
  return {
    ...source,
    containers: { containers: [...servers, ...expand(tree, object, [...source.path, 'containers', '*'])] },
  };
}
