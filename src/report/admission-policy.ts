import type { RuleMeta } from '../core/rule.ts';
import { MANIFEST_RULES } from '../rules/index.ts';
import { NODE_CAPABILITIES } from '../rules/privileged-in-host-user-namespace.ts';
import { UNMAPPABLE_DRIVERS, UNMAPPABLE_SOURCES } from '../rules/user-namespace-volumes.ts';

/** What the API server does with an object that breaks a rule (validationActions of a binding). */
export const ADMISSION_ACTIONS = ['Warn', 'Audit', 'Deny'] as const;
export type AdmissionAction = (typeof ADMISSION_ACTIONS)[number];

/** Where the rules are asked. Pods alone are enough to enforce; their templates tell people at once, and name their object. */
export const ADMISSION_OBJECTS = ['all', 'pods', 'templates'] as const;
export type AdmissionObjects = (typeof ADMISSION_OBJECTS)[number];

export interface AdmissionOptions {
  /** Ids of rules; all that can be asked of a pod where empty. */
  readonly rules: readonly string[];
  readonly actions: readonly AdmissionAction[];
  readonly objects: AdmissionObjects;
  /** Names of namespaces that are left alone. */
  readonly excludedNamespaces: readonly string[];
  /** Labels of namespaces that alone are asked, as `name=value`. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
}

const sets = (holder: string, field: string): string =>
  `has(${holder}.securityContext) && has(${holder}.securityContext.${field})`;

/** What a container says for itself, or else its pod; `otherwise` where neither does. */
const inherited = (field: string, otherwise: string): string =>
  `(${sets('c', field)} ? c.securityContext.${field} : (${sets('variables.spec', field)} ? variables.spec.securityContext.${field} : ${otherwise}))`;

const oneOf = (words: readonly string[]): string => words.map((word) => word.replaceAll('.', '[.]')).join('|');

/** Read by the rules, each after those it needs. `object` is a pod, or what has a template of one. */
export const ADMISSION_VARIABLES: readonly (readonly [name: string, expression: string])[] = [
  [
    'spec',
    'object.kind == "Pod" ? object.spec : (object.kind == "CronJob" ? object.spec.jobTemplate.spec.template.spec : object.spec.template.spec)',
  ],
  [
    'containers',
    ['containers', 'initContainers', 'ephemeralContainers']
      .map((list) => `(has(variables.spec.${list}) ? variables.spec.${list} : [])`)
      .join(' + '),
  ],
  ['windows', 'has(variables.spec.os) && variables.spec.os.name == "windows"'],
  ['isolated', 'has(variables.spec.hostUsers) && !variables.spec.hostUsers'],
];

const sharesHost = (field: string): string => `has(variables.spec.${field}) && variables.spec.${field}`;
const idsFit = (field: string): string => `${inherited(field, '0')} < 65536`;
const groupsFit = `(!(${sets('variables.spec', 'fsGroup')}) || variables.spec.securityContext.fsGroup < 65536) &&
  (!(${sets('variables.spec', 'supplementalGroups')}) || variables.spec.securityContext.supplementalGroups.all(g, g < 65536))`;
const hasDevices = 'variables.containers.exists(c, has(c.volumeDevices) && size(c.volumeDevices) > 0)';

/** What a pod must be, by rule; each holds of every Windows pod, but the first that is asked of them. */
const CONDITIONS: Readonly<Record<string, string>> = {
  'host-pid-namespace': `!(${sharesHost('hostPID')})`,
  'host-ipc-namespace': `!(${sharesHost('hostIPC')})`,
  'host-network-namespace': `!(${sharesHost('hostNetwork')})`,
  'user-namespace': 'variables.isolated',
  'root-in-host-user-namespace': `variables.isolated || variables.containers.all(c,
  ${inherited('runAsNonRoot', 'false')} || ${inherited('runAsUser', '0')} > 0)`,
  'privileged-in-host-user-namespace': `variables.isolated || variables.containers.all(c,
  !(${sets('c', 'privileged')} && c.securityContext.privileged) &&
  !(${sets('c', 'capabilities')} && has(c.securityContext.capabilities.add) && c.securityContext.capabilities.add.exists(k,
    k.upperAscii().matches("^(CAP_)?(${oneOf(Object.keys(NODE_CAPABILITIES))})$"))))`,
  'user-namespace-conflict': `!variables.isolated || !(
  ${['hostPID', 'hostIPC', 'hostNetwork'].map((field) => `(${sharesHost(field)})`).join(' || ')} || ${hasDevices})`,
  'unmasked-proc-mount': `variables.isolated || variables.containers.all(c,
  !(${sets('c', 'procMount')}) || c.securityContext.procMount == "Default")`,
  'user-namespace-ids': `!variables.isolated || (${groupsFit} &&
  variables.containers.all(c, ${idsFit('runAsUser')} && ${idsFit('runAsGroup')}))`,
  'user-namespace-volumes': `!variables.isolated || !has(variables.spec.volumes) || variables.spec.volumes.all(v,
  ${Object.keys(UNMAPPABLE_SOURCES)
    .map((source) => `!has(v.${source})`)
    .join(' && ')} &&
  (!has(v.csi) || !v.csi.driver.matches("^(.*[.])?(${oneOf(Object.keys(UNMAPPABLE_DRIVERS))})$")))`,
};

/** Rules that also have something to say of Windows pods. */
const OF_WINDOWS: Readonly<Record<string, string>> = { 'user-namespace-conflict': '!has(variables.spec.hostUsers)' };

/** Ids of the rules an API server can ask, as admission policies say them. */
export const ADMISSION_RULES: readonly string[] = Object.keys(CONDITIONS);

/** The expression of a rule: true where the pod complies. @throws Error for a rule that is none of a pod's */
export function admissionExpression(rule: string): string {
  const condition = Object.hasOwn(CONDITIONS, rule) ? CONDITIONS[rule] : undefined;
  if (condition === undefined)
    throw new Error(`${rule} can not be asked of a pod: there is ${ADMISSION_RULES.join(', ')}`);
  const ofWindows = OF_WINDOWS[rule];
  return ofWindows === undefined
    ? `variables.windows || (${condition})`
    : `variables.windows ? (${ofWindows}) : (${condition})`;
}

/** A ValidatingAdmissionPolicy and its binding for every rule (admissionregistration.k8s.io/v1, Kubernetes 1.30). */
export function admissionPolicies(options: AdmissionOptions): readonly Readonly<Record<string, unknown>>[] {
  const chosen = options.rules.length === 0 ? ADMISSION_RULES : options.rules;
  return chosen.flatMap((id) => {
    const rule = workloadRule(id);
    return [policyOf(rule, options), bindingOf(rule, options)];
  });
}

const GROUP = { apiVersion: 'admissionregistration.k8s.io/v1' };

function metadataOf({ id, severity }: RuleMeta): Readonly<Record<string, unknown>> {
  return {
    name: `userns-audit-${id}`,
    labels: {
      'app.kubernetes.io/name': 'userns-audit',
      'userns-audit.dev/rule': id,
      'userns-audit.dev/severity': severity,
    },
  };
}

const resourceRule = (apiGroup: string, ...resources: readonly string[]) => ({
  apiGroups: [apiGroup],
  apiVersions: ['*'],
  operations: ['CREATE', 'UPDATE'],
  resources,
});

/** What is asked for pods, and for the templates of workloads (`resourceRules` of a policy). */
const RESOURCE_RULES = {
  pods: [resourceRule('', 'pods', 'pods/ephemeralcontainers')],
  templates: [
    resourceRule('', 'replicationcontrollers'),
    resourceRule('apps', 'deployments', 'daemonsets', 'statefulsets', 'replicasets'),
    resourceRule('batch', 'jobs', 'cronjobs'),
  ],
} as const;

const variables = ADMISSION_VARIABLES.map(([name, expression]) => ({ name, expression }));

function validationOf(rule: RuleMeta): Readonly<Record<string, string>> {
  return {
    expression: admissionExpression(rule.id),
    message: `${rule.id}: ${rule.title}. ${rule.remediation}`,
    reason: 'Forbidden',
  };
}

/** What policies are made of, for templates that make them by themselves: the chart. */
export function admissionParts(): Readonly<Record<string, unknown>> {
  return {
    resourceRules: RESOURCE_RULES,
    variables,
    rules: ADMISSION_RULES.map((id) => {
      const rule = workloadRule(id);
      return { id, severity: rule.severity, validation: validationOf(rule) };
    }),
  };
}

function workloadRule(id: string): RuleMeta {
  const rule = MANIFEST_RULES.find((one) => one.id === id);
  if (!rule) throw new Error(`there is no rule ${id} over workloads`);
  return rule;
}

function policyOf(rule: RuleMeta, { actions, objects }: AdmissionOptions): Readonly<Record<string, unknown>> {
  const { pods, templates } = RESOURCE_RULES;
  return {
    ...GROUP,
    kind: 'ValidatingAdmissionPolicy',
    metadata: metadataOf(rule),
    spec: {
      // Where nothing is denied, nothing is held up either.
      failurePolicy: actions.includes('Deny') ? 'Fail' : 'Ignore',
      matchConstraints: {
        resourceRules: [...(objects === 'templates' ? [] : pods), ...(objects === 'pods' ? [] : templates)],
      },
      variables,
      validations: [validationOf(rule)],
    },
  };
}

function bindingOf(rule: RuleMeta, options: AdmissionOptions): Readonly<Record<string, unknown>> {
  const { actions, excludedNamespaces, namespaceLabels } = options;
  const selector = {
    ...(Object.keys(namespaceLabels).length > 0 ? { matchLabels: namespaceLabels } : {}),
    ...(excludedNamespaces.length > 0
      ? {
          matchExpressions: [
            { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [...excludedNamespaces] },
          ],
        }
      : {}),
  };
  return {
    ...GROUP,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: metadataOf(rule),
    spec: {
      policyName: `userns-audit-${rule.id}`,
      validationActions: [...actions],
      ...(Object.keys(selector).length > 0 ? { matchResources: { namespaceSelector: selector } } : {}),
    },
  };
}
