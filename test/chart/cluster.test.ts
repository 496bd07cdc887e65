// The chart on a real API server: every object strictly, the rights of both service accounts, the binding of agents to their nodes.
import { join } from 'node:path';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { requireHelm } from '../helm/helm.ts';
import { CHART, find, NAMESPACE, parse, podOf, render, VALUES } from './chart.ts';

const programs = requireControlPlane();
const found = requireHelm();
const reason = isSkipped(programs) ? programs.skipped : 'skipped' in found ? found.skipped : undefined;
if (reason !== undefined) console.warn(`skipped: ${reason}`);
const helm = 'helm' in found ? found.helm : '';

/** What there must be before anything of the chart, besides its namespace. */
const PRIORITY = [
  'apply',
  '--server-side',
  '-f',
  join(CHART, 'crds'),
  '-f',
  join(import.meta.dirname, 'foreign-crds.yaml'),
];

const AGENT = `system:serviceaccount:${NAMESPACE}:userns-audit-agent`;
const CONTROLLER = `system:serviceaccount:${NAMESPACE}:userns-audit-controller`;

/** One or more verbs on a resource, with what else kubectl is to be told. */
type Access = readonly [account: string, verbs: string, resource: string, more?: readonly string[]];

(reason === undefined ? describe : describe.skip)('the chart on a real API server', () => {
  let api: ApiServer;

  beforeAll(async () => {
    if (isSkipped(programs)) return;
    api = await startApiServer(programs);
    await api.kubectl('create', 'namespace', NAMESPACE);
    await api.kubectl('label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=privileged');
    await api.kubectl(...PRIORITY);
    await api.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
    await api.kubectlWith(render(helm, []), 'apply', '--server-side', '--validate=strict', '-f', '-');
  });

  afterAll(async () => {
    await api.stop();
  });

  test.each(Object.entries(VALUES))('takes every object strictly, with %s', async (_, values) => {
    const rendered = render(helm, values);
    const said = await api.kubectlWith(
      rendered,
      ...['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict', '-f', '-'],
    );
    expect(said.trim().split('\n')).toHaveLength(parse(rendered).length);
  });

  test('finds a field that does not exist', async () => {
    const wrong = render(helm, ['openshift.enabled=true']).replace('userNamespaceLevel:', 'userNamespacesLevel:');
    await expect(
      api.kubectlWith(wrong, 'apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'),
    ).rejects.toThrow('userNamespacesLevel');
  });

  describe('Pod Security', () => {
    const podText = (kind: string, values: readonly string[], namespace: string): string => {
      const { metadata, spec } = podOf(find(parse(render(helm, values)), kind));
      const rest = { ...spec, serviceAccountName: undefined };
      return JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: 'pod', namespace },
        spec: rest,
      });
    };

    beforeAll(async () => {
      for (const level of ['baseline', 'restricted']) {
        await api.kubectl('create', 'namespace', level);
        await api.kubectl('label', 'namespace', level, `pod-security.kubernetes.io/enforce=${level}`);
        await api.kubectl('create', 'serviceaccount', 'default', '-n', level);
      }
    });

    test('admits the controller at its highest level', async () => {
      const created = await api.kubectlWith(
        podText('Deployment', [], 'restricted'),
        'create',
        '-f',
        '-',
        '--dry-run=server',
      );
      expect(created).toContain('pod/pod created');
    });

    test('admits the agent at none of them, for what the documentation says and nothing else', async () => {
      const refused = async (values: readonly string[]): Promise<string> =>
        api.kubectlWith(podText('DaemonSet', values, 'baseline'), 'create', '-f', '-', '--dry-run=server').then(
          () => 'admitted',
          (error: unknown) => String(error),
        );
      const full = await refused([]);
      expect(full).toContain('violates PodSecurity "baseline:latest"');
      expect(
        [...full.matchAll(/(hostPath volumes|non-default capabilities|forbidden AppArmor profile)/g)].map(
          ([what]) => what,
        ),
      ).toEqual(['forbidden AppArmor profile', 'non-default capabilities', 'hostPath volumes']);
      const basic = await refused(['agent.evidence=basic']);
      expect(basic).toMatch(/"baseline:latest": hostPath volumes/);
      expect(basic).not.toMatch(/capabilities|AppArmor/);
    });
  });

  describe('rights', () => {
    const can = async (account: string, verb: string, resource: string, ...more: readonly string[]) => {
      const args = ['auth', 'can-i', verb, resource, '--as', account, '-q', ...more];
      return api.kubectl(...args).then(
        () => true,
        (error: unknown) => {
          if (!/can-i.*: *(Command failed|Warning)/s.test(String(error))) throw error;
          return false;
        },
      );
    };

    const ALLOWED: readonly Access[] = [
      [AGENT, 'get patch', 'nodeaudits.userns-audit.dev', ['--subresource=status']],
      [CONTROLLER, 'get list watch', 'pods', ['-A']],
      [CONTROLLER, 'get list watch', 'nodes'],
      [CONTROLLER, 'get list watch', 'namespaces'],
      [CONTROLLER, 'get list watch create patch delete', 'nodeaudits.userns-audit.dev'],
      [CONTROLLER, 'get list watch create patch', 'namespaceaudits.userns-audit.dev', ['-A']],
      [CONTROLLER, 'get list watch create', 'auditpolicies.userns-audit.dev'],
      [CONTROLLER, 'patch', 'nodeaudits.userns-audit.dev', ['--subresource=status']],
      [CONTROLLER, 'patch', 'namespaceaudits.userns-audit.dev', ['--subresource=status', '-A']],
      [CONTROLLER, 'patch', 'auditpolicies.userns-audit.dev', ['--subresource=status']],
      [CONTROLLER, 'create', 'leases.coordination.k8s.io', ['-n', NAMESPACE]],
      [CONTROLLER, 'get update', 'leases.coordination.k8s.io/userns-audit-controller', ['-n', NAMESPACE]],
      [CONTROLLER, 'create', 'events.events.k8s.io', ['-A']],
      [CONTROLLER, 'create', 'tokenreviews.authentication.k8s.io'],
      [CONTROLLER, 'create', 'subjectaccessreviews.authorization.k8s.io'],
      [CONTROLLER, 'get', '/metrics'],
    ];

    for (const [account, verbs, resource, more = []] of ALLOWED)
      test(`${account.slice(account.lastIndexOf(':') + 1)} may ${verbs} ${resource}`, async () => {
        for (const verb of verbs.split(' '))
          expect([verb, await can(account, verb, resource, ...more)]).toEqual([verb, true]);
      });

    const FORBIDDEN: readonly Access[] = [
      [AGENT, 'get list watch create update patch delete', 'nodeaudits.userns-audit.dev'],
      [AGENT, 'update', 'nodeaudits.userns-audit.dev', ['--subresource=status']],
      [AGENT, 'get list', 'namespaceaudits.userns-audit.dev', ['-A']],
      [AGENT, 'get list patch', 'auditpolicies.userns-audit.dev'],
      [AGENT, 'get list watch create delete', 'pods', ['-n', NAMESPACE]],
      [AGENT, 'get list patch', 'nodes'],
      [AGENT, 'get list', 'secrets', ['-n', NAMESPACE]],
      [AGENT, 'get', 'nodes', ['--subresource=proxy']],
      [AGENT, 'get list', 'namespaces'],
      [AGENT, 'create', 'tokenreviews.authentication.k8s.io'],
      [AGENT, 'create', 'events.events.k8s.io', ['-n', NAMESPACE]],
      [AGENT, 'get', 'leases.coordination.k8s.io', ['-n', NAMESPACE]],
      [AGENT, 'get', '/metrics'],
      [CONTROLLER, 'create update patch delete', 'pods', ['-n', NAMESPACE]],
      [CONTROLLER, 'create', 'pods', ['--subresource=exec', '-n', NAMESPACE]],
      [CONTROLLER, 'create update patch delete', 'nodes'],
      [CONTROLLER, 'get', 'nodes', ['--subresource=proxy']],
      [CONTROLLER, 'create update patch delete', 'namespaces'],
      [CONTROLLER, 'get list watch', 'secrets', ['-n', NAMESPACE]],
      [CONTROLLER, 'get list', 'configmaps', ['-n', NAMESPACE]],
      [CONTROLLER, 'update patch delete', 'auditpolicies.userns-audit.dev'],
      [CONTROLLER, 'delete', 'namespaceaudits.userns-audit.dev', ['-A']],
      [CONTROLLER, 'get update', 'leases.coordination.k8s.io/another', ['-n', NAMESPACE]],
      [CONTROLLER, 'get create update', 'leases.coordination.k8s.io', ['-n', 'kube-system']],
      [CONTROLLER, 'create', 'serviceaccounts', ['--subresource=token', '-n', NAMESPACE]],
      [CONTROLLER, 'impersonate', 'users'],
      [CONTROLLER, 'escalate bind create', 'clusterroles.rbac.authorization.k8s.io'],
    ];

    for (const [account, verbs, resource, more = []] of FORBIDDEN)
      test(`${account.slice(account.lastIndexOf(':') + 1)} may not ${verbs} ${resource}`, async () => {
        for (const verb of verbs.split(' '))
          expect([verb, await can(account, verb, resource, ...more)]).toEqual([verb, false]);
      });

    test('have no wildcard, with anything switched on', () => {
      const roles = parse(render(helm, VALUES['everything on OpenShift'] ?? [])).filter(({ kind }) =>
        kind.endsWith('Role'),
      );
      expect(JSON.stringify(roles)).not.toContain('*');
      expect(roles.length).toBeGreaterThanOrEqual(5);
    });

    test('to read results go with the role view', async () => {
      await api.kubectl(
        'create',
        'rolebinding',
        'reader',
        '--clusterrole=userns-audit-view',
        '--user=reader',
        '-n',
        NAMESPACE,
      );
      expect(await can('reader', 'list', 'namespaceaudits.userns-audit.dev', '-n', NAMESPACE)).toBe(true);
      expect(await can('reader', 'patch', 'namespaceaudits.userns-audit.dev', '-n', NAMESPACE)).toBe(false);
      expect(await can('reader', 'list', 'namespaceaudits.userns-audit.dev', '-n', 'default')).toBe(false);
    });
  });

  describe('an agent', () => {
    const PATCH = JSON.stringify({ status: { lastHeartbeatTime: '2026-01-02T03:04:05Z' } });
    let boundToken = '';

    async function patchAs(token: string, node: string): Promise<string> {
      const said = await api
        .kubectl(
          ...[
            '--kubeconfig',
            '/dev/null',
            '--server',
            api.url,
            '--certificate-authority',
            api.caFile,
            '--token',
            token,
          ],
          ...['patch', 'nodeaudit', node, '--subresource=status', '--type=merge', '-p', PATCH],
        )
        .catch((error: unknown) => String(error));
      return said.trim();
    }

    beforeAll(async () => {
      const object = (apiVersion: string, kind: string, name: string, rest: object = {}) =>
        api.kubectlWith(
          JSON.stringify({ apiVersion, kind, metadata: { name, namespace: NAMESPACE }, ...rest }),
          'create',
          '-f',
          '-',
        );
      for (const node of ['node-a', 'node-b']) {
        await object('v1', 'Node', node);
        await object('userns-audit.dev/v1alpha1', 'NodeAudit', node);
      }
      const { metadata, spec } = podOf(find(parse(render(helm, [])), 'DaemonSet'));
      const pod = {
        metadata: { ...metadata, name: 'agent-a', namespace: NAMESPACE },
        spec: { ...spec, nodeName: 'node-a' },
      };
      await api.kubectlWith(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod }), 'create', '-f', '-');
      const uid = await api.kubectl('get', 'pod', 'agent-a', '-n', NAMESPACE, '-o', 'jsonpath={.metadata.uid}');
      boundToken = await api.createToken({
        namespace: NAMESPACE,
        serviceAccount: 'userns-audit-agent',
        boundTo: { kind: 'Pod', name: 'agent-a', uid },
      });
      // Admission policies take effect a moment after they are written.
      const end = Date.now() + 30_000;
      while (!(await patchAs(boundToken, 'node-b')).includes('may not write')) if (Date.now() > end) break;
    });

    test('writes of its own node', async () => {
      expect(await patchAs(boundToken, 'node-a')).toContain('nodeaudit.userns-audit.dev/node-a patched');
      expect(await api.kubectl('get', 'nodeaudit', 'node-a', '-o', 'jsonpath={.status.lastHeartbeatTime}')).toContain(
        '2026',
      );
    });

    test('is refused the status of another node', async () => {
      expect(await patchAs(boundToken, 'node-b')).toContain(
        'an agent on node node-a may not write the NodeAudit of node-b',
      );
      expect(await api.kubectl('get', 'nodeaudit', 'node-b', '-o', 'jsonpath={.status}')).toBe('');
    });

    test('is refused with a token that names no node', async () => {
      const token = await api.createToken({ namespace: NAMESPACE, serviceAccount: 'userns-audit-agent' });
      expect(await patchAs(token, 'node-a')).toContain('the token of the agent names no node');
    });
  });
});
