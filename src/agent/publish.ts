import { createBackoff } from '../kube/backoff.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isNotFound, KubeError } from '../kube/kube-error.ts';
import { resourcePath } from '../kube/paths.ts';
import type { NodeAuditContent } from '../report/node-audit-status.ts';
import { type Condition, type ConditionWord, EVIDENCE_ACCEPTED, withTransitions } from '../resources/condition.ts';
import { AGENT_FIELD_MANAGER, API_VERSION, GROUP, VERSION } from '../resources/group.ts';

/** What an audit has found, to be published. */
export interface AuditResult {
  readonly content: NodeAuditContent;
  readonly conditions: readonly ConditionWord[];
}

export type PublishOutcome = 'written' | 'heartbeat' | 'missing' | 'refused' | 'failed';

export interface PublisherOptions {
  readonly client: Pick<KubeClient, 'get' | 'apply'>;
  readonly node: string;
  readonly heartbeatMs: number;
  readonly clock: Clock;
  /** The time people read, in milliseconds since 1970; unlike the clock it may be set. */
  readonly now?: () => number;
  readonly onOutcome?: (outcome: PublishOutcome, error?: unknown) => void;
}

export interface Publisher {
  /** The latest result replaces one that was not yet written: no more than one is ever kept. */
  offer(result: AuditResult): void;
  /** Writes what is new, and a sign of life when nothing is, until the signal aborts. Never rejects for what a server does. */
  run(signal: AbortSignal): Promise<void>;
  /** When something was last written, in milliseconds since 1970 as people count them; 0 before that. */
  readonly writtenAt: number;
}

/** 1 s to 2 min: a whole fleet comes back with the API server. */
const BACKOFF = { baseMs: 1000, maxMs: 120_000 };

export function createPublisher(options: PublisherOptions): Publisher {
  const { client, node, heartbeatMs, clock, now = Date.now, onOutcome } = options;
  // The agent may get and patch this subresource, and nothing else.
  const path = resourcePath({
    group: GROUP,
    version: VERSION,
    resource: 'nodeaudits',
    name: node,
    subresource: 'status',
  });
  let latest: AuditResult | undefined;
  let accepted = '';
  let conditions: readonly Condition[] | undefined;
  let heardAt = -Infinity;
  let writtenAt = 0;
  let observedAt = new Date(now()).toISOString();
  let wake = new AbortController();

  /** What an earlier start of the agent has left: its conditions keep their times, and equal content is not written again. */
  async function recall(signal: AbortSignal): Promise<readonly Condition[]> {
    const found = await client.get<{ readonly status?: Record<string, unknown> }>(path, {}, signal);
    const status = found.status ?? {};
    const known = Array.isArray(status['conditions']) ? (status['conditions'] as readonly Condition[]) : [];
    const own = known.filter(({ type }) => type !== EVIDENCE_ACCEPTED);
    const content = Object.fromEntries(Object.keys(latest?.content ?? {}).map((key) => [key, status[key]]));
    accepted = textOf(content, own);
    if (typeof status['observedTime'] === 'string') observedAt = status['observedTime'];
    return own;
  }

  async function write(result: AuditResult, signal: AbortSignal): Promise<PublishOutcome> {
    conditions ??= await recall(signal);
    const text = textOf(result.content, result.conditions);
    const isNew = text !== accepted;
    const wallTime = now();
    const time = new Date(wallTime).toISOString();
    const next = withTransitions(result.conditions, conditions, time);
    if (isNew) observedAt = time;
    const status = { ...result.content, conditions: next, observedTime: observedAt, lastHeartbeatTime: time };
    // The whole status each time: whatever else was written into it does not last.
    await client.apply(
      path,
      { apiVersion: API_VERSION, kind: 'NodeAudit', metadata: { name: node }, status },
      { fieldManager: AGENT_FIELD_MANAGER, force: true, signal },
    );
    accepted = text;
    conditions = next;
    heardAt = clock.now();
    writtenAt = wallTime;
    return isNew ? 'written' : 'heartbeat';
  }

  /** How long until something is due. */
  function due(): number {
    if (!latest) return Infinity;
    if (conditions === undefined || textOf(latest.content, latest.conditions) !== accepted) return 0;
    return heardAt + heartbeatMs - clock.now();
  }

  return {
    offer(result) {
      latest = result;
      wake.abort();
    },
    get writtenAt() {
      return writtenAt;
    },
    async run(signal) {
      const backoff = createBackoff(BACKOFF);
      signal.addEventListener('abort', () => {
        wake.abort();
      });
      while (!signal.aborted) {
        const wait = due();
        if (latest === undefined || wait > 0) {
          wake = new AbortController();
          await clock.sleep(Math.min(wait, heartbeatMs), wake.signal);
          continue;
        }
        try {
          onOutcome?.(await write(latest, signal));
          backoff.reset();
        } catch (error) {
          if (signal.aborted as boolean) return;
          onOutcome?.(outcomeOf(error), error);
          const asked = error instanceof KubeError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
          await clock.sleep(Math.max(backoff.next(), asked), signal);
        }
      }
    },
  };
}

function outcomeOf(error: unknown): PublishOutcome {
  if (isNotFound(error)) return 'missing';
  return error instanceof KubeError && error.status >= 400 && error.status < 500 && error.status !== 429
    ? 'refused'
    : 'failed';
}

/** Content and conditions as one text, whatever the order of keys: what is equal says nothing new. */
function textOf(content: unknown, conditions: readonly ConditionWord[]): string {
  const words = conditions
    .map(({ type, status, reason, message }) => [type, status, reason, message])
    .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return JSON.stringify([content, words], (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
