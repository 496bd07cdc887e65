import type { FieldPath } from '../core/workload.ts';
import { hasKey, listPaths } from './argo-workflow.ts';
import { findField } from './document.ts';
import { formatPath } from './format-path.ts';
import { textOf } from './objects.ts';
import type { ObjectHead, PodSource } from './pod-source.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import type { Tree } from './yaml/mapping.ts';

/** Fields a Tekton pod template has of a pod spec. */
const POD_FIELDS = ['hostNetwork', 'hostUsers', 'securityContext', 'runtimeClassName', 'volumes'] as const;

const NO_TASK_FIELDS = 'Tekton makes the pod: set the field in the pod template of the run, where its version has it';

/** The steps of Tekton tasks are containers; a run may bring pod-level fields. Undefined for other kinds. */
export function tektonSources(
  tree: Tree,
  object: YamlNode,
  { group, kind }: ObjectHead,
): readonly PodSource[] | undefined {
  if (group !== 'tekton.dev') return undefined;
  switch (kind) {
    case 'Task':
    case 'ClusterTask':
      return taskSources(tree, object, ['spec']);
    case 'TaskRun':
      return runSources(tree, object, ['spec', 'podTemplate'], taskSources(tree, object, ['spec', 'taskSpec']));
    case 'Pipeline':
      return pipelineTasks(tree, object, ['spec']);
    case 'PipelineRun': {
      const template = ['spec', 'taskRunTemplate', 'podTemplate'];
      const path = isMapping(tree, object, template) ? template : ['spec', 'podTemplate'];
      const tasks = pipelineTasks(tree, object, ['spec', 'pipelineSpec']);
      return [...runSources(tree, object, path, tasks), ...taskTemplates(tree, object)];
    }
    default:
      return [];
  }
}

function taskSources(tree: Tree, object: YamlNode, path: FieldPath): readonly PodSource[] {
  const steps = listPaths(tree, object, [...path, 'steps']);
  if (steps.length === 0) return [];
  // What all steps take over from the template is told where it stands.
  const template = hasKey(tree, object, [...path, 'stepTemplate'], 'securityContext') ? [[...path, 'stepTemplate']] : [];
  const containers = [...steps, ...listPaths(tree, object, [...path, 'sidecars']), ...template];
  return [{ path, containers: { containers }, containersOnly: true, noPodFields: NO_TASK_FIELDS }];
}

function pipelineTasks(tree: Tree, object: YamlNode, path: FieldPath): readonly PodSource[] {
  return ['tasks', 'finally']
    .flatMap((list) => listPaths(tree, object, [...path, list]))
    .flatMap((task) => {
      const part = textOf(tree, object, ...task, 'name') ?? formatPath(task.slice(-2));
      return taskSources(tree, object, [...task, 'taskSpec']).map((source) => ({ ...source, part }));
    });
}

/** The pod template of a run holds for every task of it; without tasks of its own the template is judged alone. */
function runSources(
  tree: Tree,
  object: YamlNode,
  template: FieldPath,
  tasks: readonly PodSource[],
): readonly PodSource[] {
  if (!isMapping(tree, object, template)) return tasks;
  if (tasks.length === 0) return [{ path: template, containersOnly: true, noPodFields: NO_TASK_FIELDS }];
  const fields = Object.fromEntries(
    POD_FIELDS.filter((field) => hasKey(tree, object, template, field)).map((field) => [field, [...template, field]]),
  );
  return tasks.map((task) => ({ ...task, fields }));
}

/** The pod templates a pipeline run has for single tasks, under the names of both versions. */
function taskTemplates(tree: Tree, object: YamlNode): readonly PodSource[] {
  return listPaths(tree, object, ['spec', 'taskRunSpecs']).flatMap((path) =>
    ['podTemplate', 'taskPodTemplate']
      .map((field) => [...path, field])
      .filter((template) => isMapping(tree, object, template))
      .map((template) => ({
        path: template,
        part: textOf(tree, object, ...path, 'pipelineTaskName') ?? formatPath(path.slice(-2)),
        containersOnly: true,
        noPodFields: NO_TASK_FIELDS,
      })),
  );
}

function isMapping(tree: Tree, object: YamlNode, path: FieldPath): boolean {
  const found = findField(tree, object, path);
  return found !== undefined && resolveAlias(found.value).type === NODE.MAPPING;
}
