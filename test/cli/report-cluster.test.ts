import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { customResourceDefinition, CUSTOM_RESOURCES } from '../../src/resources/custom-resources.ts';
import type { ClusterReport } from '../../src/report/cluster-report.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { MIXED_REPORT } from '../support/cluster-reports.ts';
import { userns } from './scan-cli.ts';

/** `userns-audit report` of a real API server. kubectl writes, and its own list is the witness. */

const found = requireControlPlane();
const title = 'a report of a real API server';

if (isSkipped(found)) {
  test.skip(`${title} (skipped, because ${found.skipped})`, () => undefined);
} else {
  describe(title, () => {
    let server: ApiServer;

    beforeAll(async () => {
      server = await startApiServer(found);
    });
    afterAll(async () => {
      await server.stop();
    });

    const report = (...args: readonly string[]): ReturnType<typeof userns> =>
      userns(['report', '--kubeconfig', server.kubeconfig, ...args], { cwd: '/' });

    const apply = async (...objects: readonly object[]): Promise<void> => {
      await server.kubectlWith(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), 'apply', '-f', '-');
    };

    test('without the operator it says what is missing', () => {
      const { code, stderr } = report();
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: the cluster has no \w+\.userns-audit\.dev: install the operator first/);
    });

    test('is what kubectl lists, and a fresh cluster says that nothing is known', async () => {
      await apply(...CUSTOM_RESOURCES.map(customResourceDefinition));
      await server.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
      expect(report('--fail-on', 'critical')).toMatchObject({ code: 2, stderr: '' });
      const object = (kind: string, metadata: object, rest: object = {}): object => ({
        apiVersion: 'userns-audit.dev/v1alpha1',
        kind,
        metadata,
        ...rest,
      });
      const { policy, namespaces, nodes } = MIXED_REPORT;
      await apply(
        ...namespaces.map(({ name }) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
        ...namespaces.map(({ name }) => object('NamespaceAudit', { name: 'userns-audit', namespace: name })),
        ...nodes.map(({ name }) => object('NodeAudit', { name })),
        object('AuditPolicy', { name: 'cluster' }, { spec: policy?.spec }),
      );
      const patch = async (status: object, ...target: readonly string[]): Promise<void> => {
        await server.kubectl(
          'patch',
          ...target,
          '--subresource=status',
          '--type=merge',
          '-p',
          JSON.stringify({ status }),
        );
      };
      for (const { name, status } of namespaces)
        await patch(status, 'namespaceaudit', 'userns-audit', '--namespace', name);
      for (const { name, status } of nodes) if (name !== 'node-c') await patch(status, 'nodeaudit', name);
      await patch(policy?.status ?? {}, 'auditpolicy', 'cluster');

      const { stdout, stderr, code } = report('-o', 'json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const fromCluster = JSON.parse(stdout) as ClusterReport;
      const { generatedAt } = fromCluster;
      expect(Date.now() - Date.parse(generatedAt)).toBeLessThan(60_000);
      expect(fromCluster).toMatchObject({
        ...MIXED_REPORT,
        generatedAt,
        policy: { spec: policy?.spec, status: policy?.status },
      });
      const listed = await server.kubectl('get', 'nodeaudits,namespaceaudits,auditpolicies', '-A', '-o', 'json');
      const { stdout: again } = userns(['report', '-', '-o', 'json'], { cwd: '/', input: listed });
      expect({ ...(JSON.parse(again) as ClusterReport), generatedAt: '' }).toEqual({ ...fromCluster, generatedAt: '' });
    });

    test('who may list the three resources may report, and nobody else', async () => {
      await server.kubectl(
        'create',
        'clusterrole',
        'report',
        '--verb=list',
        '--resource=nodeaudits.userns-audit.dev,namespaceaudits.userns-audit.dev,auditpolicies.userns-audit.dev',
      );
      await server.kubectl('create', 'serviceaccount', 'reporter', '--namespace', 'sandbox');
      const token = await server.createToken({ namespace: 'sandbox', serviceAccount: 'reporter' });
      const as = async (...args: readonly string[]): Promise<ReturnType<typeof userns>> => {
        const file = `${server.dir}/reporter.conf`;
        await server.kubectl(
          'config',
          '--kubeconfig',
          file,
          'set-cluster',
          'c',
          '--server',
          server.url,
          '--certificate-authority',
          server.caFile,
        );
        await server.kubectl('config', '--kubeconfig', file, 'set-credentials', 'u', '--token', token);
        await server.kubectl('config', '--kubeconfig', file, 'set-context', 'c', '--cluster', 'c', '--user', 'u');
        return userns(['report', '--kubeconfig', file, '--context', 'c', ...args], { cwd: '/' });
      };
      const refused = await as();
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(/^error: .*403/);
      await server.kubectl(
        'create',
        'clusterrolebinding',
        'report',
        '--clusterrole=report',
        '--serviceaccount=sandbox:reporter',
      );
      expect((await as('--node', 'node-b')).code).toBe(0);
    });
  });
}
