// The client against a real kube-apiserver and etcd; kubectl is the witness.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type KubeClient } from '../../src/kube/client.ts';
import { discover } from '../../src/kube/discovery.ts';
import { inClusterConnection } from '../../src/kube/in-cluster.ts';
import { isConflict, isGone, isNotFound } from '../../src/kube/kube-error.ts';
import { type KubeObject, objectKey } from '../../src/kube/kube-object.ts';
import { kubeconfigConnection } from '../../src/kube/kubeconfig.ts';
import { createListWatch, type ListWatchOptions, type ListWatchProgress } from '../../src/kube/list-watch.ts';
import { resourcePath } from '../../src/kube/paths.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { eventually } from './eventually.ts';

const found = requireControlPlane();
const title = 'a real API server';
if (isSkipped(found)) {
  test.skip(`${title} (skipped, because ${found.skipped})`, () => undefined);
} else {
  describe(title, () => {
    let server: ApiServer;
    let client: KubeClient;
    const cleanUp: (() => Promise<void> | void)[] = [];

    beforeAll(async () => {
      server = await startApiServer(found);
      client = createClient(server.admin);
    });
    afterEach(async () => {
      for (const end of cleanUp.splice(0).reverse()) await end();
    });
    afterAll(async () => {
      client.close();
      await server.stop();
    });

    const maps = (namespace: string, name?: string) =>
      resourcePath({ version: 'v1', resource: 'configmaps', namespace, ...(name === undefined ? {} : { name }) });
    const configMap = (name: string, data: Readonly<Record<string, string>> = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data,
    });
    const createMap = (namespace: string, name: string, data?: Readonly<Record<string, string>>) =>
      client.create(maps(namespace), configMap(name, data));

    async function makeNamespace(name: string): Promise<string> {
      await server.kubectl('create', 'namespace', name);
      return name;
    }

    async function createMaps(namespace: string, count: number): Promise<void> {
      const names = Array.from({ length: count }, (_, index) => `map-${index}`);
      const workers = Array.from({ length: 16 }, async () => {
        for (let name = names.pop(); name !== undefined; name = names.pop()) await createMap(namespace, name);
      });
      await Promise.all(workers);
    }

    /** Runs a list-watch of the ConfigMaps of a namespace until the test ends. */
    function watchMaps(namespace: string, options: Partial<ListWatchOptions<string>> = {}) {
      const told: string[] = [];
      const progress: ListWatchProgress[] = [];
      const errors: unknown[] = [];
      let requests = 0;
      const controller = new AbortController();
      const own = createClient(server.admin, { onRequest: () => (requests += 1) });
      const listWatch = createListWatch<string>({
        client: own,
        path: maps(namespace),
        slim: (object) => (object as KubeObject & { data?: { v?: string } }).data?.v ?? '-',
        keyOf: objectKey,
        onUpsert: (key, value) => told.push(`${key}=${value}`),
        onDelete: (key) => told.push(`${key} deleted`),
        onProgress: (what) => progress.push(what),
        onError: (error) => errors.push(error),
        backoff: { baseMs: 20, maxMs: 500 },
        ...options,
      });
      const running = listWatch.run(controller.signal);
      cleanUp.push(async () => {
        controller.abort();
        await running;
        own.close();
      });
      return { listWatch, told, progress, errors, requestCount: () => requests };
    }

    const kubectlNames = async (namespace: string): Promise<readonly string[]> =>
      (await server.kubectl('get', 'configmaps', '--namespace', namespace, '--output', 'name'))
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((name) => name.replace('configmap/', `${namespace}/`))
        .sort();

    test.each([false, true])('lists 1,200 objects and follows them (streaming list: %s)', async (watchList) => {
      const namespace = await makeNamespace(`pages-${watchList}`);
      await createMaps(namespace, 1200);
      const { listWatch, told, progress, requestCount } = watchMaps(namespace, { watchList });
      await eventually('the list is complete', () => listWatch.synced);
      expect([...listWatch.records.keys()].sort()).toEqual(await kubectlNames(namespace));
      await eventually('the watch begins', () => progress.includes('watch'));
      expect(requestCount()).toBeLessThanOrEqual(watchList ? 1 : 4);
      expect(progress).toEqual(watchList ? ['watch', 'list'] : ['list', 'watch']);
      await server.kubectl('create', 'configmap', 'new', '--from-literal=v=1', '--namespace', namespace);
      await server.kubectl('patch', 'configmap', 'new', '--namespace', namespace, '--patch', '{"data":{"v":"2"}}');
      await server.kubectl('delete', 'configmap', 'map-7', '--namespace', namespace);
      await eventually('the deletion arrives', () => told.includes(`${namespace}/map-7 deleted`));
      expect(told.slice(1200)).toEqual([`${namespace}/new=1`, `${namespace}/new=2`, `${namespace}/map-7 deleted`]);
      expect(listWatch.size).toBe(1200);
      expect(Date.now() - listWatch.lastContact()).toBeLessThan(60_000);
    });

    test('a watch of a quiet resource is resumed from its last bookmark', async () => {
      const namespace = await makeNamespace('quiet');
      const { listWatch, progress } = watchMaps(namespace, { watchSeconds: 2 });
      await eventually('the list is complete', () => listWatch.synced);
      // Other writes move the store's version on; this namespace sees nothing of them but bookmarks.
      await createMaps(await makeNamespace('noise'), 200);
      await eventually(
        'two watches have ended in peace',
        () => progress.filter((what) => what === 'watch-end').length >= 2,
      );
      expect(progress).not.toContain('relist');
      expect(progress).not.toContain('error');
    });

    test.each(['politely', 'crash'] as const)(
      'what was deleted while the server was away is seen (%s)',
      async (how) => {
        const namespace = await makeNamespace(`restart-${how}`);
        for (const name of ['stays', 'goes']) await createMap(namespace, name);
        const { listWatch, told, errors } = watchMaps(namespace);
        await eventually('the list is complete', () => listWatch.synced);
        await server.halt(how);
        await eventually('the watch fails', () => errors.length > 0);
        // Behind the server's back, as another replica of it would.
        await deleteInEtcd(`/registry/configmaps/${namespace}/goes`);
        await server.resume();
        await eventually('the deletion arrives', () => told.includes(`${namespace}/goes deleted`));
        expect([...listWatch.records.keys()]).toEqual([`${namespace}/stays`]);
      },
    );

    async function deleteInEtcd(key: string): Promise<void> {
      const base64 = Buffer.from(key).toString('base64');
      const response = await fetch(`${server.etcdUrl}/v3/kv/deleterange`, {
        method: 'POST',
        body: JSON.stringify({ key: base64 }),
      });
      expect(await response.json()).toMatchObject({ deleted: '1' });
    }

    test('a version that etcd has compacted is gone, and the list is made again', async () => {
      const namespace = await makeNamespace('compacted');
      await createMap(namespace, 'first');
      const { metadata } = await client.get<{ metadata: { resourceVersion: string } }>(maps(namespace));
      const { listWatch, errors, told, progress } = watchMaps(namespace);
      await eventually('the list is complete', () => listWatch.synced);
      await server.halt('crash');
      await deleteInEtcd(`/registry/configmaps/${namespace}/first`);
      const status = await (
        await fetch(`${server.etcdUrl}/v3/maintenance/status`, { method: 'POST', body: '{}' })
      ).json();
      const { revision } = (status as { header: { revision: string } }).header;
      const body = JSON.stringify({ revision, physical: true });
      expect((await fetch(`${server.etcdUrl}/v3/kv/compaction`, { method: 'POST', body })).status).toBe(200);
      await server.resume();
      await eventually('the deletion arrives', () => told.includes(`${namespace}/first deleted`));
      expect(errors.some(isGone)).toBe(true);
      expect(progress).toContain('relist');
      const old = client.get(maps(namespace), {
        resourceVersion: metadata.resourceVersion,
        resourceVersionMatch: 'Exact',
      });
      await expect(old).rejects.toMatchObject({ status: 410, reason: 'Expired' });
    });

    test('while etcd hangs requests fail in time, and afterwards all goes on', async () => {
      const namespace = await makeNamespace('hanging');
      const { listWatch, told } = watchMaps(namespace);
      await eventually('the list is complete', () => listWatch.synced);
      const impatient = createClient(server.admin, { timeoutMs: 300 });
      server.pauseEtcd();
      try {
        await expect(impatient.create(maps(namespace), configMap('late'))).rejects.toMatchObject({
          status: 0,
          reason: 'Timeout',
        });
      } finally {
        server.resumeEtcd();
        impatient.close();
      }
      await createMap(namespace, 'after');
      await eventually('the event arrives', () => told.includes(`${namespace}/after=-`));
    });

    test('server-side apply creates, leaves alone what is the same, and refuses the fields of others', async () => {
      const namespace = await makeNamespace('apply');
      const path = maps(namespace, 'applied');
      const apply = (fieldManager: string, v: string, force = false) =>
        client.apply<{ metadata: { resourceVersion: string } }>(path, configMap('applied', { v }), {
          fieldManager,
          force,
        });
      const first = await apply('one', '1');
      expect((await apply('one', '1')).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      const error: unknown = await apply('two', '2').catch((thrown: unknown) => thrown);
      expect(isConflict(error)).toBe(true);
      expect(String(error)).toMatch(/PATCH .*\/applied: 409 .*conflict with "one".*\.data\.v/s);
      await apply('two', '2', true);
      const read = await server.kubectl(
        'get',
        'configmap',
        'applied',
        '--namespace',
        namespace,
        '--output',
        'jsonpath={.data.v}',
      );
      expect(read).toBe('2');
      const dry = { fieldManager: 'two', force: true, dryRun: true };
      await client.apply(path, configMap('applied', { v: '3' }), dry);
      expect(await client.get(path)).toMatchObject({ data: { v: '2' } });
    });

    test('writes, replaces on condition, deletes on condition', async () => {
      const namespace = await makeNamespace('writes');
      const path = maps(namespace, 'one');
      expect(isNotFound(await client.get(path).catch((error: unknown) => error))).toBe(true);
      const created = await client.create<KubeObject>(maps(namespace), configMap('one', { v: '1' }));
      await expect(client.create(maps(namespace), configMap('one'))).rejects.toMatchObject({
        status: 409,
        reason: 'AlreadyExists',
      });
      await client.patch(path, { data: { v: '2' } }, { contentType: 'application/merge-patch+json' });
      const stale = client.update(path, { ...created, data: { v: '3' } });
      await expect(stale).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
      const wrong = client.delete(path, { preconditions: { resourceVersion: created.metadata.resourceVersion ?? '' } });
      await expect(wrong).rejects.toMatchObject({ status: 409 });
      await client.delete(path);
      expect(await kubectlNames(namespace)).toEqual([]);
      expect(await client.raw('/readyz')).toBe('ok');
      expect(await client.raw('/metrics')).toContain('kubernetes_feature_enabled{name="UserNamespacesSupport"');
    });

    test('discovery says what is served, as kubectl does, by the aggregated and by the plain way', async () => {
      const plain = createClient(server.admin);
      cleanUp.push(() => {
        plain.close();
      });
      const aggregated = await discover(client);
      const old = await discover({
        get: (...args) => plain.get(...args),
        request: (request) => plain.request({ ...request, accept: 'application/json' }),
      });
      const told = (await server.kubectl('api-resources', '--no-headers', '--output', 'name'))
        .trim()
        .split('\n')
        .sort();
      for (const discovery of [aggregated, old]) {
        expect(discovery.version.gitVersion).toMatch(/^v1\./);
        expect(discovery.incomplete).toEqual([]);
        expect(discovery.serves('v1', 'pods')).toBe(true);
        expect(discovery.serves('apps/v1', 'deployments')).toBe(true);
        expect(discovery.serves('apps/v1', 'pods')).toBe(false);
        expect(discovery.serves('openreports.io/v1alpha1', 'reports')).toBe(false);
        expect(discovery.resource('v1', 'nodes')).toMatchObject({ kind: 'Node', namespaced: false });
        expect(discovery.resource('v1', 'pods')?.subresources).toContain('status');
        const groups = new Set(
          discovery.groupVersions.map((one) => (one.includes('/') ? `.${one.split('/')[0] ?? ''}` : '')),
        );
        expect(told.filter((name) => ![...groups].some((group) => name.endsWith(group)))).toEqual([]);
      }
      expect([...aggregated.groupVersions].sort()).toEqual([...old.groupVersions].sort());
    });

    describe('who asks', () => {
      let dir: string;
      beforeEach(() => {
        dir = mkdtempSync(join(tmpdir(), 'kube-test-'));
      });
      afterEach(() => {
        rmSync(dir, { recursive: true, force: true });
      });

      async function whoAmI(connection: Parameters<typeof createClient>[0]): Promise<string> {
        const asking = createClient(connection);
        cleanUp.push(() => {
          asking.close();
        });
        const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
        const path = resourcePath({ group: 'authentication.k8s.io', version: 'v1', resource: 'selfsubjectreviews' });
        const review = await asking.create<{ status: { userInfo: { username: string } } }>(path, body);
        return review.status.userInfo.username;
      }

      function kubeconfig(user: object, cluster: object = {}): string {
        const path = join(dir, 'config');
        const config = {
          ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'one' },
          clusters: [
            { name: 'c', cluster: { server: server.url, 'certificate-authority': server.caFile, ...cluster } },
          ],
          users: [{ name: 'u', user }],
          contexts: [
            { name: 'one', context: { cluster: 'c', user: 'u', namespace: 'mine' } },
            { name: 'two', context: { cluster: 'c', user: 'u' } },
          ],
        };
        writeFileSync(path, JSON.stringify(config));
        return path;
      }

      async function makeAccount(name: string): Promise<{ readonly username: string; readonly token: string }> {
        await server.kubectl('create', 'serviceaccount', name);
        const token = await server.createToken({ namespace: 'default', serviceAccount: name });
        return { username: `system:serviceaccount:default:${name}`, token };
      }

      test('a client certificate of a kubeconfig', async () => {
        const { certFile, keyFile } = server.issue('/O=people/CN=jane');
        const path = kubeconfig({ 'client-certificate': certFile, 'client-key': keyFile });
        const connection = await kubeconfigConnection({ path });
        expect(await whoAmI(connection)).toBe('jane');
        expect(connection.namespace).toBe('mine');
        expect((await kubeconfigConnection({ path, context: 'two' })).namespace).toBe('default');
        await expect(kubeconfigConnection({ path, context: 'three' })).rejects.toThrow(
          'no context "three"; it has one, two',
        );
      });

      test('a credential plugin, that is asked again when its token is refused', async () => {
        const { username, token } = await makeAccount('by-plugin');
        const credential = (value: string) =>
          JSON.stringify({
            apiVersion: 'client.authentication.k8s.io/v1',
            kind: 'ExecCredential',
            status: { token: value },
          });
        writeFileSync(join(dir, 'answer'), credential('expired'));
        const exec = {
          ...{ apiVersion: 'client.authentication.k8s.io/v1', command: 'cat', args: [join(dir, 'answer')] },
          interactiveMode: 'Never',
        };
        const connection = await kubeconfigConnection({ path: kubeconfig({ exec }) });
        writeFileSync(join(dir, 'answer'), credential(token));
        expect(await whoAmI(connection)).toBe(username);
      });

      test('a token, and somebody who is impersonated', async () => {
        const { username, token } = await makeAccount('by-token');
        expect(await whoAmI(await kubeconfigConnection({ path: kubeconfig({ token }) }))).toBe(username);
        const { certFile, keyFile } = server.admin as ReturnType<ApiServer['issue']>;
        const path = kubeconfig({ 'client-certificate': certFile, 'client-key': keyFile, as: 'john' });
        expect(await whoAmI(await kubeconfigConnection({ path }))).toBe('john');
      });

      test('a server that the authority did not sign is refused, unless told', async () => {
        const { token, username } = await makeAccount('unsafe');
        const bad = await kubeconfigConnection({ path: kubeconfig({ token }, { 'certificate-authority': undefined }) });
        await expect(whoAmI(bad)).rejects.toMatchObject({
          status: 0,
          message: expect.stringMatching(/certificate/) as string,
        });
        const named = await kubeconfigConnection({ path: kubeconfig({ token }, { 'tls-server-name': 'elsewhere' }) });
        await expect(whoAmI(named)).rejects.toThrow(/elsewhere/);
        const insecure = { 'certificate-authority': undefined, 'insecure-skip-tls-verify': true };
        expect(await whoAmI(await kubeconfigConnection({ path: kubeconfig({ token }, insecure) }))).toBe(username);
      });

      test('a pod, also after its token was replaced', async () => {
        const before = await makeAccount('pod-before');
        const after = await makeAccount('pod-after');
        const { hostname, port } = new URL(server.url);
        const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
        writeFileSync(join(dir, 'ca.crt'), server.ca);
        writeFileSync(join(dir, 'namespace'), 'default');
        writeFileSync(join(dir, 'token'), `${before.token}\n`);
        let now = 0;
        const clock = { now: () => now, sleep: () => Promise.resolve() };
        const connection = inClusterConnection(env, dir, clock);
        expect(connection.namespace).toBe('default');
        expect(await whoAmI(connection)).toBe(before.username);
        writeFileSync(join(dir, 'token'), after.token);
        expect(await whoAmI(connection)).toBe(before.username);
        now += 60_000;
        expect(await whoAmI(connection)).toBe(after.username);
        // The account goes away, and its token with it: a 401, and the file is read without waiting for a minute.
        await server.kubectl('delete', 'serviceaccount', 'pod-after');
        writeFileSync(join(dir, 'token'), before.token);
        await eventually('the new token is used', async () => (await whoAmI(connection)) === before.username);
      });

      test('nobody: what is missing is named', () => {
        expect(() => inClusterConnection({}, dir)).toThrow('KUBERNETES_SERVICE_HOST is not set');
        const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
        expect(() => inClusterConnection(env, dir)).toThrow(join(dir, 'token'));
        for (const name of ['token', 'ca.crt', 'namespace']) writeFileSync(join(dir, name), 'x');
        expect(inClusterConnection(env, dir).server).toBe('https://[fd00::1]:443');
      });
    });
  });
}
