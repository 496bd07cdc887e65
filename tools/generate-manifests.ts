// What is rendered from the chart: manifests/ for `kubectl apply -k`, bundle/ for the Operator Lifecycle Manager.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dump, load, loadAll } from 'js-yaml';
import { requireHelm } from '../test/helm/helm.ts';
import { type ManifestObject, renderBundle } from './generate-bundle.ts';

const ROOT = join(import.meta.dirname, '..');
const CHART = join(ROOT, 'charts/userns-audit');
const NOTE = '# Generated from charts/userns-audit by `make manifests`.\n';
const NAME = 'userns-audit';

/** Path from the root of the repository → content, of all that is rendered. */
export function manifestFiles(helm: string): ReadonlyMap<string, string> {
  const crds = readdirSync(join(CHART, 'crds')).map(
    (name) => [name, readFileSync(join(CHART, 'crds', name), 'utf8')] as const,
  );
  const kubernetes = renderChart(helm, ['namespace.create=true']);
  const openshift = renderChart(helm, ['namespace.create=true', 'openshift.enabled=true']);
  const isAgents = ({ kind, metadata: { name } }: ManifestObject): boolean =>
    kind === 'Namespace' || name.endsWith('-agent') || name.endsWith('-node-binding');
  const kustomization = (...resources: readonly string[]): string =>
    `${NOTE}${dumpYaml({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources })}`;
  return new Map([
    ...crds.map(([name, text]) => [`manifests/crds/${name}`, text] as const),
    ['manifests/crds/kustomization.yaml', kustomization(...crds.map(([name]) => name))],
    ['manifests/kubernetes/kustomization.yaml', kustomization('../crds', 'userns-audit.yaml')],
    ['manifests/kubernetes/userns-audit.yaml', documents(kubernetes)],
    ['manifests/openshift/kustomization.yaml', kustomization('../crds', 'userns-audit.yaml')],
    ['manifests/openshift/userns-audit.yaml', documents(openshift)],
    // Beside the bundle: the Operator Lifecycle Manager installs Deployments and no DaemonSets.
    ['manifests/openshift-agent/kustomization.yaml', kustomization('agent.yaml')],
    ['manifests/openshift-agent/agent.yaml', documents(openshift.filter(isAgents))],
    ...renderBundle(openshift, crds, version(), (object) => `${NOTE}${dumpYaml(object)}`),
  ]);
}

function version(): string {
  return (load(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as { readonly version: string }).version;
}

function renderChart(helm: string, values: readonly string[]): readonly ManifestObject[] {
  const { status, stdout, stderr } = spawnSync(
    helm,
    [
      'template',
      NAME,
      CHART,
      '--namespace',
      NAME,
      '--kube-version',
      '1.36.0',
      ...values.flatMap((value) => ['--set', value]),
    ],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  if (status !== 0) throw new Error(stderr);
  const rank = ({ kind }: ManifestObject): number => Number(kind !== 'Namespace');
  return loadAll(stdout)
    .filter((one): one is ManifestObject => typeof one === 'object' && one !== null)
    .map(withoutHelm)
    .toSorted((a, b) => rank(a) - rank(b) || order(a).localeCompare(order(b), 'en'));
}

function order({ kind, metadata: { name } }: ManifestObject): string {
  return `${kind} ${name}`;
}

const LABELS_OF_HELM = ['helm.sh/chart', 'app.kubernetes.io/managed-by'];

/** Nobody who applies these has Helm's records. */
function withoutHelm(object: ManifestObject): ManifestObject {
  const labels = Object.entries(object.metadata.labels ?? {}).filter(([name]) => !LABELS_OF_HELM.includes(name));
  return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(labels) } };
}

function documents(objects: readonly ManifestObject[]): string {
  return `${NOTE}${objects.map(dumpYaml).join('---\n')}`;
}

function dumpYaml(object: unknown): string {
  return dump(object, { noRefs: true, lineWidth: 120 });
}

function main(): void {
  const found = requireHelm();
  if ('skipped' in found) throw new Error(`no Helm to render with: ${found.skipped}`);
  for (const directory of ['manifests', 'bundle']) rmSync(join(ROOT, directory), { recursive: true, force: true });
  for (const [path, content] of manifestFiles(found.helm)) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), content);
  }
}

if (import.meta.main) main();
