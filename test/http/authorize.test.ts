// Who may ask for metrics, decided by a real API server.
import { createAuthorizer } from '../../src/kube/authorize.ts';
import { type ClientOptions, createClient, type KubeClient } from '../../src/kube/client.ts';
import type { Clock } from '../../src/kube/clock.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';

const RIGHTS = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: scraper, namespace: default }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: stranger, namespace: default }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: scraper }
rules: [{ nonResourceURLs: [/metrics], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: scraper }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: scraper }
subjects: [{ kind: ServiceAccount, name: scraper, namespace: default }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: delegate }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator }
subjects: [{ kind: User, name: delegate }]
`;

const found = requireControlPlane();
if (isSkipped(found)) {
  test.skip(`who may ask for metrics (skipped, because ${found.skipped})`, () => undefined);
} else {
  describe('who may ask for metrics', () => {
    let api: ApiServer;
    const clients: KubeClient[] = [];
    const requests: string[] = [];

    beforeAll(async () => {
      api = await startApiServer(found);
      await api.kubectlWith(RIGHTS, 'apply', '-f', '-');
    }, 120_000);
    afterAll(async () => {
      for (const client of clients) client.close();
      await api.stop();
    });
    beforeEach(() => {
      requests.length = 0;
    });

    function clientOf(subject: string): KubeClient {
      const onRequest: ClientOptions['onRequest'] = ({ path }) => requests.push(path.split('/').at(-1) ?? '');
      const client = createClient(api.issue(subject), { onRequest });
      clients.push(client);
      return client;
    }

    const bearer = async (serviceAccount: string) =>
      `Bearer ${await api.createToken({ namespace: 'default', serviceAccount })}`;

    test('one who may, one who may not, one for another path, one nobody knows, one without a token', async () => {
      const authorize = createAuthorizer(clientOf('/CN=delegate'));
      expect(await authorize(await bearer('scraper'), '/metrics')).toBe('allowed');
      expect(await authorize(await bearer('stranger'), '/metrics')).toBe('forbidden');
      expect(await authorize(await bearer('scraper'), '/report')).toBe('forbidden');
      expect(await authorize('Bearer e30.e30.e30', '/metrics')).toBe('unauthenticated');
      requests.length = 0;
      expect(await authorize(undefined, '/metrics')).toBe('unauthenticated');
      expect(await authorize('Basic YTpi', '/metrics')).toBe('unauthenticated');
      expect(requests).toEqual([]);
    });

    test('answers, good and bad, hold for a minute', async () => {
      let now = 1000;
      const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
      const authorize = createAuthorizer(clientOf('/CN=delegate'), clock);
      const tokens = [await bearer('scraper'), await bearer('stranger'), 'Bearer e30.e30.e30'];
      const askAll = async () => {
        requests.length = 0;
        for (const token of tokens) await authorize(token, '/metrics');
        return requests.length;
      };
      expect(await askAll()).toBe(5);
      now += 59_000;
      expect(await askAll()).toBe(0);
      now += 2000;
      expect(await askAll()).toBe(5);
    });

    test('a process that may not check tokens lets nobody in, and does not ask again and again', async () => {
      const authorize = createAuthorizer(clientOf('/CN=agent'));
      const token = await bearer('scraper');
      expect(await authorize(token, '/metrics')).toBe('undelegated');
      expect(await authorize(token, '/metrics')).toBe('undelegated');
      expect(requests).toEqual(['tokenreviews']);
    });
  });
}
