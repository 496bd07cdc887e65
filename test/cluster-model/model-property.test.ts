import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AuditPolicy } from '../../src/core/policy.ts';
import type { ClusterModel } from '../../src/cluster/model.ts';
import { emptyEvidence, type NodeEvidence } from '../../src/cluster/node-evidence.ts';
import type { NodeWord } from '../../src/cluster/node-word.ts';
import { createPodInterner, type SlimPod } from '../../src/cluster/pod.ts';
import type { ApiObject } from '../../src/cluster/pod-spec.ts';
import {
  type Clock,
  clusterSummary,
  evidenceOf,
  exceptionOf,
  modelAt,
  namespaceSummary,
  NOON,
  podOf,
  policyOf,
  QUIET,
  uidOf,
} from './cluster-facts.ts';
import { type Facts, type NamespaceCount, type Recount, recount } from './recount.ts';

const root = { name: 'app', securityContext: { runAsUser: 0 } };
const SPECS: readonly ApiObject[] = [
  {},
  { hostUsers: false },
  { hostPID: true, hostNetwork: true },
  { hostUsers: false, containers: [root] },
  { containers: [{ name: 'app', securityContext: { privileged: true } }], hostIPC: true },
  { containers: [QUIET], initContainers: [root] },
  { containers: [{ name: 'app' }] },
  { os: { name: 'windows' } },
  { hostUsers: false, volumes: [{ name: 'v', nfs: {} }] },
];
// Of two templates with as many pods the newer counts: for all models here they come in one order.
const interner = createPodInterner();
for (const spec of SPECS) podOf({ spec }, interner);

const NODES = ['', 'n1', 'n2', 'n3'];
const NAMESPACES = ['a', 'b', 'c'];
const STATIC = ['0'.repeat(32), '1'.repeat(32)];

const pod = fc.record({
  slot: fc.nat(9),
  uid: fc.nat(14),
  node: fc.constantFrom(...NODES),
  phase: fc.constantFrom('Running', 'Running', 'Running', 'Running', 'Pending', 'Succeeded', 'Failed', undefined),
  spec: fc.constantFrom(...SPECS),
  owner: fc.constantFrom(undefined, ['DaemonSet', 'd'] as const, ['Job', 'j-28000000'] as const),
  mirror: fc.option(fc.nat(1)),
});

const vector = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('UpniumC-', '-pniumC-', '--nium--', 'UpniumC-', '-p-i-m--') },
  { weight: 1, arbitrary: fc.stringMatching(/^[U?-][p?-][n?-][i?-][u?-][m?-][C?-][T?-]$/) },
);
const map = fc.constantFrom(
  '0 65536 65536',
  '0 131072 65536',
  '0 131000 100',
  '0 1000 65536',
  '0 196608 10, 10 65536 9',
);
const seen = fc.record({
  uid: fc.oneof(fc.nat(14).map(uidOf), fc.constantFrom(...STATIC)),
  vector,
  map: fc.option(map),
  sandbox: fc.option(fc.constantFrom('kata', 'gvisor'), { freq: 8 }),
});
const audit = fc
  .record({
    node: fc.constantFrom(...NODES.slice(1)),
    pods: fc.uniqueArray(seen, { selector: ({ uid }) => uid, maxLength: 12 }),
    age: fc.constantFrom(0, 0, 100_000, 180_000, 180_001, -60_000, -400_000),
    twice: fc.boolean(),
    readiness: fc.constantFrom('Ready', 'NotReady', 'Unknown'),
    verdicts: fc.subarray(['kernel-namespaces', 'user-namespace-limit', 'kubelet-user-namespaces']),
    unmanaged: fc.nat(2),
  })
  .map((facts) => facts);

const policy: fc.Arbitrary<AuditPolicy> = fc
  .record({
    profiles: fc.constantFrom([], [], ['userns-rollout'], ['no-such-profile']),
    rules: fc.uniqueArray(
      fc.record({
        id: fc.constantFrom(
          'user-namespace',
          'host-pid-namespace',
          'user-namespace-not-effective',
          'undeclared-host-namespace',
          'host-uts-namespace',
          'id-range-overlap',
          'kernel-namespaces',
          'unmanaged-container',
        ),
        enabled: fc.constantFrom(true, false),
        severity: fc.constantFrom('critical', 'info', 'high'),
      }),
      { selector: ({ id }) => id, maxLength: 4 },
    ),
    exceptions: fc.array(
      fc
        .record(
          {
            rules: fc.constantFrom(['*'], ['user-namespace'], ['undeclared-host-namespace', 'host-uts-namespace']),
            namespaces: fc.constantFrom(['*'], ['a'], ['b', 'c']),
            workloads: fc.constantFrom(['DaemonSet/*'], ['Pod/p1', 'Pod/p2'], ['CronJob/j']),
            namespaceSelector: fc.constantFrom<NonNullable<AuditPolicy['exceptions'][number]['namespaceSelector']>>(
              {},
              { matchLabels: { team: 'x' } },
              { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] },
            ),
            expires: fc.constantFrom('2026-11-26', '2026-11-27', '2026-11-28', '2026-12-11', '2027-06-01'),
            reason: fc.constantFrom('one', 'two'),
          },
          { requiredKeys: ['rules', 'reason'] },
        )
        .map(exceptionOf),
      { maxLength: 3 },
    ),
    floors: fc.array(fc.record({ namespaces: fc.constantFrom(['a'], ['*'], ['z']), minPrivatePods: fc.nat(2) }), {
      maxLength: 2,
    }),
  })
  .map(policyOf);

const labels = fc.constantFrom({}, { team: 'x' }, { team: 'y', tier: '1' });
const namespace = fc.constantFrom(...NAMESPACES);
const node = fc.constantFrom(...NODES.slice(1));
const word = fc.constantFrom<NodeWord | undefined>(
  undefined,
  { handlerUserNamespaces: true, tooOld: [] },
  { handlerUserNamespaces: false, tooOld: [] },
  { tooOld: ['kubelet-user-namespaces'] },
);

const event = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pod' as const), pod }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('no pod' as const), slot: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('audit' as const), audit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('no audit' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('node' as const), node, word }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('no node' as const), node }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('namespace' as const), namespace, labels }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('no namespace' as const), namespace }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('policy' as const), policy: fc.option(policy) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('version' as const), minor: fc.constantFrom(32, 36) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clock' as const), ms: fc.constantFrom(1, 60_000, 43_200_000) }),
  },
);
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

/** The facts as whoever feeds the model knows them. */
interface Feed {
  readonly clock: Clock;
  readonly pods: Map<number, SlimPod>;
  readonly evidence: Map<string, NodeEvidence>;
  readonly nodes: Map<string, NodeWord | undefined>;
  readonly namespaces: Map<string, Readonly<Record<string, string>>>;
  policy: AuditPolicy | undefined;
  minor: number;
  readonly model: ClusterModel;
  readonly dirty: Set<string>;
}

function createFeed(happened: readonly Event[] = []): Feed {
  const clock = { now: NOON };
  const { model, dirty } = modelAt(clock);
  const feed: Feed = {
    clock,
    pods: new Map(),
    evidence: new Map(),
    nodes: new Map(),
    namespaces: new Map(),
    policy: undefined,
    minor: 36,
    model,
    dirty,
  };
  for (const one of happened) apply(feed, one);
  return feed;
}

function factsOf({ pods, evidence, nodes, namespaces, policy: own, minor, clock }: Feed): Facts {
  return {
    pods: [...pods.values()],
    evidence: [...evidence.values()],
    nodes: new Set(nodes.keys()),
    namespaces,
    policy: own,
    version: { major: 1, minor },
    now: clock.now,
  };
}

type EventOf<Word extends Event['do']> = Extract<Event, { readonly do: Word }>;
type Effects = { readonly [Word in Event['do']]: (feed: Feed, happened: EventOf<Word>) => void };

const EFFECTS: Effects = {
  pod(feed, { pod: { slot, uid, node: bound, phase = '', spec, owner, mirror } }) {
    const annotations: Record<string, string> =
      mirror === null ? {} : { 'kubernetes.io/config.mirror': 'x', 'kubernetes.io/config.hash': STATIC[mirror] ?? '' };
    const place = NAMESPACES[slot % NAMESPACES.length] ?? '';
    const facts = { uid: uidOf(uid), name: `p${slot}`, namespace: place, node: bound, phase, spec, annotations };
    const record = podOf({ ...facts, ...(owner ? { owner } : {}) }, interner);
    feed.model.upsertPod(record, feed.pods.get(slot));
    feed.pods.set(slot, record);
  },
  'no pod'({ model, pods }, { slot }) {
    const record = pods.get(slot);
    if (record) model.removePod(record);
    pods.delete(slot);
  },
  audit({ model, evidence, clock }, happened) {
    const read = readAudit(happened.audit, clock.now);
    model.setEvidence(read);
    evidence.set(read.node, read);
  },
  'no audit'({ model, evidence }, happened) {
    model.removeEvidence(happened.node);
    evidence.delete(happened.node);
  },
  node({ model, nodes }, happened) {
    model.setNode(happened.node, happened.word);
    nodes.set(happened.node, happened.word);
  },
  'no node'({ model, nodes }, happened) {
    model.removeNode(happened.node);
    nodes.delete(happened.node);
  },
  namespace({ model, namespaces }, happened) {
    model.setNamespace(happened.namespace, happened.labels);
    namespaces.set(happened.namespace, happened.labels);
  },
  'no namespace'({ model, namespaces }, happened) {
    model.removeNamespace(happened.namespace);
    namespaces.delete(happened.namespace);
  },
  policy(feed, happened) {
    feed.policy = happened.policy ?? undefined;
    feed.model.setSettings({ policy: feed.policy });
  },
  version(feed, { minor }) {
    feed.minor = minor;
    feed.model.setSettings({ version: { major: 1, minor } });
  },
  clock({ model, clock }, { ms }) {
    clock.now += ms;
    model.tick();
  },
};

function apply(feed: Feed, happened: Event): void {
  (EFFECTS[happened.do] as (feed: Feed, happened: Event) => void)(feed, happened);
}

function readAudit(facts: typeof audit extends fc.Arbitrary<infer A> ? A : never, now: number): NodeEvidence {
  const pods = facts.pods.map(({ uid, vector: letters, map: ids, sandbox }) => {
    const entry = ids !== null && letters.startsWith('U') ? `${uid} ${ids}` : uid;
    return sandbox === null ? ([entry, letters] as const) : ([entry, letters, sandbox] as const);
  });
  const status = {
    readiness: { status: facts.readiness, reasons: facts.verdicts },
    rules: facts.verdicts.map((rule) => ({ rule, status: 'fail', severity: 'high', message: rule })),
    unmanaged: Array.from({ length: facts.unmanaged }, (_, id) => ({ id: `${id}`, status: 'fail', message: 'm' })),
  };
  const [first] = pods;
  return evidenceOf(
    { node: facts.node, heardAt: now - facts.age, status, pods: facts.twice && first ? [...pods, first] : pods },
    now,
  );
}

/** What the model says, in the words of the recount. */
function counted(model: ClusterModel): Recount {
  const summary = clusterSummary(model);
  const namespaces = [...model.namespaces.keys()].sort().map((name): [string, NamespaceCount] => {
    const { pods, unknown = [], findingTotals, findings = [], workloads = {} } = namespaceSummary(model, name);
    const lines = findings.map(
      (found) =>
        `${found.workload} ${found.rule} ${found.status} ${found.severity} ${found.pods} ${found.accepted ?? '-'}`,
    );
    return [
      name,
      {
        pods,
        unknown: Object.fromEntries(unknown.map(({ reason, pods: count }) => [reason, count])),
        totals: findingTotals,
        findings: lines.sort(),
        workloads,
      },
    ];
  });
  const critical = (summary.criticalFindings ?? []).map(
    ({ namespace: place = '', subject, rule, pods }) => `${place} ${subject} ${rule} ${pods}`,
  );
  return {
    namespaces: Object.fromEntries(namespaces),
    totals: { ...summary.findingTotals },
    critical: critical.sort(),
    exceptions: (summary.exceptions ?? []).map(({ state, matched }) => `${state} ${matched}`),
  };
}

const WORDS = new Set(['message', 'example', 'fix']);

/** Everything that would be written, but for words and names that may be those of another pod. */
function written(model: ClusterModel): string {
  const names = [...model.namespaces.keys()].sort();
  const all = {
    cluster: clusterSummary(model),
    namespaces: names.map((name) => [name, namespaceSummary(model, name)]),
  };
  return JSON.stringify(all, (key, value: unknown) => (WORDS.has(key) ? undefined : value), 1);
}

function replay(
  { clock, pods, evidence, nodes, namespaces, policy: own, minor }: Feed,
  order: () => number,
): ClusterModel {
  const { model } = modelAt(clock);
  const steps = [
    ...[...pods.values()].map((record) => () => {
      const fresh = { ...record };
      delete fresh.counted;
      model.upsertPod(fresh);
    }),
    ...[...evidence.values()].map((one) => () => {
      model.setEvidence(one);
    }),
    ...[...nodes].map(([name, said]) => () => {
      model.setNode(name, said);
    }),
    ...[...namespaces].map(([name, own_]) => () => {
      model.setNamespace(name, own_);
    }),
    () => {
      model.setSettings({ policy: own });
    },
    () => {
      model.setSettings({ version: { major: 1, minor } });
    },
    () => {
      model.tick();
    },
  ];
  for (const { step } of steps.map((step) => ({ step, at: order() })).sort((a, b) => a.at - b.at)) step();
  return model;
}

function clear(feed: Feed): void {
  for (const slot of [...feed.pods.keys()]) apply(feed, { do: 'no pod', slot });
  for (const name of NODES.slice(1)) {
    apply(feed, { do: 'no audit', node: name });
    apply(feed, { do: 'no node', node: name });
  }
  for (const name of NAMESPACES) apply(feed, { do: 'no namespace', namespace: name });
}

const events = fc.array(event, { maxLength: 60, size: 'max' });

test('after whatever happened, the model says what counting from the beginning says', () => {
  fc.assert(
    fc.property(events, (happened) => {
      const feed = createFeed(happened);
      expect(counted(feed.model)).toEqual(recount(factsOf(feed)));
    }),
    { numRuns: 1500 },
  );
});

test('the order of what happened shows nowhere', () => {
  fc.assert(
    fc.property(events, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (happened, order) => {
      const feed = createFeed(happened);
      expect(written(replay(feed, () => Number(order.next().value)))).toBe(written(feed.model));
    }),
    { numRuns: 700 },
  );
});

test('whoever is written only when told so has written what is so', () => {
  fc.assert(
    fc.property(events, (happened) => {
      const feed = createFeed();
      const kept = new Map<string, string>();
      for (const one of happened) {
        feed.dirty.clear();
        apply(feed, one);
        for (const name of feed.dirty)
          if (feed.model.namespaces.has(name)) kept.set(name, JSON.stringify(namespaceSummary(feed.model, name)));
          else kept.delete(name);
        for (const name of feed.model.namespaces.keys())
          expect([one.do, name, kept.get(name)]).toEqual([
            one.do,
            name,
            JSON.stringify(namespaceSummary(feed.model, name)),
          ]);
        expect([...kept.keys()].filter((name) => !feed.model.namespaces.has(name))).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});

test('when all is gone, nothing is left', () => {
  fc.assert(
    fc.property(events, (happened) => {
      const feed = createFeed(happened);
      const pods = [...feed.pods.values()];
      clear(feed);
      expect(feed.model.nodes.size).toBe(0);
      expect(feed.model.namespaces.size).toBe(0);
      expect(pods.filter(({ counted: where }) => where)).toEqual([]);
      expect(clusterSummary(feed.model)).toMatchObject({
        pods: { running: 0 },
        nodes: { total: 0 },
        criticalFindings: [],
      });
    }),
    { numRuns: 500 },
  );
});

test('records that were replaced are kept nowhere', () => {
  const { model } = modelAt();
  let record = podOf({ node: 'n1' }, interner);
  model.upsertPod(record);
  for (let change = 0; change < 20; change++) {
    const phase = ['Pending', 'Running', 'Running'][change % 3] ?? '';
    const next = podOf({ node: NODES[change % NODES.length] ?? '', phase }, interner);
    model.upsertPod(next, record);
    expect(record.counted).toBeUndefined();
    record = next;
    const groups = [...(model.namespaces.get('shop')?.groups.values() ?? [])];
    expect(groups.flatMap(({ pods }) => [...pods])).toEqual([record]);
    // Nodes nobody but this pod speaks of go with it.
    const bound = [...model.nodes.values()].flatMap(({ pods }) => [...pods]);
    expect([model.nodes.size, bound]).toEqual(record.node === '' ? [0, []] : [1, [record]]);
  }
});

test('evidence that never came leaves no trace', () => {
  const { model } = modelAt();
  model.setEvidence(emptyEvidence('n1'));
  model.removeEvidence('n1');
  model.removeNode('n2');
  model.removeNamespace('nowhere');
  expect([model.nodes.size, model.namespaces.size]).toEqual([0, 0]);
});
