import { type Clock, systemClock } from './clock.ts';
import type { KubeClient } from './client.ts';
import { isConflict, isNotFound } from './kube-error.ts';
import { resourcePath } from './paths.ts';

export interface LeaderElectionOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update'>;
  readonly namespace: string;
  readonly name: string;
  /** Different for every candidate, and for every start of one: a pod's name and something random. */
  readonly identity: string;
  /** How long others wait for a leader that says nothing, 15 unless told. */
  readonly leaseSeconds?: number;
  /** How long a leader leads without having renewed, 10 unless told; less than `leaseSeconds`, so that it stops before another starts. */
  readonly renewSeconds?: number;
  /** The time between two attempts, 2 unless told. */
  readonly retrySeconds?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** The work of the leader. It must end soon after its signal aborts; nobody else leads before it has, if it ends in time. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  /** Leadership was lost, not given up; the work has ended, and the candidate tries again. */
  readonly onLost?: () => void;
  /** An attempt failed; for the log. */
  readonly onError?: (error: unknown) => void;
}

interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

interface Lease {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec?: LeaseSpec;
}

/** How an attempt ended: the lease is ours, another's, or nobody knows. */
type Attempt = 'held' | 'taken' | 'failed';

/**
 * Takes part in an election until the signal aborts, by the rules of client-go: a lease is expired when this process has seen no
 * change of it for its duration, whatever the clocks of others say. One who gives up empties the lease, so that another
 * leads at its next attempt. Resolves when the signal has aborted, or when `lead` ended by itself; rejects when `lead` does.
 * @see https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 */
export async function runLeaderElection(options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  const { clock = systemClock, random = Math.random, retrySeconds = 2 } = options;
  const candidate = createCandidate(options, clock);
  while (!signal.aborted) {
    const attempt = await candidate.attempt(signal);
    if (attempt === 'held') {
      if (await leadWhileHeld(options, candidate, clock, signal)) return;
      options.onLost?.();
    }
    await clock.sleep(retrySeconds * 1000 * (1 + random() * 0.2), signal);
  }
}

/** Leads and renews. True when the election is over, false when leadership was lost. */
async function leadWhileHeld(
  { lead, retrySeconds = 2, renewSeconds = 10 }: LeaderElectionOptions,
  candidate: Candidate,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const lost = new AbortController();
  const done = new AbortController();
  const work = (async () => {
    try {
      await lead(AbortSignal.any([signal, lost.signal]));
    } finally {
      done.abort();
    }
  })();
  // Handled below; while renewing nobody looks at it.
  work.catch(() => undefined);
  const isDone = (): boolean => done.signal.aborted;
  // Renewed until the work has ended, also after it was told to end: it is this process that works until then.
  while (!isDone()) {
    await clock.sleep(retrySeconds * 1000, done.signal);
    if (isDone()) break;
    const deadline = candidate.heldSince() + renewSeconds * 1000;
    // Not cut short by the end of the work: a renewal that may have been carried out must be known before the release.
    const attempt = await candidate.attempt(new AbortController().signal, deadline);
    if (attempt === 'taken' || (attempt === 'failed' && clock.now() >= deadline)) {
      lost.abort(new Error('the lease was lost'));
      break;
    }
  }
  try {
    await work;
  } catch (error) {
    if (!signal.aborted && !lost.signal.aborted) {
      await candidate.release();
      throw error;
    }
  }
  if (lost.signal.aborted && !signal.aborted) return false;
  await candidate.release();
  return true;
}

interface Candidate {
  /** Takes or renews the lease if that is allowed. Gives up when the signal aborts or the deadline is over. */
  attempt(signal: AbortSignal, deadline?: number): Promise<Attempt>;
  /** When the last attempt that held began, in milliseconds of the clock. */
  heldSince(): number;
  /** Empties the lease if it is still ours. */
  release(): Promise<void>;
}

function createCandidate(options: LeaderElectionOptions, clock: Clock): Candidate {
  const { client, namespace, name, identity, leaseSeconds = 15, renewSeconds = 10, onError } = options;
  const collection = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace };
  const path = resourcePath({ ...collection, name });
  let seen: Lease | undefined;
  let seenAt = 0;
  let heldSince = 0;

  function observe(lease: Lease): void {
    if (lease.metadata.resourceVersion !== seen?.metadata.resourceVersion) seenAt = clock.now();
    seen = lease;
  }

  const isHeldBy = ({ spec }: Lease, who: string): boolean => spec?.holderIdentity === who;

  function mayTake(lease: Lease): boolean {
    if (!lease.spec?.holderIdentity || isHeldBy(lease, identity)) return true;
    return clock.now() >= seenAt + (lease.spec.leaseDurationSeconds ?? leaseSeconds) * 1000;
  }

  function claimed(lease: Lease | undefined): LeaseSpec {
    const now = microTime(clock.now());
    const before = lease?.spec;
    const isOurs = lease !== undefined && isHeldBy(lease, identity);
    return {
      holderIdentity: identity,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: isOurs ? (before?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions:
        isOurs || lease === undefined ? (before?.leaseTransitions ?? 0) : (before?.leaseTransitions ?? 0) + 1,
    };
  }

  async function current(signal: AbortSignal): Promise<Lease | undefined> {
    // A holder knows its lease: one request renews it, and a conflict tells when somebody wrote it.
    if (seen !== undefined && isHeldBy(seen, identity)) return seen;
    try {
      const lease = await client.get<Lease>(path, {}, signal);
      observe(lease);
      return lease;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async function write(signal: AbortSignal): Promise<Attempt> {
    const start = clock.now();
    const lease = await current(signal);
    if (lease !== undefined && !mayTake(lease)) return 'taken';
    const spec = claimed(lease);
    const written =
      lease === undefined
        ? await client.create<Lease>(resourcePath(collection), fresh(namespace, name, spec), { signal })
        : await client.update<Lease>(path, { ...lease, spec }, { signal });
    observe(written);
    heldSince = start;
    return 'held';
  }

  /** False when the lease was not as it was remembered. */
  async function tryRelease(signal: AbortSignal): Promise<boolean> {
    const lease = await current(signal);
    seen = undefined;
    if (lease === undefined || !isHeldBy(lease, identity)) return true;
    const now = microTime(clock.now());
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    try {
      await client.update(path, { ...lease, spec }, { signal });
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  return {
    heldSince: () => heldSince,
    async attempt(signal, deadline = clock.now() + renewSeconds * 1000) {
      const over = deadlineSignal(clock, deadline - clock.now());
      try {
        return await write(AbortSignal.any([signal, over.signal]));
      } catch (error) {
        // Whatever is remembered may be wrong now: the next attempt reads the lease.
        if (isConflict(error) || isNotFound(error)) seen = undefined;
        if (!signal.aborted) onError?.(error);
        return 'failed';
      } finally {
        over.stop();
      }
    },
    async release() {
      const over = deadlineSignal(clock, renewSeconds * 1000);
      try {
        // A second time when somebody wrote the lease without taking it, or a renewal was not answered.
        if (!(await tryRelease(over.signal))) await tryRelease(over.signal);
      } catch (error) {
        // It expires by itself.
        onError?.(error);
      } finally {
        over.stop();
      }
    },
  };
}

/** A signal that aborts after so many milliseconds of the clock. */
function deadlineSignal(clock: Clock, milliseconds: number): { readonly signal: AbortSignal; stop(): void } {
  const over = new AbortController();
  const stop = new AbortController();
  void clock.sleep(Math.max(0, milliseconds), stop.signal).then(() => {
    if (!stop.signal.aborted) over.abort(new Error(`not done within ${Math.round(milliseconds)} ms`));
  });
  return {
    signal: over.signal,
    stop() {
      stop.abort();
    },
  };
}

function fresh(namespace: string, name: string, spec: LeaseSpec) {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name }, spec };
}

/** The API server reads exactly six digits (metav1.MicroTime). */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
