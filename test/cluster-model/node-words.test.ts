import { describe, expect, test } from '@jest/globals';
import { readinessOf, reasonsOf } from '../../src/cluster/cluster-status.ts';
import { readNodeWord } from '../../src/cluster/node-word.ts';
import type { ApiObject } from '../../src/cluster/pod-spec.ts';
import { clusterSummary, evidenceOf, modelAt, NOON, STALE_AFTER_MS } from './cluster-facts.ts';

/** What a node object says of kubelet and runtime, and what becomes of it beside what an agent says. */

const KUBELET = 'kubelet-user-namespaces';
const RUNTIME = 'runtime-user-namespaces';

interface NodeFacts {
  readonly kubelet?: string;
  readonly runtime?: string;
  readonly os?: string;
  /** `features.userNamespaces` of the default handler. */
  readonly handler?: boolean;
}

function nodeOf({ kubelet = 'v1.36.1', runtime = 'containerd://2.1.4', os = 'linux', handler }: NodeFacts): ApiObject {
  return {
    status: {
      nodeInfo: { kubeletVersion: kubelet, containerRuntimeVersion: runtime, operatingSystem: os },
      ...(handler === undefined ? {} : { runtimeHandlers: [{ name: '', features: { userNamespaces: handler } }] }),
    },
  };
}

/** Readiness and reasons of a node of which only the object is known. */
function judged(facts: NodeFacts): readonly [readiness: string, reasons: readonly string[]] {
  const { model } = modelAt();
  model.setNode('node-1', readNodeWord(nodeOf(facts)));
  return stateOf(model);
}

function stateOf(model: ReturnType<typeof modelAt>['model']): readonly [string, readonly string[]] {
  const node = model.nodes.get('node-1');
  if (!node) throw new Error('no node');
  return [readinessOf(node), reasonsOf(node)];
}

describe('without an agent', () => {
  // By hand from KEP-127 (alpha in 1.25, a gate until 1.33) and the release notes of the runtimes.
  test.each<[NodeFacts, string, readonly string[]]>([
    [{}, 'Unknown', []],
    [{ handler: true }, 'Unknown', []],
    [{ kubelet: 'v1.24.17-eks-5e0fdde' }, 'NotReady', [KUBELET]],
    [{ kubelet: 'v1.25.0' }, 'Unknown', []],
    [{ kubelet: 'v1.32.9' }, 'Unknown', []],
    [{ runtime: 'containerd://1.6.36' }, 'NotReady', [RUNTIME]],
    [{ runtime: 'containerd://1.7.28-k3s1' }, 'NotReady', [RUNTIME]],
    [{ runtime: 'containerd://2.0.0-rc.3' }, 'Unknown', []],
    [{ runtime: 'cri-o://1.24.6-6.rhaos4.11.git4bfe15a.el8' }, 'NotReady', [RUNTIME]],
    [{ runtime: 'cri-o://1.31.2' }, 'Unknown', []],
    [{ runtime: 'docker://24.0.7' }, 'NotReady', [RUNTIME]],
    [{ kubelet: 'v1.23.4', runtime: 'docker://20.10.24' }, 'NotReady', [KUBELET, RUNTIME]],
    // Numbers that say nothing, and programs nobody here knows.
    [{ kubelet: 'v0.0.0-master+$Format:%H$', runtime: 'containerd://0.0.0+unknown' }, 'Unknown', []],
    [{ kubelet: '', runtime: '' }, 'Unknown', []],
    [{ kubelet: '1', runtime: 'containerd://' }, 'Unknown', []],
    [{ runtime: 'other-runtime://0.9.1' }, 'Unknown', []],
    // What the runtime says of itself weighs more than its number.
    [{ runtime: 'containerd://1.7.28', handler: true }, 'Unknown', []],
    [{ runtime: 'containerd://2.1.4', handler: false }, 'NotReady', [RUNTIME]],
    // Its pods ask for no Linux namespaces.
    [{ kubelet: 'v1.24.1', runtime: 'containerd://1.6.36', os: 'windows' }, 'Unknown', []],
  ])('%j is %s', (facts, readiness, reasons) => {
    expect(judged(facts)).toEqual([readiness, reasons]);
  });

  test('anything may stand in a node object', () => {
    for (const status of [undefined, null, 'x', { nodeInfo: [] }, { nodeInfo: { kubeletVersion: 1 } }])
      expect(readNodeWord({ status }).tooOld).toEqual([]);
  });
});

describe('beside an agent', () => {
  const OLD = nodeOf({ kubelet: 'v1.24.1', runtime: 'containerd://1.6.36' });
  const readiness = (status: string, ...reasons: readonly string[]) => ({ readiness: { status, reasons } });

  test.each<[what: string, status: object, expected: readonly [string, readonly string[]]]>([
    ['what it has judged itself it knows better', readiness('Ready'), ['Ready', []]],
    [
      'it names what it found, and no more',
      readiness('NotReady', 'user-namespace-limit'),
      ['NotReady', ['user-namespace-limit']],
    ],
    [
      'where it could not tell, the versions do',
      readiness('Unknown', KUBELET, RUNTIME),
      ['NotReady', [KUBELET, RUNTIME]],
    ],
    [
      'of several it could not tell, the others stay open',
      readiness('Unknown', 'idmapped-mounts', RUNTIME),
      ['NotReady', [RUNTIME, 'idmapped-mounts']],
    ],
    [
      'what it could not tell is something else',
      readiness('Unknown', 'idmapped-mounts'),
      ['Unknown', ['idmapped-mounts']],
    ],
    ['it gives no reason', readiness('Unknown'), ['NotReady', [KUBELET, RUNTIME]]],
  ])('%s', (_, status, expected) => {
    const { model } = modelAt();
    model.setNode('node-1', readNodeWord(OLD));
    model.setEvidence(evidenceOf({ status: status as ApiObject }));
    expect(stateOf(model)).toEqual(expected);
  });

  test('one that fell silent, or contradicts itself, leaves it to the versions', () => {
    const clock = { now: NOON };
    const { model } = modelAt(clock);
    model.setNode('node-1', readNodeWord(OLD));
    model.setEvidence(evidenceOf({ status: readiness('Ready') }));
    clock.now += STALE_AFTER_MS + 1;
    model.tick();
    expect(stateOf(model)).toEqual(['NotReady', [KUBELET, RUNTIME]]);
    model.setEvidence(evidenceOf({ heardAt: clock.now + 3_600_000 }, clock.now));
    expect(stateOf(model)).toEqual(['NotReady', [KUBELET, RUNTIME]]);
  });

  test('an upgrade is seen, also of a node that says less than before', () => {
    const { model } = modelAt();
    model.setNode('node-1', readNodeWord(nodeOf({ handler: false })));
    model.setNode('node-1', readNodeWord(nodeOf({})));
    expect(stateOf(model)).toEqual(['Unknown', []]);
    model.setNode('node-1', readNodeWord(OLD));
    expect(clusterSummary(model).nodes).toMatchObject({ notReady: 1, reasons: [{ nodes: 1 }, { nodes: 1 }] });
    model.removeNode('node-1');
    model.setNode('node-1');
    expect(stateOf(model)).toEqual(['Unknown', []]);
  });
});

test('a heartbeat changes nothing, and says so by being the same word', () => {
  const { model, changes } = modelAt();
  const beat = (second: number, facts: NodeFacts): ApiObject => ({
    status: {
      ...(nodeOf(facts)['status'] as object),
      conditions: [{ type: 'Ready', lastHeartbeatTime: `2026-11-27T12:00:${second}Z` }],
    },
  });
  const old = { runtime: 'containerd://1.6.36' };
  expect(readNodeWord(beat(10, old))).toBe(readNodeWord(beat(20, { runtime: 'containerd://1.6.37' })));
  model.setNode('node-1', readNodeWord(beat(10, old)));
  const before = changes.cluster;
  model.setNode('node-1', readNodeWord(beat(20, old)));
  expect(changes.cluster).toBe(before);
  model.setNode('node-1', readNodeWord(beat(30, {})));
  expect(changes.cluster).toBe(before + 1);
});
