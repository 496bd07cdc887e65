// The controller's process on a real API server: what it writes, what it believes, and what it does when something is away. Evidence is
// written by the test, in the place of an agent.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditPolicyStatus } from '../../src/resources/audit-policy.ts';
import type { NamespaceAuditStatus } from '../../src/resources/namespace-audit.ts';
import type { NodeAuditStatus } from '../../src/resources/node-audit.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { CLI } from '../support/audit.ts';
import { until } from '../support/until.ts';

const controlPlane = requireControlPlane();
const MINUTE = 60_000;

/** A controller as a process, and where its metrics are. */
interface Controller {
  readonly process: ChildProcess;
  readonly port: number;
}

interface Listed<T> {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string };
    readonly status?: T;
  }[];
}

(isSkipped(controlPlane) ? describe.skip : describe)(
  `the controller on a real API server${isSkipped(controlPlane) ? ` (${controlPlane.skipped})` : ''}`,
  () => {
    let api: ApiServer;
    let controller: Controller;
    const started: ChildProcess[] = [];

    async function startController(): Promise<Controller> {
      const process_ = spawn(
        process.execPath,
        [CLI, 'controller', '--kubeconfig', api.kubeconfig, '--namespace', 'default', '--listen', '127.0.0.1:0'],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      started.push(process_);
      const port = await new Promise<number>((resolve, reject) => {
        const lines: string[] = [];
        createInterface({ input: process_.stderr }).on('line', (line) => {
          lines.push(line);
          const found = /"message":"controller started","port":(\d+)/.exec(line)?.[1];
          if (found !== undefined) resolve(Number(found));
        });
        process_.once('exit', () => {
          reject(new Error(`the controller ended: ${lines.join('\n')}`));
        });
      });
      return { process: process_, port };
    }

    const kubectl = (args: string): Promise<string> => api.kubectl(...args.split(' '));
    const apply = (object: unknown): Promise<string> => api.kubectlWith(JSON.stringify(object), 'apply', '-f', '-');

    async function list<T>(what: string): Promise<Listed<T>> {
      return JSON.parse(await kubectl(`get ${what} -o json`)) as Listed<T>;
    }

    async function namespaceStatus(namespace: string): Promise<NamespaceAuditStatus | undefined> {
      return (await list<NamespaceAuditStatus>(`namespaceaudits -n ${namespace}`)).items[0]?.status;
    }

    async function policyStatus(): Promise<AuditPolicyStatus | undefined> {
      return (await list<AuditPolicyStatus>('auditpolicies')).items[0]?.status;
    }

    async function metrics({ port }: Controller): Promise<string> {
      return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    }

    /** A running pod, as a kubelet would have it. */
    async function makePod(name: string, node: string, spec: object = {}): Promise<string> {
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'shop' },
        spec: { nodeName: node, containers: [{ name: 'a', image: 'a' }], ...spec },
      });
      await api.kubectl(
        'patch',
        'pod',
        name,
        '-n',
        'shop',
        '--subresource=status',
        '-p',
        '{"status":{"phase":"Running"}}',
      );
      return (await kubectl(`get pod ${name} -n shop -o jsonpath={.metadata.uid}`)).trim();
    }

    /** What an agent would write. */
    async function report(
      node: string,
      groups: Readonly<Record<string, readonly string[]>>,
      status: NodeAuditStatus = {},
    ) {
      const body = {
        apiVersion: 'userns-audit.dev/v1alpha1',
        kind: 'NodeAudit',
        metadata: { name: node },
        status: {
          observedTime: new Date().toISOString(),
          lastHeartbeatTime: new Date().toISOString(),
          agent: { version: 'test', evidence: 'full' },
          readiness: { status: 'Ready', reasons: [] },
          podGroups: Object.entries(groups).map(([namespaces, pods]) => ({ namespaces, pods })),
          ...status,
        },
      };
      await api.kubectlWith(
        JSON.stringify(body),
        ...['apply', '--server-side', '--force-conflicts', '--field-manager=agent', '--subresource=status', '-f', '-'],
      );
    }

    async function acceptance(node: string): Promise<string> {
      const { items } = await list<NodeAuditStatus>('nodeaudits');
      const found = items.find(({ metadata }) => metadata.name === node)?.status?.conditions;
      const condition = found?.find(({ type }) => type === 'EvidenceAccepted');
      return condition ? `${condition.status} ${condition.reason}: ${condition.message}` : '';
    }

    /** The versions of all that the controller writes. */
    const versions = async (): Promise<string> =>
      (
        await Promise.all(
          ['nodeaudits', 'namespaceaudits -A', 'auditpolicies'].map((what) =>
            kubectl(`get ${what} -o jsonpath={range.items[*]}{.metadata.resourceVersion},{end}`),
          ),
        )
      ).join(';');

    async function settled(): Promise<string> {
      let last = '';
      return until('nothing more is written', async () => {
        const before = last;
        last = await versions();
        if (before === last) return last;
        // Longer than changes are gathered before they are written.
        await sleep(2500);
        return undefined;
      });
    }

    let front = '';
    let back = '';

    beforeAll(async () => {
      if (isSkipped(controlPlane)) return;
      api = await startApiServer(controlPlane, { flags: ['--disable-admission-plugins=ServiceAccount'] });
      await kubectl('apply -f charts/userns-audit/crds');
      await kubectl('create namespace shop');
      for (const name of ['n1', 'n2']) await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
      front = await makePod('front', 'n1', { hostUsers: false });
      back = await makePod('back', 'n2');
      await kubectl(
        'wait --for=condition=Established crd/nodeaudits.userns-audit.dev crd/auditpolicies.userns-audit.dev',
      );
      controller = await startController();
      await until('the NodeAudits', async () => ((await list('nodeaudits')).items.length === 2 ? true : undefined));
    }, 2 * MINUTE);

    afterAll(async () => {
      for (const one of started) one.kill('SIGKILL');
      await api.stop();
    }, MINUTE);

    test(
      'makes an audit for every node and namespace, and a policy; without agents everything is unknown',
      async () => {
        const status = await until('the audit of shop', async () => {
          const found = await namespaceStatus('shop');
          return found?.pods.running === 2 ? found : undefined;
        });
        expect(status.pods.unknown).toBe(2);
        expect(status.unknown).toEqual([{ reason: 'NoAgent', pods: 2 }]);
        const owner = await kubectl(
          'get nodeaudit n1 -o jsonpath={.metadata.ownerReferences[0].kind}/{.metadata.ownerReferences[0].name}',
        );
        expect(owner).toBe('Node/n1');
        const policy = await until('the policy', policyStatus);
        expect(policy.kubernetes).toMatchObject({ keepsHostUsers: 'True' });
        expect(policy.nodes).toMatchObject({ total: 2, unknown: 2, stale: 2 });
      },
      MINUTE,
    );

    test(
      'a node without an agent is not ready where its runtime is too old, and heartbeats of it write nothing',
      async () => {
        const setStatus = (status: object): Promise<string> =>
          api.kubectl('patch', 'node', 'n3', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
        const sum = (what: string, isSo: (nodes: Record<string, unknown>) => boolean): Promise<AuditPolicyStatus> =>
          until(what, async () => {
            const found = await policyStatus();
            return found?.nodes && isSo(found.nodes) ? found : undefined;
          });
        await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n3' } });
        await setStatus({ nodeInfo: { kubeletVersion: 'v1.33.1', containerRuntimeVersion: 'containerd://1.6.36' } });
        const { nodes } = await sum('the old node', ({ notReady }) => notReady === 1);
        expect(nodes).toMatchObject({ total: 3, reasons: [{ rule: 'runtime-user-namespaces', nodes: 1 }] });
        expect(await metrics(controller)).toMatch(
          /^userns_audit_node_\w+\{node="n3",rule="runtime-user-namespaces"\} 1$/m,
        );
        const before = await settled();
        const heard = new Date().toISOString();
        await setStatus({ conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: heard }] });
        expect(await settled()).toBe(before);
        await setStatus({ nodeInfo: { containerRuntimeVersion: 'containerd://2.1.4' } });
        await sum('the upgrade', ({ notReady, unknown }) => notReady === 0 && unknown === 3);
        await kubectl('delete node n3');
        await sum('the node is gone', ({ total }) => total === 2);
      },
      MINUTE,
    );

    test(
      'tells declared and not effective everywhere, until it is mended',
      async () => {
        await report('n1', { '-pnium--': [front] });
        await report('n2', { '-pnium--': [back] });
        const status = await until('the finding', async () => {
          const found = await namespaceStatus('shop');
          return found?.pods.notEffective === 1 ? found : undefined;
        });
        expect(status.findings?.[0]).toMatchObject({
          rule: 'user-namespace-not-effective',
          severity: 'critical',
          workload: 'Pod/front',
        });
        expect(
          await until('the metric', async () => {
            const text = await metrics(controller);
            return /^userns_audit_pods\{namespace="shop",state="not_effective"\} 1$/m.exec(text)?.[0];
          }),
        ).toBeDefined();
        await report('n1', { 'Upnium--': [`${front} 0 131072 65536`] });
        await until('it is mended', async () =>
          (await namespaceStatus('shop'))?.pods.private === 1 ? true : undefined,
        );
        const policy = await until('the sum', async () => {
          const found = await policyStatus();
          return found?.pods?.private === 1 ? found : undefined;
        });
        expect(policy).toMatchObject({ adoptionPercent: 50, criticalFindings: [], nodes: { ready: 2, stale: 0 } });
      },
      MINUTE,
    );

    test(
      'does not believe a node that contradicts itself, and nobody else is the worse for it',
      async () => {
        await report('n2', { '-pnium--': [back], '--nium--': [back] });
        await until('the verdict', async () =>
          (await acceptance('n2')).includes('reported twice') ? true : undefined,
        );
        expect(await acceptance('n2')).toMatch(/^False Contradictory/);
        const status = await until('the pod is unknown', async () => {
          const found = await namespaceStatus('shop');
          return found?.pods.unknown === 1 ? found : undefined;
        });
        expect(status.unknown).toEqual([{ reason: 'EvidenceRejected', pods: 1 }]);
        expect(status.pods.private).toBe(1);
        await expect(report('n2', { nonsense: [back] })).rejects.toThrow(/namespaces/);
        // Nor can it keep the verdict out by filling the list it stands in.
        const others = Array.from({ length: 16 }, (_, index) => ({
          ...{ type: `Other${index}`, status: 'True', reason: 'Yes', message: '' },
          lastTransitionTime: '2026-01-01T00:00:00Z',
        })) satisfies NodeAuditStatus['conditions'];
        await kubectl('delete nodeaudit n2');
        await until('a new audit', async () =>
          (await kubectl('get nodeaudit n2 --ignore-not-found -o name')) === '' ? undefined : true,
        );
        await expect(report('n2', { '-pnium--': [back] }, { conditions: others })).rejects.toThrow('one place is kept');
        await report('n2', { '-pnium--': [back], '--nium--': [back] }, { conditions: others.slice(1) });
        await until('the verdict', async () => ((await acceptance('n2')).startsWith('False') ? true : undefined));
        // Whatever it says of a pod that runs elsewhere is not heard.
        await report('n2', { '-pnium--': [back, front] });
        await until('it is believed again', async () =>
          (await acceptance('n2')).startsWith('True') ? true : undefined,
        );
        expect((await namespaceStatus('shop'))?.pods.private).toBe(1);
      },
      MINUTE,
    );

    test(
      'follows the policy, and says where it can not',
      async () => {
        const policy = (spec: object): Promise<string> =>
          apply({ apiVersion: 'userns-audit.dev/v1alpha1', kind: 'AuditPolicy', metadata: { name: 'cluster' }, spec });
        const refused = async (spec: object): Promise<string> =>
          policy(spec).then(
            () => 'taken',
            (error: unknown) => String(error),
          );
        expect(await refused({ exceptions: [{ rules: ['*'], reason: 'a word' }] })).toContain('must say for what');
        expect(await refused({ floors: [{ namespaces: ['*'] }] })).toContain('must set minPrivatePods');
        expect(await refused({ rules: [{ id: 'user-namespace' }, { id: 'user-namespace' }] })).toContain('set twice');
        await policy({ rules: [{ id: 'no-such-rule', enabled: false }] });
        await until('the mistake', async () => {
          const valid = (await policyStatus())?.conditions?.find(({ type }) => type === 'Valid');
          return valid?.status === 'False' && valid.message.includes('spec.rules[0].id') ? true : undefined;
        });
        await kubectl('label namespace shop team=a');
        const forTeam = { namespaceSelector: { matchLabels: { team: 'a' } }, reason: 'agreed' };
        await policy({
          rules: [],
          exceptions: [
            { rules: ['user-namespace'], ...forTeam },
            { rules: ['host-pid-namespace'], namespaces: ['shop'], reason: 'not needed' },
            { rules: ['user-namespace'], namespaces: ['shop'], reason: 'was', expires: '2020-01-01' },
          ],
          floors: [{ namespaces: ['shop'], minAdoptionPercent: 90 }],
        });
        const status = await until('the exceptions', async () => {
          const found = await policyStatus();
          return found?.exceptions?.length === 3 && found.floors?.length === 1 ? found : undefined;
        });
        expect(status.exceptions?.map(({ state }) => state)).toEqual(['matched', 'unused', 'expired']);
        expect(status.floors).toEqual([
          expect.objectContaining({ namespace: 'shop', required: '90 % of running pods' }),
        ]);
        const shop = await until('it is accepted', async () => {
          const found = await namespaceStatus('shop');
          return found?.findings?.some(({ accepted }) => accepted === 'agreed') ? found : undefined;
        });
        expect(shop.floor?.met).toBe(false);
        await policy({ rules: [], exceptions: [], floors: [] });
      },
      2 * MINUTE,
    );

    test(
      'what others write into a status goes, and their conditions stay and cost nothing',
      async () => {
        const condition = { status: 'True', reason: 'Yes', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
        /** Puts conditions beside those that are there, and sets fields. */
        async function meddle(place: readonly string[], types: readonly string[], fields: object = {}): Promise<void> {
          const { status } = JSON.parse(await api.kubectl('get', ...place, '-o', 'json')) as {
            readonly status: { readonly conditions?: readonly object[] };
          };
          const conditions = [...(status.conditions ?? []), ...types.map((type) => ({ ...condition, type }))];
          const patch = JSON.stringify({ status: { ...fields, conditions } });
          await api.kubectl('patch', ...place, '--subresource=status', '--type=merge', '-p', patch);
        }
        await until('the floor of the policy is gone', async () =>
          (await namespaceStatus('shop'))?.floor === undefined ? true : undefined,
        );
        await settled();
        await meddle(['auditpolicy', 'cluster'], ['Reviewed']);
        await meddle(['namespaceaudit', 'userns-audit', '-n', 'shop'], ['Reviewed', 'Truncated'], {
          floor: { met: true, minPrivatePods: 7 },
        });
        const shop = await until('what was put in is gone', async () => {
          const found = await namespaceStatus('shop');
          return found?.floor === undefined ? found : undefined;
        });
        expect(shop.conditions?.map(({ type }) => type)).toEqual(['Reviewed']);
        await settled();
        expect((await policyStatus())?.conditions?.map(({ type }) => type).toSorted()).toEqual([
          'FloorsMet',
          'Reviewed',
          'Valid',
        ]);
      },
      2 * MINUTE,
    );

    test(
      'comes through without its API server, and with an etcd that hangs',
      async () => {
        await api.restart('crash');
        await report('n1', { '-pnium--': [front] });
        await until('news after the restart', async () =>
          (await namespaceStatus('shop'))?.pods.notEffective === 1 ? true : undefined,
        );
        api.pauseEtcd();
        await sleep(3000);
        api.resumeEtcd();
        await report('n1', { 'Upnium--': [`${front} 0 131072 65536`] });
        await until('news after the pause', async () =>
          (await namespaceStatus('shop'))?.pods.private === 1 ? true : undefined,
        );
        expect(controller.process.exitCode).toBeNull();
      },
      2 * MINUTE,
    );

    test(
      'another takes over when the leader is killed, and nothing is written for nothing',
      async () => {
        const before = await settled();
        const second = await startController();
        await until('the second is ready', async () =>
          (await metrics(second)).includes('userns_audit_watch_synced{resource="pods"} 1') ? true : undefined,
        );
        expect(await metrics(second)).toMatch(/^userns_audit_leader 0$/m);
        expect(await metrics(second)).not.toContain('userns_audit_pods{');
        controller.process.kill('SIGKILL');
        await until('the second leads', async () =>
          /^userns_audit_leader 1$/m.test(await metrics(second)) ? true : undefined,
        );
        await sleep(3000);
        expect(await versions()).toBe(before);
        await report('n1', { '-pnium--': [front] });
        await until('it writes', async () =>
          (await namespaceStatus('shop'))?.pods.notEffective === 1 ? true : undefined,
        );
        const third = await startController();
        second.process.kill('SIGTERM');
        expect((await once(second.process, 'exit'))[0]).toBe(0);
        await until(
          'it was handed over',
          async () => (/^userns_audit_leader 1$/m.test(await metrics(third)) ? true : undefined),
          10_000,
        );
        controller = third;
      },
      2 * MINUTE,
    );

    test(
      'a node that is gone takes its audit with it',
      async () => {
        await kubectl('delete node n2');
        await until('the audit is gone', async () =>
          (await list('nodeaudits')).items.length === 1 ? true : undefined,
        );
      },
      MINUTE,
    );
  },
);
