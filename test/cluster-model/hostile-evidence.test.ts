import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { overlapsOf } from '../../src/cluster/judgement.ts';
import { readNodeEvidence } from '../../src/cluster/node-evidence.ts';
import type { ApiObject } from '../../src/cluster/pod-spec.ts';
import { clusterSummary, evidenceOf, modelAt, namespaceSummary, NOON, podOf, uidOf } from './cluster-facts.ts';

const PRIVATE = 'UpniumC-';
const HOST = '-pniumC-';
const A = uidOf(1);

/** Whatever is in it, reading it ends, and what comes of it is whole. */
function readSafely(object: unknown): void {
  const evidence = readNodeEvidence(object as ApiObject, NOON);
  expect(typeof evidence.node).toBe('string');
  if (evidence.rejected !== undefined) {
    expect(evidence.rejected).not.toBe('');
    expect(evidence).toMatchObject({ readiness: 'Unknown', reasons: [], verdicts: [], sight: 'none' });
    expect(evidence.pods.size).toBe(0);
  }
  if (evidence.heardAt !== undefined) expect(evidence.heardAt).toBeLessThanOrEqual(NOON);
  const { model } = modelAt();
  model.setNode(evidence.node);
  model.upsertPod(podOf({ node: evidence.node }));
  model.setEvidence(evidence);
  expect(namespaceSummary(model).pods.running).toBe(1);
  expect(clusterSummary(model).nodes?.total).toBe(1);
}

const odd = fc.anything({ withNullPrototype: true, withBigInt: false, maxDepth: 4 });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', '\ud800', '\udfff\ud800', '9'.repeat(400), `${A} 0 0 0`),
);
const keys = fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty');

/** The shape of a NodeAudit with anything at all in some of its places. */
const crooked = fc
  .record(
    {
      metadata: fc.oneof(odd, fc.record({ name: fc.oneof(text, odd) })),
      status: fc.oneof(
        odd,
        fc.record(
          {
            lastHeartbeatTime: fc.oneof(fc.constant(new Date(NOON).toISOString()), text, odd),
            observedTime: fc.oneof(text, odd),
            agent: fc.oneof(odd, fc.record({ evidence: fc.oneof(text, odd) })),
            system: odd,
            readiness: fc.oneof(odd, fc.record({ status: odd, reasons: fc.oneof(odd, fc.array(text)) })),
            rules: fc.oneof(odd, fc.array(fc.oneof(odd, fc.record({ rule: text, severity: text, status: odd })))),
            unmanaged: fc.oneof(odd, fc.array(fc.oneof(odd, fc.record({ id: odd, name: text, status: odd })))),
            conditions: fc.oneof(odd, fc.array(odd)),
            podGroups: fc.oneof(
              odd,
              fc.array(
                fc.oneof(
                  odd,
                  fc.record({
                    namespaces: fc.oneof(fc.constantFrom(PRIVATE, HOST, '????????', 'UUUUUUUU', '--------'), text, odd),
                    sandbox: fc.oneof(fc.constantFrom('kata', 'gvisor'), odd),
                    pods: fc.oneof(
                      odd,
                      fc.array(
                        fc.oneof(
                          odd,
                          text,
                          fc
                            .tuple(fc.nat(3), fc.array(fc.tuple(id32(), id32(), id32()), { maxLength: 3 }))
                            .map(([pod, map]) => `${uidOf(pod)} ${map.map((range) => range.join(' ')).join(', ')}`),
                        ),
                      ),
                    ),
                  }),
                ),
                { maxLength: 4 },
              ),
            ),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: [] },
  )
  .chain((object) =>
    fc.option(keys).map((key) => ({
      ...object,
      ...(key === null ? {} : (JSON.parse(`{"${key}": {"status": {}}}`) as object)),
    })),
  );

function id32(): fc.Arbitrary<number> {
  return fc.oneof(fc.nat(200_000), fc.constantFrom(0, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33, 9_999_999_999));
}

test('whatever stands in a NodeAudit, reading and judging it ends well', () => {
  fc.assert(fc.property(crooked, readSafely), { numRuns: 2000 });
  expect(({} as Record<string, unknown>)['status']).toBeUndefined();
});

test.each<[string, Parameters<typeof evidenceOf>[0], why: string]>([
  ['a pod twice in one group', { status: groups([PRIVATE, [A, A]]) }, `pod ${A} is reported twice`],
  ['a pod in two groups', { status: groups([PRIVATE, [A]], [HOST, [A]]) }, `status.podGroups[1].pods[0]: pod ${A}`],
  ['a short vector', { pods: [[A, 'Upnium-']] }, 'status.podGroups[0].namespaces is no vector'],
  ['a long vector', { pods: [[A, 'UpniumC-x'.repeat(1_000_000)]] }, 'is no vector'],
  ['letters in the wrong places', { pods: [[A, 'pUniumC-']] }, 'is no vector'],
  [
    'a map without a private namespace',
    { pods: [[`${A} 0 0 1`, HOST]] },
    'a uid_map belongs to a private user namespace',
  ],
  ['a map of what can not be seen', { pods: [[`${A} 0 0 1`, '?pniumC-']] }, 'a uid_map belongs'],
  ['no uid', { pods: [['x', PRIVATE]] }, 'status.podGroups[0].pods[0] can not be read'],
  ['an empty range', { pods: [[`${A} 0 65536 0`, PRIVATE]] }, 'can not be read'],
  ['a range beyond 32 bits', { pods: [[`${A} 0 4294967295 2`, PRIVATE]] }, 'can not be read'],
  ['ids beyond 32 bits inside', { pods: [[`${A} 4294967296 65536 1`, PRIVATE]] }, 'can not be read'],
  ['a number no machine has', { pods: [[`${A} 0 65536 ${'9'.repeat(300)}`, PRIVATE]] }, 'can not be read'],
  ['a start whose ids end beyond 32 bits', { pods: [[`${A} 4294901761`, PRIVATE]] }, 'can not be read'],
  ['a start without a private namespace', { pods: [[`${A} 65536`, HOST]] }, 'a uid_map belongs'],
  ['half a map', { pods: [[`${A} 0 65536`, PRIVATE]] }, 'can not be read'],
  ['words for a gid map', { pods: [[`${A} 0 65536 65536 gid x`, PRIVATE]] }, 'can not be read'],
  ['a time to come', { heardAt: NOON + 300_001 }, 'future'],
  [
    'a rule twice',
    { status: { rules: [verdict('kernel-namespaces', 'pass'), verdict('kernel-namespaces', 'fail')] } },
    'status.rules[1]: kernel-namespaces is reported twice',
  ],
  ['more ranges than ids are for', { status: groups([PRIVATE, manyPods(10_000)]) }, 'ranges of ids'],
])('%s is not believed, and says why', (_, facts, why) => {
  const evidence = evidenceOf(facts);
  expect(evidence.rejected).toContain(why);
  expect(evidence.rejected?.length).toBeLessThan(500);
  const { model } = modelAt();
  model.setNode('node-1');
  model.upsertPod(podOf({ uid: A, spec: { hostUsers: false } }));
  model.setEvidence(evidence);
  expect(namespaceSummary(model).unknown).toEqual([{ reason: 'EvidenceRejected', pods: 1 }]);
  expect(clusterSummary(model).nodes).toMatchObject({ unknown: 1, ready: 0 });
});

test('a start alone is the map a kubelet makes', () => {
  const { pods, rejected } = evidenceOf({ pods: [[`${A} 4294901760`, PRIVATE]] });
  expect(rejected).toBeUndefined();
  const map = [{ inside: 0, outside: 4294901760, length: 65536 }];
  expect(pods.get(A)).toMatchObject({ uidMap: map, gidMap: map });
});

test('a clock that is a little ahead is believed, and makes its evidence no younger', () => {
  const evidence = evidenceOf({ heardAt: NOON + 299_000, pods: [[A, HOST]] });
  expect(evidence).toMatchObject({ heardAt: NOON });
  expect(evidence.rejected).toBeUndefined();
});

test('the greatest report the schema lets through is judged', () => {
  const pods = Array.from({ length: 4 }, (_, group) => manyPods(2048, group * 2048));
  const evidence = evidenceOf({ status: groups(...pods.map((entries) => [PRIVATE, entries] as const)) });
  expect(evidence.pods.size).toBe(8192);
  // All of them hold the same ids: each is known to overlap.
  expect(overlapsOf(evidence.pods).size).toBe(8192);
});

test('a text that nearly is a map takes no longer than one that is', () => {
  const entry = `${A} ${'0 1 1, '.repeat(100_000)}gid ${'1 '.repeat(100_000)}x`;
  expect(evidenceOf({ pods: [[entry, PRIVATE]] }).rejected).toContain('can not be read');
});

test('a node speaks for no pod that is bound to another', () => {
  const { model } = modelAt();
  const mine = podOf({ uid: uidOf(1), name: 'mine', namespace: 'a', node: 'honest', spec: { hostUsers: false } });
  const other = podOf({ uid: uidOf(2), name: 'other', namespace: 'b', node: 'liar', spec: { hostUsers: false } });
  const unbound = podOf({ uid: uidOf(3), name: 'unbound', namespace: 'c', node: '', spec: { hostUsers: false } });
  for (const pod of [mine, other, unbound]) model.upsertPod(pod);
  model.setEvidence(evidenceOf({ node: 'honest', pods: [[`${uidOf(1)} 0 65536 65536`, PRIVATE]] }));
  const before = JSON.stringify(namespaceSummary(model, 'a'));
  fc.assert(
    fc.property(fc.constantFrom(HOST, PRIVATE, '????????', '--------'), fc.boolean(), (vector, rejected) => {
      const lies = [1, 2, 3].map((pod) => [uidOf(pod) + (vector === PRIVATE ? ' 0 65536 65536' : ''), vector] as const);
      model.setEvidence(evidenceOf({ node: 'liar', pods: rejected ? [...lies, ...lies] : lies }));
      expect(JSON.stringify(namespaceSummary(model, 'a'))).toBe(before);
      expect(namespaceSummary(model, 'c').pods.unknown).toBe(1);
    }),
  );
  expect(namespaceSummary(model, 'a').pods.private).toBe(1);
});

test('a node weighs no rule and speaks of no other rules than those over nodes', () => {
  const { model } = modelAt();
  model.setNode('node-1');
  model.setEvidence(
    evidenceOf({
      status: {
        readiness: { status: 'NotReady', reasons: ['kernel-namespaces', 'made-up', 'kernel-namespaces'] },
        rules: [
          verdict('kernel-namespaces', 'fail', 'critical'),
          verdict('user-namespace-not-effective', 'fail', 'critical'),
          verdict('made-up', 'fail', 'critical'),
          verdict('constructor', 'fail', 'critical'),
        ],
      },
    }),
  );
  const summary = clusterSummary(model);
  expect(summary.findingTotals).toEqual({ critical: 0, high: 1, medium: 0, low: 0, info: 0, accepted: 0 });
  expect(summary.criticalFindings).toEqual([]);
  expect(summary.nodes?.reasons).toEqual([{ rule: 'kernel-namespaces', nodes: 1 }]);
});

function groups(...parts: readonly (readonly [vector: string, pods: readonly string[]])[]): ApiObject {
  return { podGroups: parts.map(([namespaces, pods]) => ({ namespaces, pods })) };
}

function manyPods(length: number, from = 0): readonly string[] {
  return Array.from({ length }, (_, index) => `${uidOf(from + index)} 0 65536 65536`);
}

function verdict(rule: string, status: string, severity = 'high'): ApiObject {
  return { rule, status, severity, message: 'so it is' };
}
