import type { AdoptionObstacle } from '../cluster/adoption-obstacles.ts';
import type { PlannedWorkload } from '../cluster/adoption-plan.ts';
import { printable } from '../core/text.ts';
import type { FieldPath, Workload } from '../core/workload.ts';
import { placeText } from './scan-report.ts';

/** A file for `kubectl patch --patch-file` and for `patches` of a kustomization. */
export interface AdoptionPatch {
  /** `shop.deployment.web.yaml` */
  readonly file: string;
  readonly text: string;
}

/** Obstacles that the patch itself takes away. */
const LIFTED: readonly AdoptionObstacle['cause'][] = ['host-users'];

/** Groups of Kubernetes itself, for which kubectl knows strategic merge; others take a merge patch, the same for one field. */
const BUILT_IN_GROUPS = ['', 'apps', 'batch'];

/** Kinds whose pods can not be changed once they are there. */
const IMMUTABLE: Readonly<Record<string, string>> = {
  Pod: 'A pod that runs can not be changed: delete it, and create it anew.',
  Job: 'The template of a job that was started can not be changed: delete it, and create it anew.',
};

/**
 * The one line as a patch of the object, or why there is none. `path` is where hostUsers stands in the object (`podFieldPath`). A patch is made for
 * what is ready, and for what only has to lose its hostUsers: true.
 */
export function createAdoptionPatch(
  planned: PlannedWorkload,
  path: FieldPath | { readonly refused: string },
): AdoptionPatch | { readonly refused: string } {
  const { workload } = planned;
  const refused = refusal(planned, path);
  if (refused !== undefined || 'refused' in path) return { refused: refused ?? '' };
  const { apiVersion, kind, namespace } = workload;
  const file = `${[namespace, kind.toLowerCase(), workload.name.replaceAll('/', '.')].filter(Boolean).join('.')}.yaml`;
  const fields = path.map((key, depth) => {
    const value = depth === path.length - 1 ? ' false' : '';
    return `${'  '.repeat(depth)}${scalar(String(key))}:${value}`;
  });
  const lines = [
    ...remarks(workload, file),
    `apiVersion: ${scalar(apiVersion)}`,
    `kind: ${scalar(kind)}`,
    'metadata:',
    `  name: ${scalar(objectName(workload))}`,
    ...(namespace === undefined ? [] : [`  namespace: ${scalar(namespace)}`]),
    ...fields,
  ];
  return { file, text: `${lines.join('\n')}\n` };
}

function refusal(
  { workload, standing, obstacles }: PlannedWorkload,
  path: Parameters<typeof createAdoptionPatch>[1],
): string | undefined {
  if (standing !== 'ready' && !(standing === 'change' && obstacles.every(({ cause }) => LIFTED.includes(cause))))
    return 'something else has to change first';
  if ('refused' in path) return path.refused;
  if (workload.apiVersion === '') return 'its apiVersion is missing';
  const names = [objectName(workload), workload.namespace ?? 'default'];
  const unfinished = names.find((text) => !/^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(text));
  if (unfinished !== undefined) return `'${printable(unfinished)}' is no name of an object yet`;
  return path.some((step) => typeof step === 'number')
    ? 'it stands in a list, which a patch would replace as a whole'
    : undefined;
}

/** Without the part of an object that makes several pods. */
function objectName({ name }: Workload): string {
  return name.replace(/\/.*$/, '');
}

/** What it is for, the command, and what that needs. */
function remarks(workload: Workload, file: string): readonly string[] {
  const { apiVersion, kind, namespace } = workload;
  const name = objectName(workload);
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const resource = group === '' ? kind.toLowerCase() : `${kind.toLowerCase()}.${version}.${group}`;
  const where = namespace === undefined ? '' : ` --namespace ${namespace}`;
  const type = BUILT_IN_GROUPS.includes(group) ? '' : ' --type merge';
  const immutable = type === '' ? IMMUTABLE[kind] : undefined;
  return [
    `# ${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}, ${placeText(workload.locate([]))}`,
    `# kubectl patch ${resource} ${name}${where}${type} --patch-file ${file}`,
    ...(immutable === undefined ? [] : [`# ${immutable}`]),
  ].map((line) => printable(line, 600));
}

/** A text that no YAML reader takes for anything else. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z][\w./-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
