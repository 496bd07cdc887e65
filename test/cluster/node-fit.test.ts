// Which nodes a pod may be put on: judged by hand, by the plan, and by a real kube-scheduler.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AdoptionEvidence } from '../../src/cluster/adoption-evidence.ts';
import { hostsOf } from '../../src/cluster/adoption-nodes.ts';
import { nodeStandings, runtimeEvidence } from '../../src/cluster/node-standings.ts';
import type { Workload } from '../../src/core/workload.ts';
import { readLiveObject } from '../../src/manifests/index.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { lackOf } from '../support/cached-programs.ts';
import { until } from '../support/until.ts';

type Spec = Readonly<Record<string, unknown>>;

const taint = (key: string, effect: string, value?: string): Spec => ({ key, effect, ...(value ? { value } : {}) });

const NODES: readonly (readonly [name: string, labels: Readonly<Record<string, string>>, ...taints: Spec[]])[] = [
  ['plain', { pool: 'a', disk: 'ssd', cores: '8' }],
  ['big', { pool: 'b', cores: '64', gpu: '' }],
  ['control', { pool: 'a', cores: '4' }, taint('node-role.kubernetes.io/control-plane', 'NoSchedule')],
  ['gpu', { pool: 'c', cores: 'many' }, taint('dedicated', 'NoExecute', 'gpu'), taint('spot', 'NoSchedule', 'yes')],
  ['soft', { pool: 'd', cores: '2' }, taint('spot', 'PreferNoSchedule', 'yes')],
];

const PINNED = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'pinned' },
  handler: 'pinned',
  scheduling: { nodeSelector: { pool: 'c' }, tolerations: [{ operator: 'Exists' }] },
};

const affinity = (...nodeSelectorTerms: readonly Spec[]): Spec => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const label = (key: string, operator: string, ...values: readonly string[]): Spec => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 ? { values } : {}) }],
});
const field = (operator: string, name: string): Spec => ({
  matchFields: [{ key: 'metadata.name', operator, values: [name] }],
});
const tolerate = (...tolerations: readonly Spec[]): Spec => ({ tolerations });

/** By hand from the pages of kubernetes.io on assigning pods to nodes and on taints. */
const CASES: readonly (readonly [what: string, spec: Spec, hosts: readonly string[]])[] = [
  ['asks for nothing', {}, ['plain', 'big', 'soft']],
  ['a label', { nodeSelector: { pool: 'a' } }, ['plain']],
  ['an empty label', { nodeSelector: { gpu: '' } }, ['big']],
  ['a label no node has', { nodeSelector: { pool: 'z' } }, []],
  ['In', affinity(label('pool', 'In', 'a', 'b')), ['plain', 'big']],
  ['NotIn holds without the label, too', affinity(label('disk', 'NotIn', 'hdd', 'tape')), ['plain', 'big', 'soft']],
  ['NotIn', affinity(label('pool', 'NotIn', 'a')), ['big', 'soft']],
  ['Exists', affinity(label('gpu', 'Exists')), ['big']],
  ['DoesNotExist', affinity(label('gpu', 'DoesNotExist')), ['plain', 'soft']],
  ['Gt, of numbers and not of texts', affinity(label('cores', 'Gt', '9')), ['big']],
  ['Gt is not Gte', affinity(label('cores', 'Gt', '8')), ['big']],
  ['Lt', affinity(label('cores', 'Lt', '3')), ['soft']],
  [
    'Lt of no number',
    { ...affinity(label('cores', 'Lt', '100')), ...tolerate({ operator: 'Exists' }) },
    ['plain', 'big', 'control', 'soft'],
  ],
  ['one of several terms', affinity(label('pool', 'In', 'd'), label('gpu', 'Exists')), ['big', 'soft']],
  ['all of a term', affinity({ ...label('pool', 'In', 'a', 'b'), ...field('NotIn', 'big') }), ['plain']],
  ['a name', affinity(field('In', 'soft')), ['soft']],
  ['all names but one', affinity(field('NotIn', 'soft')), ['plain', 'big']],
  ['an empty term holds for none', affinity({}), []],
  ['nor does it beside another', affinity({}, label('gpu', 'Exists')), ['big']],
  ['label and affinity', { nodeSelector: { pool: 'a' }, ...affinity(label('gpu', 'Exists')) }, []],
  ['tolerates everything', tolerate({ operator: 'Exists' }), ['plain', 'big', 'control', 'gpu', 'soft']],
  [
    'tolerates a key',
    tolerate({ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }),
    ['plain', 'big', 'control', 'soft'],
  ],
  ['tolerates one of two taints', tolerate({ key: 'dedicated', operator: 'Exists' }), ['plain', 'big', 'soft']],
  [
    'tolerates both, by value',
    tolerate(
      { key: 'dedicated', value: 'gpu' },
      { key: 'spot', operator: 'Equal', value: 'yes', effect: 'NoSchedule' },
    ),
    ['plain', 'big', 'gpu', 'soft'],
  ],
  [
    'tolerates another value',
    tolerate({ key: 'dedicated', value: 'db' }, { key: 'spot', operator: 'Exists' }),
    ['plain', 'big', 'soft'],
  ],
  [
    'tolerates another effect',
    tolerate({ operator: 'Exists', effect: 'NoSchedule' }),
    ['plain', 'big', 'control', 'soft'],
  ],
  ['a runtime class with nodes of its own', { runtimeClassName: 'pinned' }, ['gpu']],
];

function evidenceOf(): AdoptionEvidence {
  const nodes = NODES.map(([name, labels, ...taints]) => ({ metadata: { name, labels }, spec: { taints } }));
  return { ...nodeStandings(nodes, [], 0), ...runtimeEvidence([PINNED], nodes) };
}

function workloadOf(spec: Spec): Workload {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [], ...spec } };
  const [workload] = readLiveObject(pod, 'Pod/p').workloads;
  if (!workload) throw new Error('no workload');
  return workload;
}

const hostNames = (spec: Spec, evidence = evidenceOf()): readonly string[] | undefined =>
  hostsOf(workloadOf(spec), evidence)?.map(({ name }) => name);

describe('the nodes a pod may be put on', () => {
  test.each(CASES)('%s', (_, spec, hosts) => {
    expect(hostNames(spec)).toEqual(hosts);
  });

  test('a list of terms without any leaves no node; the API server takes none', () => {
    expect(hostNames(affinity())).toEqual([]);
  });

  test('a class that asks for other nodes than the pod leaves none; the API server rejects the pod', () => {
    expect(hostNames({ runtimeClassName: 'pinned', nodeSelector: { pool: 'a' } })).toEqual([]);
  });

  test('a state that passes keeps no node out of a plan', () => {
    const taints = [
      taint('node.kubernetes.io/unschedulable', 'NoSchedule'),
      taint('node.cloudprovider.kubernetes.io/uninitialized', 'NoSchedule', 'true'),
    ];
    const evidence = nodeStandings([{ metadata: { name: 'cordoned' }, spec: { taints } }], [], 0);
    expect(hostNames({}, evidence)).toEqual(['cordoned']);
  });
});

const found = requireControlPlane();
const scheduler = isSkipped(found) ? '' : join(found.dir, 'kube-scheduler');
const lack = isSkipped(found)
  ? found
  : existsSync(scheduler) && spawnSync(scheduler, ['--version']).status === 0
    ? undefined
    : lackOf('kube-scheduler', `${scheduler} is missing`);
if (isSkipped(found) || lack) {
  test.skip(`a real scheduler agrees (skipped, because ${lack?.skipped ?? ''})`, () => undefined);
} else {
  describe('a real scheduler', () => {
    let server: ApiServer;
    let running: ChildProcess | undefined;

    beforeAll(async () => {
      // Nobody reports on these nodes: their taints shall be those that were written.
      const flags = ['--disable-admission-plugins=ServiceAccount,TaintNodesByCondition'];
      server = await startApiServer(found, { flags });
      await apply(
        PINNED,
        ...NODES.map(([name, labels, ...taints]) => ({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name, labels: { ...labels, own: name } },
          spec: { taints },
        })),
      );
      const allocatable = { pods: '500', cpu: '64', memory: '64Gi' };
      for (const [name] of NODES)
        await server.kubectl(
          ...['patch', 'node', name, '--subresource=status', '--type=merge'],
          ...['-p', JSON.stringify({ status: { allocatable, capacity: allocatable } })],
        );
      const args = ['--kubeconfig', server.kubeconfig, '--leader-elect=false', '--secure-port=0'];
      running = spawn(scheduler, args, { stdio: 'ignore' });
    }, 120_000);
    afterAll(async () => {
      running?.kill('SIGKILL');
      await server.stop();
    });

    const apply = async (...items: readonly object[]): Promise<void> => {
      await server.kubectlWith(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), 'apply', '-f', '-');
    };

    interface Pod {
      readonly metadata: { readonly name: string };
      readonly spec: { readonly nodeName?: string };
      readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
    }

    test('puts each pod on just these nodes', async () => {
      // One pod for each case and node, which asks for that node besides.
      const pods = CASES.flatMap(([, spec], index) =>
        NODES.map(([node]) => {
          const nodeSelector = { ...(spec['nodeSelector'] as object | undefined), own: node };
          const containers = [{ name: 'a', image: 'registry.example.org/a:1' }];
          return {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: `case-${index}-${node}`, namespace: 'default' },
            spec: { containers, ...spec, nodeSelector },
          };
        }),
      );
      await apply(...pods);
      const decided = await until('every pod is bound, or refused', async () => {
        const { items } = JSON.parse(await server.kubectl('get', 'pods', '-o', 'json')) as { items: readonly Pod[] };
        const isDecided = ({ spec, status }: Pod): boolean =>
          spec.nodeName !== undefined ||
          (status.conditions ?? []).some((one) => one.type === 'PodScheduled' && one.status === 'False');
        return items.length === pods.length && items.every(isDecided) ? items : undefined;
      });
      const bound = new Set(decided.flatMap(({ metadata, spec }) => (spec.nodeName ? [metadata.name] : [])));
      const seen = CASES.map(([what], index) => [
        what,
        NODES.flatMap(([node]) => (bound.has(`case-${index}-${node}`) ? [node] : [])),
      ]);
      expect(seen).toEqual(CASES.map(([what, , hosts]) => [what, hosts]));
    }, 120_000);
  });
}
