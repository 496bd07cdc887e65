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
  if (own.length > 0) return own.flatMap(({ path }) => expand(tree, object, path)).map(withPart);
  const special = argoSources(tree, object, head) ?? tektonSources(tree, object, head);
  if (special !== undefined) return special;
  if (head.group === 'apps.kruise.io' && head.kind === 'SidecarSet')
    return [{ path: ['spec'], containersOnly: true, noPodFields: NO_SIDECAR_FIELDS }];
  const { certain, paths } = podSpecPathsOf(head.group, head.kind);
  const found = paths
    .flatMap((path) => expand(tree, object, path.split('.')))
    .filter((path) => certain || hasContainers(tree, object, path));
  const sources = found.length > 1 ? found.map(withPart) : found.map((path) => ({ path }));
  return head.group === 'serving.kserve.io' ? sources.map((source) => withModel(tree, object, source)) : sources;
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

/** What tells pods of one object apart: the path without the words that lead to every pod spec. */
function withPart(path: FieldPath): PodSource {
  const telling = path.filter(
    (step) => !['spec', 'template', 'podTemplate', 'install', 'jobTemplate'].includes(String(step)),
  );
  return telling.length === 0 ? { path } : { path, part: telling.join('.') };
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
