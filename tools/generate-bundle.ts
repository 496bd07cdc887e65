// The bundle for the Operator Lifecycle Manager: the controller and the custom resources. Agents are a DaemonSet, which it can not
// install (manifests/openshift-agent).
import { load } from 'js-yaml';

export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly [
      { readonly name: string; readonly schema: { readonly openAPIV3Schema: { readonly description: string } } },
    ];
  };
}

const PACKAGE = 'userns-audit';
const CONTROLLER = 'userns-audit-controller';

const DESCRIPTION = `Which nodes can run pods in user namespaces of their own, which pods do, what keeps the rest from it, and whether it is really in
force: declared in the pod and effective in the kernel.

The bundle installs the controller and the custom resources. The agents are a DaemonSet, which bundles can not hold: apply them from
\`manifests/openshift-agent\` of the same release, in the namespace userns-audit. Without them every pod is reported as unknown.`;

const EXAMPLES = [
  {
    apiVersion: 'userns-audit.dev/v1alpha1',
    kind: 'AuditPolicy',
    metadata: { name: 'cluster' },
    spec: { profiles: ['pod-security-baseline', 'userns-rollout'] },
  },
  {
    apiVersion: 'userns-audit.dev/v1alpha1',
    kind: 'NamespaceAudit',
    metadata: { name: 'userns-audit', namespace: 'default' },
  },
  { apiVersion: 'userns-audit.dev/v1alpha1', kind: 'NodeAudit', metadata: { name: 'node-1' } },
];

/** Path from the root of the repository → content. */
export function renderBundle(
  objects: readonly ManifestObject[],
  crds: readonly (readonly [name: string, text: string])[],
  version: string,
  write: (object: unknown) => string,
): readonly (readonly [path: string, content: string])[] {
  const find = (kind: string, name: string): ManifestObject => {
    const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
    if (!found) throw new Error(`the chart renders no ${kind} ${name}`);
    return found;
  };
  const role = (kind: string, name: string) => ({ serviceAccountName: CONTROLLER, rules: find(kind, name)['rules'] });
  const deployment = find('Deployment', CONTROLLER);
  const shown = (kind: string, name: string): readonly [string, string] => {
    const { apiVersion, metadata, ...rest } = find(kind, name);
    // The manager puts namespaced objects where the operator is.
    const own = { name: metadata.name, labels: metadata.labels };
    return [`bundle/manifests/${name}.${kind.toLowerCase()}.yaml`, write({ apiVersion, metadata: own, ...rest })];
  };
  const serviceVersion = {
    apiVersion: 'operators.coreos.com/v1alpha1',
    kind: 'ClusterServiceVersion',
    metadata: {
      name: `${PACKAGE}.v${version}`,
      namespace: 'placeholder',
      annotations: {
        'alm-examples': JSON.stringify(EXAMPLES, undefined, 2),
        capabilities: 'Deep Insights',
        categories: 'Security, Monitoring',
        'operatorframework.io/suggested-namespace': PACKAGE,
        'features.operators.openshift.io/disconnected': 'true',
        'features.operators.openshift.io/fips-compliant': 'false',
      },
    },
    spec: {
      displayName: 'userns-audit',
      description: DESCRIPTION,
      version,
      maturity: 'alpha',
      minKubeVersion: '1.30.0',
      keywords: ['user namespaces', 'hostUsers', 'security', 'audit', 'compliance'],
      provider: { name: 'userns-audit' },
      icon: [{ base64data: Buffer.from(ICON).toString('base64'), mediatype: 'image/svg+xml' }],
      installModes: ['OwnNamespace', 'SingleNamespace', 'MultiNamespace', 'AllNamespaces'].map((type) => ({
        type,
        supported: type === 'AllNamespaces',
      })),
      customresourcedefinitions: { owned: crds.map(([, text]) => ownedDefinition(load(text) as Definition)) },
      install: {
        strategy: 'deployment',
        spec: {
          clusterPermissions: [role('ClusterRole', CONTROLLER)],
          permissions: [role('Role', 'userns-audit-leader-election')],
          deployments: [{ name: CONTROLLER, label: deployment.metadata.labels, spec: deployment['spec'] }],
        },
      },
    },
  };
  const annotations = {
    'operators.operatorframework.io.bundle.mediatype.v1': 'registry+v1',
    'operators.operatorframework.io.bundle.manifests.v1': 'manifests/',
    'operators.operatorframework.io.bundle.metadata.v1': 'metadata/',
    'operators.operatorframework.io.bundle.package.v1': PACKAGE,
    'operators.operatorframework.io.bundle.channels.v1': 'alpha',
    'operators.operatorframework.io.bundle.channel.default.v1': 'alpha',
    'operators.operatorframework.io.test.mediatype.v1': 'scorecard+v1',
    'operators.operatorframework.io.test.config.v1': 'tests/scorecard/',
  };
  return [
    ...crds.map(([name, text]) => [`bundle/manifests/${name}`, text] as const),
    [`bundle/manifests/${PACKAGE}.clusterserviceversion.yaml`, write(serviceVersion)],
    shown('Service', CONTROLLER),
    shown('ClusterRole', 'userns-audit-metrics-reader'),
    shown('ClusterRole', 'userns-audit-view'),
    ['bundle/metadata/annotations.yaml', write({ annotations })],
    ['bundle/tests/scorecard/config.yaml', write(scorecard())],
    ['bundle/bundle.Dockerfile', dockerfile(annotations)],
  ];
}

function ownedDefinition({ metadata, spec }: Definition): unknown {
  const [{ name, schema }] = spec.versions;
  const { kind } = spec.names;
  return {
    name: metadata.name,
    version: name,
    kind,
    displayName: kind,
    description: schema.openAPIV3Schema.description,
  };
}

const SCORECARD_IMAGE = 'quay.io/operator-framework/scorecard-test:v1.42.0';

function scorecard(): unknown {
  const tests = [
    ['basic', 'basic-check-spec'],
    ['olm', 'olm-bundle-validation'],
    ['olm', 'olm-crds-have-validation'],
    ['olm', 'olm-spec-descriptors'],
  ] as const;
  return {
    apiVersion: 'scorecard.operatorframework.io/v1alpha3',
    kind: 'Configuration',
    metadata: { name: 'config' },
    stages: [
      {
        parallel: true,
        tests: tests.map(([suite, test]) => ({
          entrypoint: ['scorecard-test', test],
          image: SCORECARD_IMAGE,
          labels: { suite, test: `${test}-test` },
        })),
      },
    ],
  };
}

function dockerfile(annotations: Readonly<Record<string, string>>): string {
  const labels = Object.entries(annotations).map(([name, value]) => `LABEL ${name}=${value}\n`);
  return `# Generated from charts/userns-audit by \`make manifests\`.\nFROM scratch\n${labels.join('')}COPY manifests /manifests/\nCOPY metadata /metadata/\nCOPY tests/scorecard /tests/scorecard/\n`;
}

/** A box in a box. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" fill="none" stroke="#326ce5" stroke-width="4"><rect x="4" y="4" width="40" height="40" rx="6"/><rect x="16" y="16" width="16" height="16" rx="3"/></svg>';
