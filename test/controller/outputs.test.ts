// What the controller tells beside its own resources, standard reports and events, on a real API server: kinds that come late,
// namespaces that go and come again, a leader that was not the leader for a while.
import { join } from 'node:path';
import { createController } from '../../src/controller/controller.ts';
import { createClient, type KubeClient } from '../../src/kube/client.ts';
import { type Clock, systemClock } from '../../src/kube/clock.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { until } from '../support/until.ts';

const controlPlane = requireControlPlane();
const MINUTE = 60_000;
const SETTLE_MS = 100;

/** The controller looks every ten minutes which kinds there are; here it does so all the time. */
const hasty: Clock = { ...systemClock, sleep: (time, signal) => systemClock.sleep(time > MINUTE ? 200 : time, signal) };

interface Report {
  readonly metadata: { readonly uid: string };
  readonly results: readonly { readonly rule: string; readonly result: string }[];
}

(isSkipped(controlPlane) ? describe.skip : describe)(
  `reports and events on a real API server${isSkipped(controlPlane) ? ` (${controlPlane.skipped})` : ''}`,
  () => {
    let api: ApiServer;
    let client: KubeClient;
    const ending = new AbortController();
    const running: Promise<void>[] = [];
    const errors: string[] = [];
    let writes = 0;
    let controller: ReturnType<typeof createController>;

    const kubectl = (args: string): Promise<string> => api.kubectl(...args.split(' '));
    const apply = (object: unknown): Promise<string> => api.kubectlWith(JSON.stringify(object), 'apply', '-f', '-');

    function lead(): () => Promise<void> {
      const stop = new AbortController();
      const leading = controller.lead(AbortSignal.any([ending.signal, stop.signal]));
      return async () => {
        stop.abort();
        await leading;
      };
    }

    async function makePod(namespace: string, name: string): Promise<string> {
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace },
        spec: { nodeName: 'n1', hostUsers: false, containers: [{ name: 'a', image: 'a' }] },
      });
      const running_ = JSON.stringify({ status: { phase: 'Running' } });
      await api.kubectl('patch', 'pod', name, '-n', namespace, '--subresource=status', '-p', running_);
      return (await kubectl(`get pod ${name} -n ${namespace} -o jsonpath={.metadata.uid}`)).trim();
    }

    /** What an agent would write of pods that are in the host's user namespace. */
    async function report(...pods: readonly string[]): Promise<void> {
      const time = new Date().toISOString();
      const status = {
        observedTime: time,
        lastHeartbeatTime: time,
        agent: { version: 'test', evidence: 'full' },
        podGroups: [{ namespaces: '-pnium--', pods }],
      };
      const patch = JSON.stringify({ status });
      await api.kubectl('patch', 'nodeaudit', 'n1', '--subresource=status', '--type=merge', '-p', patch);
    }

    const reportOf = (namespace: string): Promise<Report | undefined> =>
      kubectl(`get reports.openreports.io userns-audit -n ${namespace} -o json`).then(
        (text) => JSON.parse(text) as Report,
        () => undefined,
      );

    /** Whether an object is written, and nothing has been for longer than changes are gathered. */
    async function isQuiet(what: string): Promise<boolean> {
      const before = writes;
      await new Promise((resolve) => setTimeout(resolve, 10 * SETTLE_MS));
      return before === writes && (await kubectl(`get ${what} -o jsonpath={.status.observedTime}`)) !== '';
    }

    /** Deletes a namespace as the namespace controller would, which does not run here. */
    async function deleteNamespace(name: string): Promise<void> {
      await kubectl(`delete namespace ${name} --wait=false`);
      for (const what of ['pods', 'namespaceaudits', 'reports.openreports.io'])
        await kubectl(`delete ${what} --all -n ${name} --force --grace-period=0`);
      // The controller has had the time to try to make them again.
      await isQuiet('auditpolicy cluster');
      const object = JSON.parse(await kubectl(`get namespace ${name} -o json`)) as { readonly spec: object };
      const finalized = JSON.stringify({ ...object, spec: { ...object.spec, finalizers: [] } });
      await api.kubectlWith(finalized, 'replace', '--raw', `/api/v1/namespaces/${name}/finalize`, '-f', '-');
      await until('it is gone', () => (controller.model.namespaces.has(name) ? undefined : true));
    }

    beforeAll(async () => {
      if (isSkipped(controlPlane)) return;
      api = await startApiServer(controlPlane, { flags: ['--disable-admission-plugins=ServiceAccount'] });
      await kubectl('apply -f charts/userns-audit/crds');
      await kubectl('wait --for=condition=Established crd --all');
      await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
      for (const name of ['shop', 'quiet']) await kubectl(`create namespace ${name}`);
      client = createClient(api.admin);
      controller = createController({
        client,
        instance: 'test',
        staleAfterMs: MINUTE,
        settleMs: SETTLE_MS,
        clock: hasty,
        onWrite: () => (writes += 1),
        // Watches may fail while the API server takes in new kinds.
        onError: (what, error) => {
          if (what.startsWith('write')) errors.push(`${what}: ${String(error)}`);
        },
      });
      running.push(controller.watch(ending.signal));
    }, 2 * MINUTE);

    afterAll(async () => {
      ending.abort();
      await Promise.all(running);
      client.close();
      await api.stop();
    }, MINUTE);

    test(
      'reports come for every namespace when their kind does, and again with a namespace of the same name',
      async () => {
        const stop = lead();
        await until('the NodeAudit', () => (controller.watches.nodeAudits.has('n1') ? true : undefined));
        await until('all is said', async () => ((await isQuiet('auditpolicy cluster')) ? true : undefined));
        await kubectl(`apply -f ${join(import.meta.dirname, '../e2e/open-reports.yaml')}`);
        await until('the report of a quiet namespace', () => reportOf('quiet'));
        await deleteNamespace('quiet');
        await kubectl('create namespace quiet');
        await until('the report of the new namespace', () => reportOf('quiet'));
        await stop();
        expect(errors).toEqual([]);
      },
      2 * MINUTE,
    );

    test(
      'a leader that comes back does not take what it once sent for what there is',
      async () => {
        const stop = lead();
        await makePod('shop', 'front');
        await report();
        await until('no finding', async () => ((await reportOf('shop'))?.results.length === 0 ? true : undefined));
        await stop();
        // Another leader, in the meantime.
        const results = [
          { policy: 'user-namespace-not-effective', rule: 'user-namespace-not-effective', result: 'fail' },
        ];
        const body = { apiVersion: 'openreports.io/v1alpha1', kind: 'Report', results };
        await apply({ ...body, metadata: { name: 'userns-audit', namespace: 'shop' } });
        await deleteNamespace('quiet');
        const stopAgain = lead();
        await until('what there is now', async () =>
          (await reportOf('shop'))?.results.length === 0 ? true : undefined,
        );
        await until('the namespace that went is counted no more', () =>
          controller.namespaces.summaries.has('quiet') ? undefined : true,
        );
        await stopAgain();
      },
      2 * MINUTE,
    );

    test(
      'kubectl describe shows the event of a critical finding, whatever the name of the pod',
      async () => {
        const stop = lead();
        // Cut at its 200th character, this name ends with a hyphen, which the name of no object may.
        const long = `${'a'.repeat(199)}-b`;
        await report(await makePod('shop', 'plain'), await makePod('shop', long));
        for (const name of ['plain', long])
          await until(`the event of ${name.slice(0, 5)}`, async () =>
            (await kubectl(`describe pod ${name} -n shop`)).includes('UserNamespaceNotEffective') ? true : undefined,
          );
        await stop();
        expect(errors).toEqual([]);
      },
      2 * MINUTE,
    );
  },
);
