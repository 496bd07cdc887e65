// A week of a cluster that is none, for pictures: every half an hour the model of the controller is made as the cluster then is, and
// the product's own code tells its metrics. Nothing in it is random.
import { createAgentCounters, renderAgentMetrics } from '../src/agent/agent-metrics.ts';
import { createControllerMetrics } from '../src/controller/controller-metrics.ts';
import { createPodInterner, type SlimPod } from '../src/cluster/pod.ts';
import type { NamespaceSummary } from '../src/cluster/namespace-status.ts';
import type { Controller } from '../src/controller/controller.ts';
import {
  evidenceOf,
  exceptionOf,
  modelAt,
  namespaceSummary,
  NOON,
  type PodFacts,
  podOf,
  policyOf,
  QUIET,
  uidOf,
} from '../test/cluster-model/cluster-facts.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The last moment of the week. */
export const WEEK_END = NOON;
export const WEEK_START = NOON - 7 * DAY_MS;
export const STEP_MS = HOUR_MS / 2;

const VERSION = '0.1.0';
const NODES = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5', 'node-6'];
const AGENT_BYTES = 63_700_000;
const PRIVATE = 'Upnium--';
const HOST = '-pnium--';
const ON_NETWORK = '-p-ium--';

interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  /** Hours after the beginning of the week from which on it declares `hostUsers: false`. */
  readonly adopted?: number;
  readonly spec?: Readonly<Record<string, unknown>>;
}

const privileged = { containers: [{ ...QUIET, securityContext: { privileged: true } }] };
const rooted = { containers: [{ name: 'app' }] };
const networked = { hostNetwork: true };
const shared = { volumes: [{ name: 'data', nfs: { server: 'files', path: '/' } }] };

const WORKLOADS: readonly Workload[] = [
  { namespace: 'shop', name: 'web', replicas: 6, adopted: 0 },
  { namespace: 'shop', name: 'cart', replicas: 4, adopted: 30 },
  { namespace: 'shop', name: 'images', replicas: 2, spec: shared },
  { namespace: 'payments', name: 'api', replicas: 4, adopted: 20 },
  { namespace: 'payments', name: 'ledger', replicas: 3, adopted: 75 },
  { namespace: 'payments', name: 'reports', replicas: 2, adopted: 130 },
  { namespace: 'search', name: 'query', replicas: 5, adopted: 52 },
  { namespace: 'search', name: 'index', replicas: 3, spec: rooted },
  { namespace: 'batch', name: 'render', replicas: 4, adopted: 110 },
  { namespace: 'batch', name: 'import', replicas: 3, spec: rooted },
  { namespace: 'monitoring', name: 'prometheus', replicas: 2, adopted: 96 },
  { namespace: 'monitoring', name: 'exporter', replicas: 6, spec: networked },
  { namespace: 'legacy', name: 'mainframe-bridge', replicas: 3, spec: privileged },
  { namespace: 'legacy', name: 'terminal', replicas: 2, adopted: 160, spec: rooted },
  { namespace: 'network', name: 'cni', replicas: 6, spec: { ...networked, ...privileged } },
];

/** node-5 runs an old containerd in these hours, and hostUsers of its pods has no effect. */
const OLD_RUNTIME = [60, 88] as const;
/** node-6 is made with user.max_user_namespaces=0 at that hour. */
const LIMITED_SINCE = 150;
/** The agent of node-4 is silent in these hours; then the week ends. */
const SILENT = [164, 169] as const;

/** Between 0 and 1, the same for the same number, and without a pattern. */
function noise(seed: number): number {
  const value = Math.sin(seed * 12.9898 + 4.1414) * 43_758.5453;
  return value - Math.floor(value);
}

const between = (hour: number, [from, to]: readonly [number, number]): boolean => hour >= from && hour < to;

function dayFrom(days: number): string {
  return new Date(WEEK_END + days * DAY_MS).toISOString().slice(0, 10);
}

const EXCEPTIONS = [
  exceptionOf({ namespaces: ['network'], reason: 'the CNI plugin is the network', expires: dayFrom(120) }),
  exceptionOf({
    namespaces: ['monitoring'],
    rules: ['host-network-namespace'],
    reason: 'the exporter measures the node',
    expires: dayFrom(41),
  }),
  exceptionOf({
    namespaces: ['legacy'],
    rules: ['privileged-in-host-user-namespace'],
    reason: 'until the bridge is replaced',
    expires: dayFrom(5),
  }),
  exceptionOf({ namespaces: ['batch'], rules: ['user-namespace'], reason: 'first migration', expires: dayFrom(-2) }),
];

/** A controller over one model that goes through the week, as far as its metrics look at it. */
function exampleController(): { readonly controller: Controller; readonly moveTo: (hour: number) => void } {
  const clock = { now: WEEK_START };
  const { model } = modelAt(clock);
  const floors = [{ namespaces: ['shop', 'payments', 'batch'], minAdoptionPercent: 70 }];
  const profiles = ['userns-rollout', 'pod-security-baseline', 'cis-kubernetes'];
  model.setSettings({ policy: { ...policyOf({ profiles, exceptions: EXCEPTIONS }), floors } });
  for (const node of NODES) model.setNode(node);
  for (const { namespace } of WORKLOADS) model.setNamespace(namespace, {});
  const interner = createPodInterner();
  const known = new Map<string, SlimPod>();
  const summaries = new Map<string, NamespaceSummary>();
  const watch = { synced: true, lastContact: () => clock.now };
  const all = new Map(['pods', 'nodes', 'namespaces', 'nodeaudits', 'auditpolicies'].map((name) => [name, watch]));
  const stub = {
    ...{ model, queueDepth: 0, namespaces: { summaries } },
    ...{ watches: { all, synced: true }, kubernetes: { keepsHostUsers: 'True' } },
  };
  return {
    controller: stub as unknown as Controller,
    moveTo(hour) {
      clock.now = WEEK_START + hour * HOUR_MS;
      stub.queueDepth = Math.floor(3 * noise(hour));
      const seen = new Map<string, AuditedPod[]>(NODES.map((node) => [node, []]));
      for (const { facts, audited } of podsAt(hour)) {
        const pod = podOf(facts, interner);
        model.upsertPod(pod, known.get(facts.uid));
        known.set(facts.uid, pod);
        seen.get(facts.node)?.push(audited);
      }
      for (const [node, pods] of seen) {
        const isSilent = node === 'node-4' && between(hour, SILENT);
        const heardAt = clock.now - 20_000 - (isSilent ? (hour - SILENT[0] + 1) * HOUR_MS : 0);
        model.setEvidence(evidenceOf({ node, heardAt, pods, ...nodeStatus(node, hour) }, clock.now));
      }
      model.tick();
      for (const name of model.namespaces.keys()) summaries.set(name, namespaceSummary(model, name));
    },
  };
}

type AuditedPod = readonly [entry: string, vector: string];

/** Every pod at an hour: as the API server has it, and as the agent of its node tells of it. */
function podsAt(hour: number): readonly {
  readonly facts: PodFacts & { readonly node: string; readonly uid: string };
  readonly audited: AuditedPod;
}[] {
  let made = 0;
  return WORKLOADS.flatMap(({ namespace, name, replicas, adopted, spec = {} }) =>
    Array.from({ length: replicas }, (_, replica) => {
      made += 1;
      const uid = uidOf(made);
      const node = NODES[made % NODES.length] ?? '';
      const declares = adopted !== undefined && hour >= adopted + replica / 2;
      const isEffective = declares && !isBroken(node, hour);
      const host = 'hostNetwork' in spec ? ON_NETWORK : HOST;
      return {
        facts: {
          ...{ uid, name: `${name}-${replica}`, namespace, node, owner: ['StatefulSet', name] as const },
          spec: { ...spec, ...(declares ? { hostUsers: false } : {}) },
        },
        audited: isEffective ? ([`${uid} 0 ${65_536 * (made + 1)} 65536`, PRIVATE] as const) : ([uid, host] as const),
      };
    }),
  );
}

function isBroken(node: string, hour: number): boolean {
  return nodeStatus(node, hour).status !== undefined;
}

/** What the rules over nodes say where something is wrong. */
function nodeStatus(node: string, hour: number): { readonly status?: Readonly<Record<string, unknown>> } {
  const broken = (rule: string, message: string) => ({
    status: {
      readiness: { status: 'NotReady', reasons: [rule] },
      rules: [{ rule, severity: 'high', status: 'fail', message }],
    },
  });
  if (node === 'node-6' && hour >= LIMITED_SINCE)
    return broken('user-namespace-limit', 'user.max_user_namespaces is 0');
  if (node === 'node-5' && between(hour, OLD_RUNTIME))
    return broken('runtime-user-namespaces', 'containerd 1.7 has no user namespaces for pods');
  return {};
}

/** Every sample of the week with its time, in the format of OpenMetrics. */
export async function exampleWeek(): Promise<string> {
  const { controller, moveTo } = exampleController();
  const leader = createControllerMetrics(() => controller, VERSION);
  leader.setLeading(true);
  const waiting = createControllerMetrics(() => controller, VERSION);
  const agents = NODES.map((node, index) => ({ node, index, counters: createAgentCounters() }));
  const lines: string[] = [];
  for (let time = WEEK_START; time <= WEEK_END; time += STEP_MS) {
    const hour = (time - WEEK_START) / HOUR_MS;
    moveTo(hour);
    const writes = 2 + Math.floor(4 * noise(hour + 0.3));
    for (let write = 0; write < writes; write += 1) leader.countWrite('NamespaceAudit', 'written');
    leader.countWrite('AuditPolicy', 'written');
    if (hour % 36 === 12) leader.countWatch('pods', 'restart');
    lines.push(...samples(await leader.render(), { job: 'userns-audit-controller', instance: '10.0.0.7:8443' }, time));
    lines.push(...samples(await waiting.render(), { job: 'userns-audit-controller', instance: '10.0.1.4:8443' }, time));
    for (const { node, index, counters } of agents) {
      if (node === 'node-4' && between(hour, SILENT)) continue;
      const seconds = 0.066 + 0.009 * index + 0.012 * noise(hour + 31 * index);
      counters.scans += STEP_MS / 60_000;
      counters.scanSeconds += (STEP_MS / 60_000) * seconds;
      counters.lastScanSeconds = seconds;
      counters.containers = 10 + index;
      counters.evidenceComplete = true;
      counters.publishes.written += 2 + (index % 2);
      counters.publishes.heartbeat += 6;
      const use = { residentBytes: AGENT_BYTES + 900_000 * noise(hour + 17 * index), cpuSeconds: hour };
      const instance = `10.0.0.${10 + index}:9464`;
      lines.push(
        ...samples(renderAgentMetrics(counters, VERSION, time, use), { job: 'userns-audit-agent', instance }, time),
      );
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

/** The samples of an exposition, with the labels a scrape gives them, and a time. */
function samples(text: string, labels: Readonly<Record<string, string>>, time: number): readonly string[] {
  const added = Object.entries({ cluster: 'example', ...labels }).map(([name, value]) => `${name}="${value}"`);
  return text.split('\n').flatMap((line) => {
    const [, name, own = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    return [`${name}{${[...(own === '' ? [] : [own]), ...added].join()}} ${value} ${time / 1000}`];
  });
}
