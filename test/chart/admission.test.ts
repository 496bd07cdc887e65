// The admission policies of the chart: those the command prints, and at work on a real API server.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { ADMISSION_ACTIONS, ADMISSION_OBJECTS, ADMISSION_RULES } from '../../src/report/admission-policy.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { requireHelm } from '../helm/helm.ts';
import { runCli } from '../support/audit.ts';
import { until } from '../support/until.ts';
import { CHART, find, type Manifest, NAMESPACE, parse, podOf, render, runHelm, settings } from './chart.ts';

const programs = requireControlPlane();
const found = requireHelm();
if (isSkipped(programs)) console.warn(`skipped: ${programs.skipped}`);
if ('skipped' in found) console.warn(`skipped: ${found.skipped}`);
const helm = 'helm' in found ? found.helm : '';

const ON = 'admissionPolicies.enabled=true';

/** Values of the chart, and the options of the command that mean the same. */
const SAME: readonly (readonly [values: readonly string[], options: readonly string[]])[] = [
  [[], ['--exclude-namespace', 'kube-system']],
  [['admissionPolicies.excludedNamespaces=null'], []],
  [
    ['admissionPolicies.actions={Deny,Audit}', 'admissionPolicies.objects=pods'],
    [
      ...['--action', 'Deny', '--action', 'Audit', '--objects', 'pods'],
      ...['--exclude-namespace', 'kube-system', '--exclude-namespace', NAMESPACE],
    ],
  ],
  [
    [
      'admissionPolicies.rules={host-pid-namespace,user-namespace-volumes}',
      'admissionPolicies.objects=templates',
      'admissionPolicies.actions={Warn}',
      'admissionPolicies.namespaceLabels.stage=prod',
      `admissionPolicies.excludedNamespaces={a,${NAMESPACE}}`,
    ],
    [
      ...['--rule', 'host-pid-namespace', '--rule', 'user-namespace-volumes', '--objects', 'templates'],
      ...['--action', 'Warn', '--namespace-label', 'stage=prod'],
      ...['--exclude-namespace', 'a', '--exclude-namespace', NAMESPACE],
    ],
  ],
];

/** Without the labels of a release; Helm has an order of its own. */
function bare(manifests: readonly Manifest[]): readonly unknown[] {
  const order = ({ kind, metadata: { name } }: Manifest): string => `${kind} ${name}`;
  const sorted = manifests.toSorted((a, b) => order(a).localeCompare(order(b), 'en'));
  return sorted.map(({ apiVersion, kind, metadata: { name, labels = {} }, spec }) => ({
    ...{ apiVersion, kind, name, spec },
    labels: Object.entries(labels).filter(([label]) => label.startsWith('userns-audit.dev/')),
  }));
}

('skipped' in found ? describe.skip : describe)('the admission policies of the chart', () => {
  const rendered = (...values: readonly string[]): string =>
    render(helm, [ON, ...values], ['--show-only', 'templates/admission.yaml']);

  test.each(SAME)('with %j are what the command prints with %j', (values, options) => {
    const { stdout } = runCli('policy', ...options);
    expect(bare(parse(rendered(...values)))).toEqual(bare(loadAll(stdout) as Manifest[]));
  });

  test('are none unless they are asked for', () => {
    const names = parse(render(helm, [])).map(({ metadata: { name } }) => name);
    expect(names.filter((name) => ADMISSION_RULES.some((rule) => name.endsWith(rule)))).toEqual([]);
  });

  test('have in the schema of the values every rule, action and kind of object there is', () => {
    const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as {
      readonly properties: { readonly admissionPolicies: { readonly properties: Readonly<Record<string, Field>> } };
    };
    const { rules, actions, objects } = schema.properties.admissionPolicies.properties;
    expect(rules?.items?.enum).toEqual(ADMISSION_RULES);
    expect(actions?.items?.enum).toEqual(ADMISSION_ACTIONS);
    expect(objects?.enum?.toSorted()).toEqual(ADMISSION_OBJECTS.toSorted());
  });

  test.each([
    ['actions={Warn,Deny}', '/admissionPolicies/actions'],
    ['actions={Refuse}', '/admissionPolicies/actions/0'],
    ['rules={kernel-namespaces}', '/admissionPolicies/rules/0'],
    ['objects=nodes', '/admissionPolicies/objects'],
    ['excludedNamespaces={Kube System}', '/admissionPolicies/excludedNamespaces/0'],
  ])('are refused with %s, and the message says where', (value, place) => {
    expect(() => rendered(`admissionPolicies.${value}`)).toThrow(place);
  });

  test('need a cluster that knows them', () => {
    const { code, stderr } = runHelm(helm, [
      ...['template', 'x', CHART, '--kube-version', '1.29.0'],
      ...settings([ON, 'nodeBinding.enabled=false']),
    ]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('admissionPolicies.enabled needs Kubernetes 1.30')]);
  });
});

interface Field {
  readonly enum?: readonly string[];
  readonly items?: { readonly enum: readonly string[] };
}

(isSkipped(programs) || 'skipped' in found ? describe.skip : describe)('on a real API server', () => {
  let api: ApiServer | undefined;
  let dir = '';
  const auditLog = (): string => join(dir, 'audit.log');

  const install = async (...values: readonly string[]): Promise<void> => {
    const text = render(helm, [ON, ...values], ['--show-only', 'templates/admission.yaml']);
    await api?.kubectlWith(text, 'apply', '--server-side', '--validate=strict', '-f', '-');
  };

  /** What kubectl says on both streams, whether it succeeds or not. */
  const create = (name: string, namespace: string, spec: Readonly<Record<string, unknown>>): string => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec };
    const { stdout, stderr } = spawnSync(
      isSkipped(programs) ? '' : programs.kubectl,
      ['--kubeconfig', api?.kubeconfig ?? '', 'create', '--dry-run=server', '-f', '-'],
      { encoding: 'utf8', input: JSON.stringify(pod), env: { PATH: process.env['PATH'], HOME: dir } },
    );
    return `${stdout}${stderr}`;
  };
  const container = { name: 'c', image: 'i', securityContext: { runAsNonRoot: true, runAsUser: 1000 } };
  const BROKEN = { hostPID: true, containers: [container] };
  const GOOD = { hostUsers: false, containers: [container] };

  beforeAll(async () => {
    if (isSkipped(programs)) return;
    dir = mkdtempSync(join(tmpdir(), 'userns-audit-admission-'));
    const policy = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      rules: [{ level: 'Metadata', resources: [{ group: '', resources: ['pods'] }] }],
    };
    writeFileSync(join(dir, 'audit.json'), JSON.stringify(policy));
    const flags = [`--audit-policy-file=${join(dir, 'audit.json')}`, `--audit-log-path=${auditLog()}`];
    api = await startApiServer(programs, { flags });
    for (const namespace of ['shop', NAMESPACE]) {
      await api.kubectl('create', 'namespace', namespace);
      await api.kubectl('create', 'serviceaccount', 'default', '-n', namespace);
    }
  });

  afterAll(async () => {
    await api?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('a pod that breaks a rule is warned of and audited, and one that does not is not', async () => {
    await install();
    await until('a warning', () => (create('p', 'shop', BROKEN).includes('Warning:') ? true : undefined), 30_000);
    const said = await until(
      'both warnings',
      () => {
        const text = create('broken', 'shop', BROKEN);
        return text.includes('host-pid-namespace:') && text.includes(' user-namespace:') ? text : undefined;
      },
      30_000,
    );
    expect(said).toContain(
      "Warning: Validation failed for ValidatingAdmissionPolicy 'userns-audit-host-pid-namespace'",
    );
    expect(said).toContain('pod/broken created (server dry run)');
    expect(create('good', 'shop', GOOD)).toBe('pod/good created (server dry run)\n');
    await until(
      'the annotation of the audit log',
      () => {
        const lines = readFileSync(auditLog(), 'utf8').split('\n');
        const ours = lines.filter((line) => line.includes('"broken"') && line.includes('validation_failure'));
        // The log has room for one of them.
        return ours.some((line) => /userns-audit-(?:host-pid|user)-namespace/.test(line)) ? true : undefined;
      },
      30_000,
    );
  });

  test('it is refused where that is wanted, but for the agent in its own namespace', async () => {
    await install('admissionPolicies.actions={Deny}', 'admissionPolicies.rules={user-namespace,host-pid-namespace}');
    const denied = await until(
      'a refusal',
      () => {
        const text = create('broken', 'shop', { ...BROKEN, hostUsers: undefined });
        return text.includes('denied request') ? text : undefined;
      },
      30_000,
    );
    expect(denied).toMatch(/ValidatingAdmissionPolicy 'userns-audit-[a-z-]+' with binding/);
    expect(create('good', 'shop', GOOD)).toContain('created');
    const { metadata, spec } = podOf(find(parse(render(helm, [])), 'DaemonSet'));
    const agent = { ...spec, serviceAccountName: undefined };
    expect(metadata.labels).toHaveProperty(['app.kubernetes.io/component'], 'agent');
    expect(create('agent', 'shop', agent)).toContain('denied request: user-namespace:');
    expect(create('agent', NAMESPACE, agent)).toContain('pod/agent created');
  });
});
