import { describe, expect, test } from '@jest/globals';
import { summarizeReport } from '../../src/report/cluster-overview.ts';
import { mergeClusterReports, parseClusterReport } from '../../src/report/cluster-report.ts';
import { filterReport } from '../../src/report/filter-report.ts';
import { verdictOf } from '../../src/report/node-kinds.ts';
import { diffReports, hasChanges } from '../../src/report/report-diff.ts';
import { createNodeAuditStatus } from '../../src/report/node-audit-status.ts';
import { factsOf } from '../support/host-tree.ts';
import { GENERATED_AT, largeReport, MIXED_REPORT, NOT_EFFECTIVE } from '../support/cluster-reports.ts';

const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** As kubectl prints them. */
const list = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    ...MIXED_REPORT.nodes.map(({ name, status }) => ({
      apiVersion: 'userns-audit.dev/v1alpha1',
      kind: 'NodeAudit',
      metadata: { name, uid: 'x' },
      ...(Object.keys(status).length > 0 ? { status } : {}),
    })),
    ...MIXED_REPORT.namespaces.map(({ name, status }) => ({
      apiVersion: 'userns-audit.dev/v1alpha1',
      kind: 'NamespaceAudit',
      metadata: { name: 'userns-audit', namespace: name },
      status,
    })),
    {
      apiVersion: 'userns-audit.dev/v1alpha1',
      kind: 'AuditPolicy',
      metadata: { name: 'cluster', generation: 4 },
      spec: MIXED_REPORT.policy?.spec,
      status: MIXED_REPORT.policy?.status,
    },
  ],
};

describe('reading', () => {
  test('a saved report comes back as it was', () => {
    expect(parseClusterReport(copy(MIXED_REPORT))).toEqual(MIXED_REPORT);
  });

  test('what kubectl prints is the same report, as of the newest time in it', () => {
    expect(parseClusterReport(copy(list))).toEqual({ ...MIXED_REPORT, generatedAt: '2026-11-24T09:58:00.000Z' });
  });

  test('what an agent writes of a node is read', () => {
    const { content: status } = createNodeAuditStatus(factsOf({ kernel: '6.12.9' }), '1.2.3');
    const object = { apiVersion: 'userns-audit.dev/v1alpha1', kind: 'NodeAudit', metadata: { name: 'a' }, status };
    const { nodes } = parseClusterReport(copy({ apiVersion: 'v1', kind: 'List', items: [object] }));
    expect(nodes).toEqual([{ name: 'a', status: copy(status) }]);
  });

  test.each([
    ['no object', [], 'the document must be an object'],
    ['another kind', { kind: 'Pod' }, 'kind is "Pod": neither a ClusterReport'],
    [
      'another version',
      { kind: 'ClusterReport', apiVersion: 'userns-audit.dev/v9' },
      'apiVersion is "userns-audit.dev/v9"',
    ],
    ['no time', { ...MIXED_REPORT, generatedAt: 'today' }, 'report.generatedAt must be a time'],
    ['no list', { ...MIXED_REPORT, nodes: {} }, 'report.nodes must be a list, not {}'],
    [
      'a word for a number',
      { ...list, items: [{ ...list.items[0], status: { totals: { pods: 'many' } } }] },
      'NodeAudit node-a: status.totals.pods must be a whole number, 0 or more, not "many"',
    ],
    [
      'a missing field',
      { ...list, items: [{ ...list.items[3], status: { pods: {} } }] },
      'NamespaceAudit of legacy-shop: status.pods.running is missing',
    ],
    [
      'a severity there is not',
      {
        ...MIXED_REPORT,
        namespaces: [
          {
            name: 'a',
            status: { ...MIXED_REPORT.namespaces[0]?.status, findings: [{ ...NOT_EFFECTIVE, severity: 'bad' }] },
          },
        ],
      },
      'namespace a: status.findings[0].severity must be one of critical, high, medium, low, info, not "bad"',
    ],
    [
      'an object without a name',
      { kind: 'List', items: [{ apiVersion: 'v1', kind: 'NodeAudit', metadata: {} }] },
      'items[0].metadata.name is missing',
    ],
  ])('%s: the error names the field', (_, document, message) => {
    expect(() => parseClusterReport(copy(document))).toThrow(message);
  });

  test('of several files the newest has the say', () => {
    const [first, ...others] = MIXED_REPORT.nodes;
    if (!first) throw new Error('no node');
    const later = {
      ...MIXED_REPORT,
      generatedAt: '2026-11-25T10:00:00Z',
      policy: undefined,
      namespaces: [],
      nodes: [{ ...first, status: {} }],
    };
    for (const reports of [
      [MIXED_REPORT, later],
      [later, MIXED_REPORT],
    ] as const) {
      const merged = mergeClusterReports(reports);
      expect(merged.generatedAt).toBe(later.generatedAt);
      expect(merged.nodes).toEqual([{ ...first, status: {} }, ...others]);
      expect(merged.namespaces).toEqual(MIXED_REPORT.namespaces);
      expect(merged.policy).toEqual(MIXED_REPORT.policy);
    }
  });
});

describe('a node is ready only by evidence that is believed now', () => {
  const [ready] = MIXED_REPORT.nodes;
  if (!ready) throw new Error('no node');
  const condition = { type: 'EvidenceAccepted', reason: 'x', message: 'x', lastTransitionTime: GENERATED_AT } as const;

  test.each([
    ['fresh evidence', {}, 'Ready'],
    ['old evidence', { lastHeartbeatTime: '2026-11-24T09:40:00Z' }, 'Unknown'],
    ['evidence without a time', { lastHeartbeatTime: 'soon' }, 'Unknown'],
    ['evidence the controller rejected', { conditions: [{ ...condition, status: 'False' as const }] }, 'Unknown'],
    ['evidence the controller calls stale', { conditions: [{ ...condition, status: 'Unknown' as const }] }, 'Unknown'],
  ])('%s', (_, change, readiness) => {
    expect(verdictOf({ ...ready, status: { ...ready.status, ...change } }, GENERATED_AT).readiness).toBe(readiness);
  });

  test('no evidence at all', () => {
    expect(verdictOf({ name: 'node-c', status: {} }, GENERATED_AT)).toEqual({
      readiness: 'Unknown',
      believed: false,
      reasons: ['no agent has reported'],
    });
  });
});

describe('a part of a cluster', () => {
  test('is summed up by what is in it, and tells nothing of the whole', () => {
    const part = filterReport(MIXED_REPORT, { namespaces: ['pay*', 'sandbox'], nodes: ['node-a'] });
    const { pods, nodes, findingTotals, history, exceptions, missedFloors } = summarizeReport(part, false);
    expect(part.namespaces.map(({ name }) => name)).toEqual(['payments', 'sandbox']);
    expect(pods).toMatchObject({ running: 42, private: 30, notEffective: 2, unknown: 1 });
    expect(nodes).toMatchObject({ total: 1, ready: 1, unknown: 0 });
    expect(findingTotals).toEqual({ critical: 1, high: 0, medium: 1, low: 0, info: 0, accepted: 0 });
    expect({ history, exceptions }).toEqual({ history: [], exceptions: [] });
    expect(missedFloors).toEqual([
      { namespace: 'payments', required: '80 % of running pods', actual: '30 of 42 running pods' },
    ]);
  });
});

describe('what has changed', () => {
  test('nothing between a report and itself', () => {
    expect(hasChanges(diffReports(MIXED_REPORT, MIXED_REPORT))).toBe(false);
  });

  test('findings, nodes, exceptions and namespaces that came or went', () => {
    const [legacy, monitoring, payments] = MIXED_REPORT.namespaces;
    const [nodeA, nodeB, nodeC] = MIXED_REPORT.nodes;
    if (!legacy || !monitoring || !payments || !nodeA || !nodeB || !nodeC || !MIXED_REPORT.policy) throw new Error('!');
    const fixed = { ...payments.status, findings: (payments.status.findings ?? []).slice(1) };
    const { policy } = MIXED_REPORT;
    const exceptions = (policy.status.exceptions ?? []).map((one) => ({ ...one, state: 'expired' as const }));
    const after = {
      ...MIXED_REPORT,
      policy: { ...policy, status: { ...policy.status, exceptions } },
      namespaces: [
        { ...legacy, status: { ...legacy.status, findings: [NOT_EFFECTIVE, ...(legacy.status.findings ?? [])] } },
        { ...payments, status: { ...fixed, pods: { ...fixed.pods, private: 32, notEffective: 0 } } },
        { name: 'zoo', status: monitoring.status },
      ],
      nodes: [{ ...nodeA, status: {} }, nodeC, { ...nodeB, name: 'node-d' }],
    };
    const diff = diffReports(MIXED_REPORT, after);
    expect(diff.newFindings.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual([
      'user-namespace-not-effective legacy-shop: Deployment/api',
      'runtime-user-namespaces node-d',
    ]);
    expect(diff.goneFindings.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual([
      'user-namespace-not-effective payments: Deployment/api',
      'runtime-user-namespaces node-b',
    ]);
    expect(diff.readiness).toEqual([
      { node: 'node-a', before: 'Ready', after: 'Unknown', reasons: ['no agent has reported'] },
      { node: 'node-b', before: 'NotReady', reasons: [] },
      { node: 'node-d', after: 'NotReady', reasons: ['runtime-user-namespaces'] },
    ]);
    expect(diff.expiredExceptions).toEqual([
      'reads the network of the node, which is its task (until 2027-03-31)',
      'a playground (until an unknown day)',
    ]);
    expect(diff.namespaces).toEqual({ added: ['zoo'], removed: ['monitoring', 'sandbox'] });
    expect(diff.adoption).toEqual({ before: { running: 84, private: 39 }, after: { running: 84, private: 41 } });
  });
});

test('totals of 5,000 nodes are those of a recount', () => {
  const report = largeReport(5000, 300);
  const { nodes, nodeKinds, findings } = summarizeReport(report, true);
  expect(nodes.ready + nodes.notReady + nodes.unknown).toBe(5000);
  expect(nodeKinds.flatMap(({ names }) => names).toSorted()).toEqual(report.nodes.map(({ name }) => name));
  const single = report.namespaces.flatMap(({ status }) => status.findings ?? []).length;
  const onNodes = report.nodes.flatMap(({ status }) =>
    (status.rules ?? []).filter((one) => one.status === 'fail'),
  ).length;
  expect(findings.flatMap(({ subjects }) => subjects)).toHaveLength(single + onNodes);
});
