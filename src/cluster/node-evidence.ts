import type { Sandbox } from '../core/container.ts';
import type { Severity, Status } from '../core/finding.ts';
import type { NodeRule } from '../core/rule.ts';
import { MAX_UNMANAGED } from '../resources/limits.ts';
import type { NodeAuditStatus } from '../resources/node-audit.ts';
import { NODE_RULES } from '../rules/index.ts';
import { unmanagedContainer } from '../rules/unmanaged-container.ts';
import { type EffectivePod, parsePodEntry, parseVector } from './effective.ts';
import { type ApiObject, listAt, objectAt, textAt } from './pod-spec.ts';
import { hasCondition, TRUNCATED } from '../resources/condition.ts';

/** What the controller keeps of a NodeAudit. */
export interface NodeEvidence {
  readonly node: string;
  /** When the agent was last heard of, in milliseconds since 1970; undefined where it never was. */
  readonly heardAt: number | undefined;
  readonly sight: 'full' | 'basic' | 'none';
  readonly readiness: 'Ready' | 'NotReady' | 'Unknown';
  /** Ids of the rules that decided. */
  readonly reasons: readonly string[];
  readonly verdicts: readonly NodeVerdict[];
  /** By the uid their cgroups carry. */
  readonly pods: ReadonlyMap<string, EffectivePod>;
  /** The lists were cut: what is missing in them says nothing. */
  readonly truncated: boolean;
  /** Nodes that should be alike: distribution, kernel release and runtime. */
  readonly kindOfNode: string;
  /** Why nothing of it is believed; the rest is then empty. */
  readonly rejected?: string;
}

export interface NodeVerdict {
  readonly rule: string;
  readonly severity: Severity;
  readonly status: Status;
  readonly message: string;
  readonly subject: string;
}

/** A clock may be this far ahead before its node is not believed. */
const MAX_SKEW_MS = 5 * 60_000;

/** Of uids and gids together; a kubelet gives each pod one of both, and runs a few hundred pods. */
const MAX_RANGES = 16_384;

/**
 * Reads the status of a NodeAudit. Whoever has a node's token can write anything the schema lets through: what contradicts itself
 * is not believed at all, and says why. Never throws.
 */
export function readNodeEvidence(object: ApiObject, now: number): NodeEvidence {
  const node = textAt(objectAt(object, 'metadata'), 'name') ?? '';
  const status = objectAt(object, 'status') as ApiObject & Partial<NodeAuditStatus>;
  const empty = emptyEvidence(node);
  const heardAt = latest(textAt(status, 'lastHeartbeatTime'), textAt(status, 'observedTime'));
  if (heardAt === undefined) return empty;
  const reject = (why: string): NodeEvidence => ({ ...empty, heardAt: Math.min(heardAt, now), rejected: why });
  if (heardAt > now + MAX_SKEW_MS) return reject('its time lies in the future: check the clock of the node');
  const pods = readPods(status);
  if (typeof pods === 'string') return reject(pods);
  const verdicts = readVerdicts(status);
  if (typeof verdicts === 'string') return reject(verdicts);
  const agent = objectAt(status, 'agent');
  const system = objectAt(status, 'system');
  return {
    node,
    heardAt: Math.min(heardAt, now),
    sight: oneOf(agent['evidence'], ['full', 'basic', 'none'], 'none'),
    readiness: oneOf(objectAt(status, 'readiness')['status'], ['Ready', 'NotReady', 'Unknown'], 'Unknown'),
    reasons: [...new Set(texts(objectAt(status, 'readiness')['reasons']))].filter((rule) => NODE_RULE.has(rule)),
    verdicts: [...verdicts, ...readUnmanaged(status)],
    pods,
    truncated: hasCondition(listAt(status, 'conditions'), TRUNCATED.type, 'True'),
    kindOfNode: ['osImage', 'kernelRelease', 'runtime', 'kubeletVersion']
      .flatMap((key) => textAt(system, key) ?? [])
      .join(', '),
  };
}

/** Of a node nobody has reported on. */
export function emptyEvidence(node: string): NodeEvidence {
  return {
    node,
    heardAt: undefined,
    sight: 'none',
    readiness: 'Unknown',
    reasons: [],
    verdicts: [],
    pods: new Map(),
    truncated: false,
    kindOfNode: '',
  };
}

function readPods(status: ApiObject): ReadonlyMap<string, EffectivePod> | string {
  const pods = new Map<string, EffectivePod>();
  for (const [index, group] of listAt(status, 'podGroups').entries()) {
    const at = `status.podGroups[${index}]`;
    const vector = textAt(group, 'namespaces') ?? '';
    const states = parseVector(vector);
    if (!states) return `${at}.namespaces is no vector of namespaces: ${JSON.stringify(vector.slice(0, 16))}`;
    const sandbox = oneOf<Sandbox | undefined>(group['sandbox'], ['gvisor', 'kata'], undefined);
    // Most pods have no maps: thousands of them share one record.
    const withoutMaps: EffectivePod = { vector, ...(sandbox ? { sandbox } : {}) };
    for (const [place, entry] of texts(group['pods']).entries()) {
      const parsed = parsePodEntry(entry);
      if (!parsed) return `${at}.pods[${place}] can not be read`;
      const { uid, ...maps } = parsed;
      if (pods.has(uid)) return `${at}.pods[${place}]: pod ${uid} is reported twice`;
      if (states.user.relation !== 'private' && maps.uidMap !== undefined)
        return `${at}.pods[${place}]: a uid_map belongs to a private user namespace, and to no other`;
      pods.set(uid, maps.uidMap || maps.gidMap ? { ...withoutMaps, ...maps } : withoutMaps);
    }
  }
  let ranges = 0;
  for (const { uidMap = [], gidMap = [] } of pods.values()) ranges += uidMap.length + gidMap.length;
  return ranges > MAX_RANGES ? `more than ${MAX_RANGES} ranges of ids are mapped: no kubelet gives out so many` : pods;
}

const NODE_RULE: ReadonlyMap<string, NodeRule> = new Map(NODE_RULES.map((rule) => [rule.id, rule]));

/** Weighed as the catalogue has it: a node has no say in that, nor in rules over anything else. */
function readVerdicts(status: ApiObject): readonly NodeVerdict[] | string {
  const verdicts: NodeVerdict[] = [];
  const seen = new Set<string>();
  for (const [index, verdict] of listAt(status, 'rules').entries()) {
    const rule = NODE_RULE.get(textAt(verdict, 'rule') ?? '');
    if (!rule) continue;
    if (seen.has(rule.id)) return `status.rules[${index}]: ${rule.id} is reported twice`;
    seen.add(rule.id);
    verdicts.push({ ...readVerdict(verdict), rule: rule.id, severity: rule.severity, subject: 'node' });
  }
  return verdicts;
}

function readUnmanaged(status: ApiObject): readonly NodeVerdict[] {
  return listAt(status, 'unmanaged')
    .slice(0, MAX_UNMANAGED)
    .map((container) => ({
      ...readVerdict(container),
      rule: unmanagedContainer.id,
      severity: unmanagedContainer.severity,
      subject: `container ${(textAt(container, 'name') ?? textAt(container, 'id') ?? '').slice(0, 64)}`,
    }));
}

function readVerdict(verdict: ApiObject): Pick<NodeVerdict, 'status' | 'message'> {
  const status = oneOf<Status>(verdict['status'], ['pass', 'fail', 'unknown', 'not-applicable'], 'unknown');
  return { status, message: textAt(verdict, 'message') ?? '' };
}

function latest(...times: readonly (string | undefined)[]): number | undefined {
  const known = times.map((time) => Date.parse(time ?? '')).filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.max(...known);
}

function oneOf<T>(value: unknown, words: readonly T[], otherwise: T): T {
  return words.find((word) => word === value) ?? otherwise;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
