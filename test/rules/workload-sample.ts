import type { Violation, WorkloadRule } from '../../src/core/rule.ts';
import { LATEST_KUBERNETES_VERSION } from '../../src/core/pod-user-namespace.ts';
import type { JudgedFor } from '../../src/core/rule.ts';
import type { ContainerSpec, FieldPath, PodSpec, Workload } from '../../src/core/workload.ts';

/** A Deployment `default/web` with one container `app` that nothing can be said against, but for what is given. */
export function workloadOf(podSpec: Partial<PodSpec> = {}, overrides: Partial<Workload> = {}): Workload {
  return {
    platform: 'kubernetes',
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'default',
    name: 'web',
    annotations: {},
    podSpec: { containers: [containerOf('app')], initContainers: [], ephemeralContainers: [], volumes: [], ...podSpec },
    fieldName: (path) => `spec.template.spec.${textOf(path)}`,
    locate: (path) => ({ file: 'web.yaml', line: path.length + 1, column: 1, endLine: path.length + 1, endColumn: 2 }),
    ...overrides,
  };
}

/** A Compose service `web`. */
export function serviceOf(podSpec: Partial<PodSpec> = {}): Workload {
  return workloadOf(podSpec, { platform: 'docker', apiVersion: '', kind: 'ComposeService', namespace: undefined });
}

export function containerOf(name: string, securityContext?: ContainerSpec['securityContext']): ContainerSpec {
  return { name, ...(securityContext ? { securityContext } : {}) };
}

/** `containers[0].securityContext.privileged` */
export function textOf(path: FieldPath): string {
  return path
    .map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${segment}`))
    .join('')
    .replace(/^\./, '');
}

export function violationsOf(
  rule: WorkloadRule,
  workload: Workload,
  target: Partial<JudgedFor> = {},
): readonly Violation[] {
  return [...rule.check(workload, { ...LATEST_KUBERNETES_VERSION, ...target })];
}

/** The broken places, as text. */
export function pathsOf(rule: WorkloadRule, workload: Workload, target: Partial<JudgedFor> = {}): readonly string[] {
  return violationsOf(rule, workload, target).map(({ path }) => textOf(path));
}
