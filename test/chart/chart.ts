// The chart as Helm renders it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';

export const ROOT = join(import.meta.dirname, '../..');
export const CHART = join(ROOT, 'charts/userns-audit');

export const RELEASE = 'userns-audit';
export const NAMESPACE = 'userns-audit';

/** What Helm takes the cluster for, where none is asked. */
export const KUBERNETES = '1.36.0';

/** An object of a manifest, as far as tests look. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

/** Everything that can be switched on, at once. */
export const EVERYTHING: readonly string[] = [
  'agent.metrics.mode=authenticated',
  'agent.hostPaths.kubelet=true',
  'agent.hostPaths.netns=true',
  'agent.hostPaths.sysModule=true',
  'agent.priorityClassName=system-node-critical',
  'agent.podAnnotations.example=yes',
  'agent.podLabels.team=security',
  'commonLabels.team=security',
  'controller.tlsSecret=serving',
  'controller.hostUsers=false',
  'controller.priorityClassName=system-cluster-critical',
  'admissionPolicies.enabled=true',
  'admissionPolicies.namespaceLabels.stage=prod',
  'imagePullSecrets[0].name=registry',
  'serviceAccount.annotations.example=yes',
  'networkPolicy.enabled=true',
  'networkPolicy.from[0].namespaceSelector.matchLabels.monitoring=yes',
  'monitoring.podMonitor.enabled=true',
  'monitoring.podMonitor.labels.release=prometheus',
  'monitoring.prometheusRule.enabled=true',
  'monitoring.prometheusRule.adoptionFloor=0.5',
  'monitoring.prometheusRule.runbookUrl=https://docs.example.com/runbooks',
  'monitoring.prometheusRule.alertLabels.team=security',
  'monitoring.dashboards.enabled=true',
  'monitoring.dashboards.annotations.folder=Security',
];

/** Settings worth a test of their own, by what they are. */
export const VALUES: Readonly<Record<string, readonly string[]>> = {
  defaults: [],
  'basic evidence': ['agent.evidence=basic'],
  'a namespace with labels': ['namespace.create=true'],
  OpenShift: ['openshift.enabled=true'],
  'OpenShift with basic evidence': ['openshift.enabled=true', 'agent.evidence=basic'],
  'an image by digest, never pulled': [
    `image.digest=sha256:${'0'.repeat(64)}`,
    'image.repository=localhost/userns-audit',
    'image.pullPolicy=Never',
  ],
  'no directories but /proc': [
    'agent.hostPaths.etc=false',
    'agent.hostPaths.boot=false',
    'agent.hostPaths.usrLib=false',
  ],
  'rules that deny': ['admissionPolicies.enabled=true', 'admissionPolicies.actions={Deny,Audit}'],
  'one replica': ['controller.replicas=1', 'controller.podDisruptionBudget.enabled=false'],
  everything: EVERYTHING,
  'everything on OpenShift': [...EVERYTHING, 'openshift.enabled=true'],
};

export interface HelmRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runHelm(helm: string, args: readonly string[]): HelmRun {
  const { status, stdout, stderr } = spawnSync(helm, args, { encoding: 'utf8', maxBuffer: 1 << 26, cwd: ROOT });
  return { code: status, stdout, stderr };
}

/** `--set` for each setting. A comma or a brace has a meaning to Helm. */
export function settings(values: readonly string[]): string[] {
  return values.flatMap((value) => ['--set', value]);
}

/** What `helm template` prints. @throws Error with what it complains of */
export function render(helm: string, values: readonly string[], more: readonly string[] = []): string {
  const { code, stdout, stderr } = runHelm(helm, [
    ...['template', RELEASE, CHART, '--namespace', NAMESPACE, '--kube-version', KUBERNETES],
    ...settings(values),
    ...more,
  ]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

export function parse(text: string): readonly Manifest[] {
  return loadAll(text).filter((document): document is Manifest => document !== null && document !== undefined);
}

/** The one object of a kind, whose name ends so. */
export function find(manifests: readonly Manifest[], kind: string, suffix = ''): Manifest {
  const [found, ...others] = manifests.filter((one) => one.kind === kind && one.metadata.name.endsWith(suffix));
  if (!found || others.length > 0) throw new Error(`${others.length + Number(Boolean(found))} ${kind} …${suffix}`);
  return found;
}

/** The pod of a workload, as far as tests look. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly hostUsers?: boolean;
    readonly hostPID?: boolean;
    readonly securityContext: Record<string, unknown>;
    readonly containers: readonly [
      {
        readonly image: string;
        readonly command: readonly string[];
        readonly args: readonly string[];
        readonly securityContext: Record<string, unknown>;
        readonly volumeMounts: readonly {
          readonly name: string;
          readonly mountPath: string;
          readonly readOnly?: boolean;
        }[];
      },
    ];
    readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[];
  };
}

export function podOf(workload: Manifest): PodTemplate {
  return (workload['spec'] as { readonly template: PodTemplate }).template;
}
