import type { FieldPath } from '../core/workload.ts';
import type { ObjectHead, PodSource } from './pod-source.ts';
import { findField } from './document.ts';
import { textOf } from './objects.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import type { Tree } from './yaml/mapping.ts';
import { entriesOf } from './yaml/mapping.ts';

const SPEC_PATHS: ReadonlyMap<string, FieldPath> = new Map<string, FieldPath>([
  ['Workflow', ['spec']],
  ['WorkflowTemplate', ['spec']],
  ['ClusterWorkflowTemplate', ['spec']],
  ['CronWorkflow', ['spec', 'workflowSpec']],
]);

/** Each template of an Argo workflow that runs containers is a pod; undefined for other kinds. */
export function argoSources(
  tree: Tree,
  object: YamlNode,
  { group, kind }: ObjectHead,
): readonly PodSource[] | undefined {
  const spec = group === 'argoproj.io' ? SPEC_PATHS.get(kind) : undefined;
  if (spec === undefined) return undefined;
  const templates = listPaths(tree, object, [...spec, 'templates']);
  const defaults = templateSource(tree, object, spec, [...spec, 'templateDefaults']).map(
    // What all templates take over is told where it stands; the rest of a pod is theirs.
    (source): PodSource => ({ ...source, part: 'templateDefaults', fields: {}, containersOnly: true }),
  );
  return [...templates.flatMap((path) => templateSource(tree, object, spec, path)), ...defaults];
}

/** Paths of the elements of a list that are mappings. */
export function listPaths(tree: Tree, object: YamlNode, path: FieldPath): readonly FieldPath[] {
  const found = findField(tree, object, path);
  if (found === undefined) return [];
  const list = resolveAlias(found.value);
  return list.type !== NODE.SEQUENCE ? [] : list.children.map((_, index) => [...path, index]);
}

/** True where a mapping has one of the keys. */
export function hasKey(tree: Tree, object: YamlNode, path: FieldPath, key: string): boolean {
  const found = findField(tree, object, path);
  return found !== undefined && entriesOf(tree, found.value).has(key);
}

function templateSource(tree: Tree, object: YamlNode, spec: FieldPath, path: FieldPath): readonly PodSource[] {
  const single = ['container', 'script'].filter((key) => hasKey(tree, object, path, key)).map((key) => [...path, key]);
  const main = [...single, ...listPaths(tree, object, [...path, 'containerSet', 'containers'])];
  if (main.length === 0) return [];
  const fields = Object.fromEntries(
    ['securityContext', 'volumes']
      .filter((key) => !hasKey(tree, object, path, key))
      .map((key) => [key, [...spec, key]] as const),
  );
  return [
    {
      path,
      // A template has no field for a host namespace or for hostUsers: all pods of the workflow share the workflow's.
      fields: { ...fields, hostNetwork: [...spec, 'hostNetwork'] },
      containers: {
        initContainers: listPaths(tree, object, [...path, 'initContainers']),
        containers: [...main, ...listPaths(tree, object, [...path, 'sidecars'])],
      },
      part: textOf(tree, object, ...path, 'name') ?? String(path.at(-1)),
      noPodFields: 'an Argo template has no such field: set it in the podSpecPatch of the workflow',
    },
  ];
}
