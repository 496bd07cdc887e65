// Helm itself against a real API server: install, update, remove. Nothing runs there: no kubelet makes pods.
import { join } from 'node:path';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { requireHelm } from '../helm/helm.ts';
import { CHART, EVERYTHING, NAMESPACE, RELEASE, ROOT, runHelm, settings } from './chart.ts';

const programs = requireControlPlane();
const found = requireHelm();
const reason = isSkipped(programs) ? programs.skipped : 'skipped' in found ? found.skipped : undefined;
if (reason !== undefined) console.warn(`skipped: ${reason}`);

/** Every kind the chart makes, and Helm's own records. */
const KINDS = [
  ...['deployments', 'daemonsets', 'services', 'serviceaccounts', 'secrets', 'configmaps', 'roles', 'rolebindings'],
  ...[
    'poddisruptionbudgets',
    'networkpolicies',
    'clusterroles',
    'clusterrolebindings',
    'podmonitors',
    'prometheusrules',
  ],
  ...['validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'securitycontextconstraints'],
];

(reason === undefined ? describe : describe.skip)('a release', () => {
  let api: ApiServer | undefined;
  const kubectl = (...args: readonly string[]): Promise<string> => {
    if (!api) throw new Error('the API server is not started');
    return api.kubectl(...args);
  };
  const helm = (...args: readonly string[]): string => {
    const program = 'helm' in found ? found.helm : '';
    const { code, stdout, stderr } = runHelm(program, [
      ...args,
      ...['--kubeconfig', api?.kubeconfig ?? '', '--namespace', NAMESPACE],
    ]);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  const made = async (): Promise<readonly string[]> => {
    const all = await kubectl('get', KINDS.join(), '-A', '--ignore-not-found', '-o', 'name');
    return all.split('\n').filter((name) => name.includes(RELEASE));
  };

  beforeAll(async () => {
    if (isSkipped(programs)) return;
    api = await startApiServer(programs);
    await kubectl('apply', '--server-side', '-f', join(ROOT, 'test/chart/foreign-crds.yaml'));
    await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
  });

  afterAll(async () => {
    await api?.stop();
  });

  test('is installed with its custom resources, on OpenShift by what is served, and tells the next commands', async () => {
    const said = helm('install', RELEASE, CHART, '--create-namespace');
    expect(said).toContain('kubectl get nodeaudits');
    expect(await kubectl('get', 'crd', '-o', 'name')).toContain('nodeaudits.userns-audit.dev');
    expect(await made()).toContain('securitycontextconstraints.security.openshift.io/userns-audit-agent');
  });

  test('is updated to everything and back, and warns of what was switched off', async () => {
    helm('upgrade', RELEASE, CHART, ...settings(EVERYTHING));
    expect(await made()).toContain('prometheusrule.monitoring.coreos.com/userns-audit');
    expect(helm('upgrade', RELEASE, CHART, '--reset-values', ...settings(['nodeBinding.enabled=false']))).toContain(
      'WARNING: nodeBinding is off',
    );
    const names = (await made()).join('\n');
    expect(names).not.toMatch(/prometheusrule|validatingadmissionpolicy/);
    expect(names).toContain('daemonset.apps/userns-audit-agent');
  });

  test('is removed without a trace, but for custom resources and what is in them', async () => {
    const policy = {
      apiVersion: 'userns-audit.dev/v1alpha1',
      kind: 'AuditPolicy',
      metadata: { name: 'cluster' },
      spec: {},
    };
    await api?.kubectlWith(JSON.stringify(policy), 'apply', '-f', '-');
    helm('uninstall', RELEASE, '--wait=hookOnly');
    expect(await made()).toEqual([]);
    expect(await kubectl('get', 'auditpolicies', '-o', 'name')).toBe('auditpolicy.userns-audit.dev/cluster\n');
  });
});
