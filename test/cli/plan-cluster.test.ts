import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { customResourceDefinition, CUSTOM_RESOURCES } from '../../src/resources/custom-resources.ts';
import { createClient } from '../../src/kube/client.ts';
import type { PlanDocument } from '../../src/report/plan-json.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { directoryWith, emptyDirectory, sampleRepository, userns } from './scan-cli.ts';

/** `userns-audit plan --cluster` of a real API server: what kubectl writes, judged by hand below. */

const FIXTURES = join(import.meta.dirname, '../fixtures/adoption');

const found = requireControlPlane();
const title = 'a plan of a real API server';

type Planned = PlanDocument['workloads'][number];
interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
}

/** Kept to the node that can run user namespaces, unless told. */
const POD = { nodeSelector: { pool: 'new' }, containers: [{ name: 'app', image: 'registry.example.org/app:1' }] };
const labels = { app: 'a' };

function controlled(kind: string, name: string, pod: object = {}, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'shop', ...metadata },
    spec: {
      selector: { matchLabels: labels },
      ...(kind === 'StatefulSet' ? { serviceName: 's' } : {}),
      template: { metadata: { labels }, spec: { ...POD, ...pod } },
    },
  };
}

const withClaim = (claimName: string): object => ({
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
});

function claim(name: string, spec: object, namespace = 'shop'): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  };
}

function volume(name: string, source: object): KubernetesObject {
  const capacity = { storage: '1Gi' };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: { capacity, accessModes: ['ReadWriteOnce'], storageClassName: 'static', ...source },
  };
}

function storageClass(name: string, provisioner: string, annotations: object = {}): object {
  return { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name, annotations }, provisioner };
}

const bound = (name: string, volumeName: string): KubernetesObject =>
  claim(name, { volumeName, storageClassName: 'static' });

const STORAGE = [
  storageClass('fast', 'ebs.csi.aws.com', { 'storageclass.kubernetes.io/is-default-class': 'true' }),
  storageClass('share', 'nfs.csi.k8s.io'),
  storageClass('by-hand', 'kubernetes.io/no-provisioner'),
  volume('disk', { csi: { driver: 'ebs.csi.aws.com', volumeHandle: 'd', fsType: 'ext4' } }),
  volume('exotic', { csi: { driver: 'ebs.csi.aws.com', volumeHandle: 'x', fsType: 'reiserfs' } }),
  volume('export', { nfs: { server: 'nfs.example.org', path: '/' } }),
  volume('directory', { hostPath: { path: '/srv/data' } }),
  volume('block', { iscsi: { targetPortal: 'p:3260', iqn: 'iqn.2026-11.org.example:a', lun: 0 } }),
  ...[
    ['on-disk', 'disk'],
    ['on-exotic', 'exotic'],
    ['on-nfs', 'export'],
    ['on-directory', 'directory'],
    ['on-block', 'block'],
    ['on-nothing', 'gone'],
    ['data-moved-0', 'disk'],
    ['data-moved-1', 'disk'],
    ['data-mixed-0', 'disk'],
    ['data-mixed-1', 'export'],
  ].map(([name = '', behind = '']) => bound(name, behind)),
  claim('to-come', { storageClassName: 'share' }),
  claim('to-come-by-default', {}),
  claim('no-class', { storageClassName: '' }),
];

const template = (storageClassName: string): object => ({
  volumeClaimTemplates: [claim('data', { storageClassName }, undefined)],
});

function statefulSet(name: string, storage: string): KubernetesObject {
  const { spec, ...set } = controlled('StatefulSet', name);
  return { ...set, spec: { ...(spec as object), ...template(storage) } };
}

/** Names, standings and what the first obstacle says, judged by hand from the objects above. */
const JUDGED: readonly (readonly [object: KubernetesObject, standing: string, why?: RegExp])[] = [
  [controlled('Deployment', 'web'), 'ready'],
  [controlled('Deployment', 'adopted', { hostUsers: false }), 'adopted'],
  [controlled('Deployment', 'disk', withClaim('on-disk')), 'ready'],
  [controlled('Deployment', 'block', withClaim('on-block')), 'ready'],
  [controlled('Deployment', 'exotic', withClaim('on-exotic')), 'unknown', /reiserfs/],
  [controlled('Deployment', 'nfs', withClaim('on-nfs')), 'blocked', /claim on-nfs, which is NFS/],
  [controlled('Deployment', 'directory', withClaim('on-directory')), 'unknown', /file system under \/srv\/data/],
  [
    controlled('Deployment', 'gone', withClaim('on-nothing')),
    'unknown',
    /volume gone behind it: the cluster has none of this name/,
  ],
  [controlled('Deployment', 'to-come', withClaim('to-come')), 'blocked', /claim to-come, which is NFS/],
  [controlled('Deployment', 'by-default', withClaim('to-come-by-default')), 'ready'],
  [controlled('Deployment', 'no-class', withClaim('no-class')), 'unknown', /asks for no class/],
  [controlled('Deployment', 'no-claim', withClaim('never-made')), 'unknown', /the cluster has none of this name/],
  [statefulSet('moved', 'share'), 'ready'],
  [statefulSet('mixed', 'fast'), 'blocked', /claims data-mixed-…, which is NFS/],
  [statefulSet('fresh', 'fast'), 'ready'],
  [statefulSet('by-hand', 'by-hand'), 'unknown', /class by-hand provisions none/],
  [statefulSet('no-such-class', 'no-such'), 'unknown', /storage class: the cluster has none/],
  [controlled('Deployment', 'kata', { runtimeClassName: 'kata' }), 'blocked', /virtual machine/],
  [controlled('Deployment', 'gvisor', { runtimeClassName: 'gvisor' }), 'ready'],
  [controlled('Deployment', 'other-class', { runtimeClassName: 'absent' }), 'unknown', /no class of this name/],
  [controlled('Deployment', 'old-pool', { nodeSelector: { pool: 'old' } }), 'blocked', /no node that can run/],
  [controlled('Deployment', 'unseen-pool', { nodeSelector: { pool: 'unseen' } }), 'unknown', /NodeAudit/],
  [controlled('Deployment', 'anywhere', { nodeSelector: {} }), 'change', /may be put on 1 of 3 nodes that can not/],
  [
    controlled('Deployment', 'tolerant', { nodeSelector: {}, tolerations: [{ operator: 'Exists' }] }),
    'change',
    /may be put on 1 of 4 nodes that can not/,
  ],
  [
    controlled('Deployment', 'by-affinity', {
      nodeSelector: {},
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'pool', operator: 'In', values: ['new'] }] }],
          },
        },
      },
    }),
    'ready',
  ],
  [controlled('Deployment', 'by-class', { nodeSelector: {}, runtimeClassName: 'pinned' }), 'ready'],
  [controlled('DaemonSet', 'everywhere', { nodeSelector: {} }), 'blocked', /runs on every node, and 1 of 3/],
  [controlled('DaemonSet', 'new-pool', { nodeSelector: { pool: 'new' } }), 'ready'],
];

if (isSkipped(found)) {
  test.skip(`${title} (skipped, because ${found.skipped})`, () => undefined);
} else {
  describe(title, () => {
    let server: ApiServer;

    const apply = async (...objects: readonly object[]): Promise<void> => {
      await server.kubectlWith(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), 'apply', '-f', '-');
    };
    const namespace = (name: string, own: object = {}): object => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: own },
    });
    const account = (name: string): object => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: name },
    });
    const setStatus = async (status: object, ...target: readonly string[]): Promise<void> => {
      const patch = JSON.stringify({ status });
      await server.kubectl('patch', ...target, '--subresource=status', '--type=merge', '-p', patch);
    };
    const uidOf = (...target: readonly string[]): Promise<string> =>
      server.kubectl('get', ...target, '-o', 'jsonpath={.metadata.uid}');

    const run = (...args: readonly string[]): ReturnType<typeof userns> =>
      userns(['plan', '--kubeconfig', server.kubeconfig, ...args], { cwd: FIXTURES });
    const planOf = (...args: readonly string[]): PlanDocument =>
      JSON.parse(run('-o', 'json', ...args).stdout) as PlanDocument;
    const nameOf = ({ subject: { kind, namespace: within, name } }: Planned): string =>
      `${kind} ${within ?? ''}/${name}`;

    beforeAll(async () => {
      server = await startApiServer(found);
      await apply(
        namespace('shop', { team: 'legacy' }),
        namespace('data'),
        account('shop'),
        account('data'),
        ...[
          ['kata', 'kata-qemu'],
          ['gvisor', 'runsc'],
        ].map(([name, handler]) => ({
          apiVersion: 'node.k8s.io/v1',
          kind: 'RuntimeClass',
          metadata: { name },
          handler,
        })),
        {
          apiVersion: 'node.k8s.io/v1',
          kind: 'RuntimeClass',
          metadata: { name: 'pinned' },
          handler: 'runsc',
          scheduling: { nodeSelector: { pool: 'new' } },
        },
        ...STORAGE,
        ...JUDGED.map(([object]) => object),
        ...['new', 'old', 'unseen'].map((pool) => ({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: `node-${pool}`, labels: { pool, 'kubernetes.io/os': 'linux' } },
        })),
        {
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: 'node-control', labels: { 'kubernetes.io/os': 'linux' } },
          spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] },
        },
        {
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: 'node-windows', labels: { 'kubernetes.io/os': 'windows' } },
        },
      );
      const features = (userNamespaces: boolean): object => ({ features: { userNamespaces } });
      await setStatus(
        {
          runtimeHandlers: [
            { name: '', ...features(true) },
            { name: 'runsc', ...features(true) },
          ],
        },
        'node',
        'node-new',
      );
      await setStatus({ runtimeHandlers: [{ name: '', ...features(false) }] }, 'node', 'node-old');
    });
    afterAll(async () => {
      await server.stop();
    });

    test('without the operator nothing is ready, and the plan says what is missing', () => {
      const { workloads, problems } = planOf();
      expect(workloads.filter(({ standing }) => standing === 'ready')).toEqual([]);
      const web = workloads.find(({ subject }) => subject.name === 'web');
      expect(web).toMatchObject({
        standing: 'unknown',
        obstacles: [{ cause: 'nodes', remedy: expect.stringMatching(/^Missing: NodeAudits, .*install the operator/) }],
      });
      const waiting = workloads.filter(
        ({ standing, obstacles }) =>
          standing === 'unknown' && obstacles.length === 1 && obstacles[0]?.cause === 'nodes',
      ).length;
      expect(waiting).toBeGreaterThanOrEqual(8);
      expect(run().stdout).toContain(`${waiting} more workloads are ready, if the nodes are`);
      expect(problems).toMatchObject([{ fatal: false, place: { file: 'nodeaudits.userns-audit.dev', line: 0 } }]);
    });

    describe('with the operator', () => {
      beforeAll(async () => {
        await apply(...CUSTOM_RESOURCES.map(customResourceDefinition));
        await server.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
        const audit = (name: string): object => ({
          apiVersion: 'userns-audit.dev/v1alpha1',
          kind: 'NodeAudit',
          metadata: { name },
        });
        await apply(audit('node-new'), audit('node-old'), audit('node-unseen'));
        for (const node of ['node-new', 'node-old'])
          await setStatus(
            {
              lastHeartbeatTime: new Date().toISOString(),
              readiness: { status: 'Ready', reasons: [] },
              agent: { version: '0.1.0', evidence: 'full' },
            },
            'nodeaudit',
            node,
          );
      });

      test('every workload stands as it was judged by hand, and the reason is named', () => {
        const { workloads, problems } = planOf();
        const planned = new Map(workloads.map((one) => [`${one.subject.kind}/${one.subject.name}`, one]));
        for (const [{ kind, metadata }, standing, why] of JUDGED) {
          const one = planned.get(`${kind}/${metadata.name}`);
          const first = one?.obstacles[0];
          expect([metadata.name, one?.standing]).toEqual([metadata.name, standing]);
          expect(`${first?.message ?? ''}. ${first?.remedy ?? ''}`).toMatch(why ?? /^\. $/);
        }
        expect(workloads).toHaveLength(JUDGED.length);
        expect(problems).toEqual([]);
        expect(planned.get('Deployment/web')).toMatchObject({ hosts: { ready: 1, 'not-ready': 0, unknown: 0 } });
        expect(planned.get('Deployment/anywhere')).toMatchObject({
          hosts: { ready: 1, 'not-ready': 1, unknown: 1 },
          place: { file: 'Deployment/shop/anywhere', line: 0 },
        });
        expect(planned.get('DaemonSet/new-pool')?.hosts).toEqual({ ready: 1, 'not-ready': 0, unknown: 0 });
      });

      test('hostNetwork is a decision where a node declares that it can, and a block where none does', async () => {
        const gate = 'UserNamespacesHostNetworkSupport';
        await apply(controlled('Deployment', 'proxy', { hostNetwork: true }));
        const plans: (Planned | undefined)[] = [];
        for (const declaredFeatures of [['GuaranteedQoSPodCPUResize', gate], ['GuaranteedQoSPodCPUResize'], null]) {
          await setStatus({ declaredFeatures }, 'node', 'node-new');
          plans.push(planOf().workloads.find(({ subject }) => subject.name === 'proxy'));
        }
        await server.kubectl('delete', 'deployment', 'proxy', '--namespace', 'shop');
        const judged = (standing: string, message: RegExp, remedy: RegExp): object => ({
          standing,
          obstacles: [
            {
              cause: 'host-namespace',
              field: 'spec.template.spec.hostNetwork',
              message: expect.stringMatching(message),
              remedy: expect.stringMatching(remedy),
            },
          ],
        });
        expect(plans).toMatchObject([
          judged(
            'change',
            /alpha gate .*; 1 of 1 nodes it may run on declares /,
            /^See that the gate .* API server, too/,
          ),
          judged('blocked', /rejects hostUsers: false; 0 of 1 nodes it may run on declare /, /^Drop hostNetwork: true/),
          judged('blocked', /rejects hostUsers: false$/, /^Drop hostNetwork: true/),
        ]);
      });

      test('a node of which no agent tells is judged by a runtime that is too old', async () => {
        const unseen = async (containerRuntimeVersion: string): Promise<Planned | undefined> => {
          await setStatus({ nodeInfo: { containerRuntimeVersion } }, 'node', 'node-unseen');
          return planOf().workloads.find(({ subject }) => subject.name === 'unseen-pool');
        };
        expect(await unseen('containerd://1.6.36')).toMatchObject({ standing: 'blocked', hosts: { 'not-ready': 1 } });
        expect(await unseen('containerd://2.1.4')).toMatchObject({ standing: 'unknown', hosts: { unknown: 1 } });
      });

      test('evidence that is old says nothing', async () => {
        const stale = new Date(Date.now() - 3_600_000).toISOString();
        await setStatus({ lastHeartbeatTime: stale }, 'nodeaudit', 'node-new');
        const { totals, workloads } = planOf();
        await setStatus({ lastHeartbeatTime: new Date().toISOString() }, 'nodeaudit', 'node-new');
        expect(totals.ready).toBe(0);
        expect(workloads.find(({ subject }) => subject.name === 'web')?.obstacles[0]?.remedy).toMatch(/fresh evidence/);
      });

      test('what the command line says goes before', () => {
        const { workloads } = planOf('--claim', 'shop/on-directory=ext4', '--storage-class', 'by-hand=xfs');
        const standing = (name: string): unknown => workloads.find(({ subject }) => subject.name === name)?.standing;
        expect(standing('directory')).toBe('ready');
        expect(standing('by-hand')).toBe('ready');
      });

      test('patches are those kubectl takes, and change the one line', async () => {
        const directory = emptyDirectory();
        const { workloads } = planOf('--patch', directory);
        const patched = workloads.filter(({ patch }) => patch !== undefined);
        expect(patched.map(({ standing }) => standing)).not.toContain('blocked');
        expect(patched.length).toBeGreaterThanOrEqual(8);
        for (const { subject, patch = '' } of patched) {
          const output = await server.kubectl(
            ...['patch', subject.kind.toLowerCase(), subject.name, '--namespace', subject.namespace ?? ''],
            ...['--dry-run=server', '-o', 'jsonpath={.spec.template.spec.hostUsers}'],
            ...['--patch-file', join(directory, patch)],
          );
          expect(output).toBe('false');
        }
      });

      test('who may not list volumes gets unknown for what stands on them, and never ready', async () => {
        const rules = [
          { apiGroups: ['apps', 'batch', ''], resources: ['*'], verbs: ['list'] },
          { apiGroups: ['storage.k8s.io', 'node.k8s.io', 'userns-audit.dev'], resources: ['*'], verbs: ['list'] },
        ];
        const resources = [...['pods', 'replicationcontrollers', 'persistentvolumeclaims', 'nodes', 'namespaces']];
        await apply(
          {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'ClusterRole',
            metadata: { name: 'planner' },
            rules: [
              { ...rules[0], apiGroups: ['apps', 'batch'] },
              { ...rules[0], apiGroups: [''], resources },
              rules[1],
            ],
          },
          {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'ClusterRoleBinding',
            metadata: { name: 'planner' },
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'planner' },
            subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'shop' }],
          },
        );
        const { code, stdout } = await as('shop', '-o', 'json');
        const { workloads, problems } = JSON.parse(stdout) as PlanDocument;
        expect(code).toBe(0);
        expect(problems.map(({ place, fatal }) => [place.file, fatal])).toEqual([['persistentvolumes', false]]);
        const disk = workloads.find(({ subject }) => subject.name === 'disk');
        expect(disk?.standing).toBe('unknown');
        expect(disk?.obstacles[0]?.remedy).toMatch(/volume disk behind it: a right to list persistentvolumes .*403/);
        expect(workloads.find(({ subject }) => subject.name === 'web')?.standing).toBe('ready');
      });

      test('workloads that may not be listed make the plan end with 2, and say so', async () => {
        const { code, stdout } = await as('data');
        expect(code).toBe(2);
        expect(stdout).toContain('NOT JUDGED');
        expect(stdout).toMatch(/deployments\.apps +missing: a right to list deployments\.apps/);
      });

      test('a namespace that is named needs rights in it alone', async () => {
        await apply(account('data'), {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: 'view', namespace: 'shop' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'planner' },
          subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'data' }],
        });
        const { code, stdout } = await as('data', '--namespace', 'shop', '-o', 'json');
        const { workloads } = JSON.parse(stdout) as PlanDocument;
        expect(code).toBe(0);
        expect(workloads).toHaveLength(JUDGED.length);
        expect(workloads.filter(({ standing }) => standing === 'ready')).toEqual([]);
        expect(workloads.find(({ subject }) => subject.name === 'web')?.obstacles[0]?.remedy).toMatch(
          /^Missing: a right to list nodes/,
        );
      });

      test('the files of a repository are planned by what the cluster knows', () => {
        const cwd = directoryWith({
          'disk.json': JSON.stringify(controlled('Deployment', 'disk', withClaim('on-disk'))),
        });
        const args = ['plan', 'disk.json', '-o', 'json'];
        const alone = JSON.parse(userns(args, { cwd }).stdout) as PlanDocument;
        const asked = JSON.parse(userns([...args, '--kubeconfig', server.kubeconfig], { cwd }).stdout) as PlanDocument;
        expect([alone.workloads[0]?.standing, asked.workloads[0]?.standing]).toEqual(['unknown', 'ready']);
        expect(asked.workloads[0]?.place).toMatchObject({ file: 'disk.json', line: 1 });
      });

      test('more than a page of objects is read whole', async () => {
        await apply(namespace('many'));
        const { spec } = controlled('Deployment', 'one');
        const client = createClient(server.admin);
        const made = Array.from({ length: 620 }, (_, index) => `many-${index}`);
        for (let at = 0; at < made.length; at += 62)
          await Promise.all(
            made
              .slice(at, at + 62)
              .map((name) => client.create('/apis/apps/v1/namespaces/many/deployments', { metadata: { name }, spec })),
          );
        const names = planOf('--namespace', 'man*').workloads.map(({ subject }) => subject.name);
        expect(names.toSorted()).toEqual(made.toSorted());
        await client.delete('/apis/apps/v1/namespaces/many/deployments');
        client.close();
      });

      test('the commands of docs/plan.md do what stands there', () => {
        const text = readFileSync(join(import.meta.dirname, '../../docs/plan.md'), 'utf8');
        const commands = [...text.matchAll(/^ {4}userns-audit (plan .*?)(?: {2,}.*)?$/gm)].map(([, line = '']) => line);
        expect(commands.length).toBeGreaterThanOrEqual(3);
        const cwd = sampleRepository();
        writeFileSync(
          join(cwd, 'audit-policy.yaml'),
          'apiVersion: userns-audit.dev/v1alpha1\nkind: AuditPolicy\nmetadata: { name: cluster }\nspec: {}\n',
        );
        for (const command of commands) {
          const { code, stdout, stderr } = userns(command.split(' '), { cwd, env: { KUBECONFIG: server.kubeconfig } });
          expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
          expect(stdout).toContain(command.includes('apps') ? 'apps/shop.yaml:' : 'Deployment shop/web');
        }
      });

      test('is told in every format without places that are none', () => {
        const { stdout } = run();
        expect(stdout).toMatch(/^ +1 +\w+ shop\/\S+ +(?:\S+% +)?1 of 1 node ready$/m);
        expect(stdout).not.toMatch(/:0:0|Deployment\/shop/);
        const page = run('-o', 'markdown').stdout;
        expect(page).toContain('| Step | Workload | Nodes | Adoption |');
        expect(page).not.toContain('(line 0)');
      });

      /** The bundle as a service account of this namespace. */
      async function as(within: string, ...args: readonly string[]): Promise<ReturnType<typeof userns>> {
        const token = await server.createToken({ namespace: within, serviceAccount: 'default' });
        const kubeconfig = {
          apiVersion: 'v1',
          kind: 'Config',
          clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority': server.caFile } }],
          users: [{ name: 'u', user: { token } }],
          contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
          'current-context': 'c',
        };
        const cwd = directoryWith({ config: JSON.stringify(kubeconfig) });
        return userns(['plan', '--cluster', ...args], { cwd, env: { KUBECONFIG: join(cwd, 'config') } });
      }

      test('an object stands for what it makes, and what makes it is told', async () => {
        const web = await uidOf('deployment', 'web', '--namespace', 'shop');
        const owner = (apiVersion: string, kind: string, name: string, uid: string): object => ({
          ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
        });
        const set = (name: string, replicas: number, metadata: object): object => {
          const { spec, ...object } = controlled('ReplicaSet', name, {}, metadata);
          return { ...object, spec: { ...(spec as object), replicas } };
        };
        const pod = (name: string, own: object, spec: object = {}): object => ({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name, namespace: 'shop', ...own },
          spec: { ...POD, ...spec },
        });
        const ray = owner('ray.io/v1', 'RayCluster', 'ray', '11111111-0000-4000-8000-000000000001');
        await apply(
          set('web-1', 2, owner('apps/v1', 'Deployment', 'web', web)),
          set(
            'canary-2',
            1,
            owner('argoproj.io/v1alpha1', 'Rollout', 'canary', '11111111-0000-4000-8000-000000000002'),
          ),
          set(
            'canary-1',
            0,
            owner('argoproj.io/v1alpha1', 'Rollout', 'canary', '11111111-0000-4000-8000-000000000002'),
          ),
          set('own-set', 0, {}),
          pod('lonely', {}),
          pod('ended', {}),
          pod('ray-1', ray),
          pod('ray-2', ray),
          pod('ray-head', ray, { hostNetwork: true }),
          {
            apiVersion: 'batch/v1',
            kind: 'CronJob',
            metadata: { name: 'nightly', namespace: 'shop' },
            spec: {
              schedule: '0 3 * * *',
              jobTemplate: { spec: { template: { spec: { ...POD, restartPolicy: 'Never' } } } },
            },
          },
        );
        const job = (name: string, metadata: object): object => ({
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { name, namespace: 'shop', ...metadata },
          spec: { template: { spec: { ...POD, restartPolicy: 'Never' } } },
        });
        const nightly = await uidOf('cronjob', 'nightly', '--namespace', 'shop');
        await apply(
          job('nightly-1', owner('batch/v1', 'CronJob', 'nightly', nightly)),
          job('migrate', {}),
          job('done', {}),
        );
        const replicas = await uidOf('replicaset', 'web-1', '--namespace', 'shop');
        const run1 = await uidOf('job', 'nightly-1', '--namespace', 'shop');
        await apply(
          pod('web-1-a', owner('apps/v1', 'ReplicaSet', 'web-1', replicas)),
          pod('web-1-b', owner('apps/v1', 'ReplicaSet', 'web-1', replicas)),
          pod('nightly-1-a', owner('batch/v1', 'Job', 'nightly-1', run1)),
        );
        await setStatus({ phase: 'Succeeded' }, 'pod', 'ended', '--namespace', 'shop');
        const times = { startTime: '2026-11-01T00:00:00Z', completionTime: '2026-11-01T00:01:00Z', succeeded: 1 };
        const condition = (type: string): object => ({
          type,
          status: 'True',
          lastTransitionTime: times.completionTime,
        });
        await setStatus(
          {
            ...times,
            uncountedTerminatedPods: {},
            conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
          },
          ...['job', 'done', '--namespace', 'shop'],
        );
        const judged = new Set(JUDGED.map(([{ kind, metadata }]) => `${kind} shop/${metadata.name}`));
        const { workloads, adoption } = planOf();
        const others = workloads.filter((one) => !judged.has(nameOf(one)));
        expect(others.map((one) => [nameOf(one), one.standing, one.pods]).toSorted()).toEqual([
          ['CronJob shop/nightly', 'ready', 1],
          ['Job shop/migrate', 'ready', 0],
          ['Pod shop/lonely', 'ready', 1],
          ['RayCluster shop/ray', 'blocked', 1],
          ['RayCluster shop/ray', 'change', 2],
          ['ReplicaSet shop/canary-2', 'change', 0],
          ['ReplicaSet shop/own-set', 'ready', 0],
        ]);
        const canary = others.find(({ subject }) => subject.name === 'canary-2');
        expect(canary?.obstacles[0]).toMatchObject({
          cause: 'made-by',
          message: 'is made by Rollout shop/canary, which may undo a change in it',
        });
        // 2 pods of web, 1 of nightly, 1 alone, 3 of ray.
        expect(workloads.find(({ subject }) => subject.name === 'web')?.pods).toBe(2);
        expect(adoption).toEqual({ now: 0, withReady: 4 / 7, withChanges: 6 / 7 });
        await server.kubectl('delete', 'pods,jobs,cronjobs,replicasets', '--all', '--namespace', 'shop');
      });

      test('exceptions are those of the cluster, by labels of namespaces too, and drop nothing', async () => {
        const exceptions = [
          {
            rules: ['user-namespace'],
            namespaceSelector: { matchLabels: { team: 'legacy' } },
            workloads: ['Deployment/web'],
            reason: 'the vendor forbids it',
          },
          { rules: ['user-namespace'], namespaces: ['data'], reason: 'nothing runs there' },
          { rules: ['user-namespace'], files: ['**'], reason: 'for a scan of files' },
          {
            rules: ['user-namespace'],
            namespaces: ['shop'],
            workloads: ['Deployment/disk'],
            reason: 'was so',
            expires: '2026-01-01',
          },
        ];
        await apply({
          apiVersion: 'userns-audit.dev/v1alpha1',
          kind: 'AuditPolicy',
          metadata: { name: 'cluster' },
          spec: { exceptions },
        });
        const plan = planOf();
        const named = (name: string): Planned | undefined =>
          plan.workloads.find(({ subject }) => subject.name === name);
        expect(named('web')).toMatchObject({
          standing: 'ready',
          accepted: [{ rule: 'user-namespace', by: 'exception', reason: 'the vendor forbids it' }],
        });
        expect(named('web')?.step).toBeUndefined();
        expect(named('disk')?.step).toEqual(expect.any(Number));
        expect(plan.exceptions.map(({ state, matched }) => [state, matched])).toEqual([
          ['matched', 1],
          ['unused', 0],
          ['expired', 1],
        ]);
        expect(plan.problems.map(({ kind }) => kind).toSorted()).toEqual(['expired-exception', 'unused-exception']);
        await server.kubectl('delete', 'auditpolicy', 'cluster');
      });

      test('an API server that drops the field blocks everything', async () => {
        await apply({ apiVersion: 'userns-audit.dev/v1alpha1', kind: 'AuditPolicy', metadata: { name: 'cluster' } });
        const kubernetes = { version: 'v1.34.0', keepsHostUsers: 'False', reason: 'the gate is 0' };
        await setStatus({ kubernetes }, 'auditpolicy', 'cluster');
        const { totals } = planOf();
        await server.kubectl('delete', 'auditpolicy', 'cluster');
        expect(totals).toMatchObject({ ready: 0, change: 0, unknown: 0, blocked: JUDGED.length });
      });

      test('the workloads of files stand alike when they are read back from the API server', async () => {
        const objects = readdirSync(FIXTURES)
          .flatMap((file) => parseAllDocuments(readFileSync(join(FIXTURES, file), 'utf8')))
          .map((document) => document.toJS() as KubernetesObject)
          .filter(
            ({ apiVersion, kind }) => ['apps/v1', 'batch/v1', 'v1'].includes(apiVersion) && kind !== 'PodTemplate',
          )
          .map(acceptable);
        const names = [...new Set(objects.map(({ metadata }) => metadata.namespace ?? 'default'))];
        await apply(...names.flatMap((name) => [namespace(name), account(name)]));
        // The API server refuses a few, as the pod that combines what it excludes; kubectl goes on with the others.
        await apply(...objects).catch(() => undefined);
        const kinds = 'deployments,statefulsets,daemonsets,replicasets,jobs,cronjobs,pods';
        const list = await server.kubectl('get', kinds, '--all-namespaces', '-o', 'json');
        const kept = new Set((JSON.parse(list) as { items: KubernetesObject[] }).items.map(keyOf));
        const applied = objects.map(keyOf).filter((key) => kept.has(key));
        expect(applied.length).toBeGreaterThan(40);
        const fromFiles = new Map(planOf('.').workloads.map((one) => [nameOf(one), one]));
        const fromCluster = new Map(planOf().workloads.map((one) => [nameOf(one), one]));
        const standing = (plan: ReadonlyMap<string, Planned>): readonly unknown[] =>
          applied.map((name) => {
            const one = plan.get(name);
            return [name, one?.standing, one?.obstacles.map(({ cause, effect, message }) => [cause, effect, message])];
          });
        expect(standing(fromCluster)).toEqual(standing(fromFiles));
      });
    });
  });
}

function keyOf({ kind, metadata: { namespace, name } }: KubernetesObject): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}

/** The object with what an API server asks for and no judgement does. */
function acceptable(object: KubernetesObject): KubernetesObject {
  const copy = structuredClone(object) as {
    kind: string;
    spec?: { selector?: unknown; template?: { metadata?: unknown } };
  };
  if (['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet'].includes(copy.kind) && copy.spec?.template) {
    copy.spec.selector = { matchLabels: labels };
    copy.spec.template.metadata = { labels };
  }
  return copy as KubernetesObject;
}
