import { backoffDelay, type BackoffLimits } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';

/** What a handler may ask for. */
export interface WorkResult {
  /** Handle the key again after so long, unless it is added before. */
  readonly requeueAfterMs?: number;
}

export interface WorkQueueOptions {
  /** Brings the state of one key to what it should be. A rejection is tried again with a growing delay. */
  readonly handle: (key: string, signal: AbortSignal) => Promise<WorkResult | undefined> | Promise<void>;
  /** Keys handled at the same time, 1 unless told. */
  readonly concurrency?: number;
  /** Of a key that failed: 0.2 s to 5 min unless told. */
  readonly backoff?: BackoffLimits;
  readonly onError?: (error: unknown, key: string, failures: number) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Keys that are to be handled. A key is in the queue once, and is never handled twice at the same time. */
export interface WorkQueue {
  /** Soon. A key that is being handled is handled again after that. */
  add(key: string): void;
  /** In so many milliseconds at the latest: of two times the earlier counts. */
  addAfter(key: string, milliseconds: number): void;
  /** Keys that wait for a handler; not those that wait for a time. */
  readonly depth: number;
  /** Keys that are being handled. */
  readonly active: number;
  /** Resolves when nothing waits for a handler and none runs. What waits for a time does not count. */
  drain(): Promise<void>;
  /** Takes no more keys, aborts the handlers' signal, and resolves when they have ended. */
  stop(): Promise<void>;
}

const DEFAULT_BACKOFF: BackoffLimits = { baseMs: 200, maxMs: 300_000 };

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { handle, concurrency = 1, backoff = DEFAULT_BACKOFF, clock = systemClock, random = Math.random } = options;
  const ready = new Set<string>();
  const running = new Set<string>();
  /** Added while running. */
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const delayed = new Map<string, { readonly at: number; readonly cancel: AbortController }>();
  const stopped = new AbortController();
  let idle: (() => void)[] = [];

  function add(key: string): void {
    if (stopped.signal.aborted) return;
    delayed.get(key)?.cancel.abort();
    delayed.delete(key);
    if (running.has(key)) {
      again.add(key);
      return;
    }
    ready.add(key);
    fill();
  }

  function addAfter(key: string, milliseconds: number): void {
    if (stopped.signal.aborted) return;
    if (milliseconds <= 0) {
      add(key);
      return;
    }
    const at = clock.now() + milliseconds;
    const before = delayed.get(key);
    if (ready.has(key) || (before !== undefined && before.at <= at)) return;
    before?.cancel.abort();
    const cancel = new AbortController();
    delayed.set(key, { at, cancel });
    void clock.sleep(milliseconds, cancel.signal).then(() => {
      if (!cancel.signal.aborted) add(key);
    });
  }

  /** Starts handlers as long as there is something to handle and room for it. */
  function fill(): void {
    for (const key of ready) {
      if (running.size >= concurrency) return;
      ready.delete(key);
      running.add(key);
      void work(key);
    }
    if (ready.size > 0 || running.size > 0) return;
    for (const tell of idle) tell();
    idle = [];
  }

  async function work(key: string): Promise<void> {
    // A turn of its own: whoever adds a key has finished what it is doing before the key is handled.
    await Promise.resolve();
    again.delete(key);
    let after: number | undefined;
    try {
      const result = await handle(key, stopped.signal);
      failures.delete(key);
      after = result?.requeueAfterMs;
    } catch (error) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      after = backoffDelay(count, backoff, random);
      report(error, key, count);
    }
    running.delete(key);
    if (again.delete(key)) add(key);
    else if (after !== undefined) addAfter(key, after);
    fill();
  }

  function report(error: unknown, key: string, count: number): void {
    try {
      options.onError?.(error, key, count);
    } catch {
      // Whoever logs must not stop the queue.
    }
  }

  function drain(): Promise<void> {
    if (ready.size === 0 && running.size === 0) return Promise.resolve();
    return new Promise((resolve) => idle.push(resolve));
  }

  return {
    add,
    addAfter,
    get depth() {
      return ready.size + again.size;
    },
    get active() {
      return running.size;
    },
    drain,
    stop() {
      stopped.abort();
      ready.clear();
      again.clear();
      for (const { cancel } of delayed.values()) cancel.abort();
      delayed.clear();
      return drain();
    },
  };
}
