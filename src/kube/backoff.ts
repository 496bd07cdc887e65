export interface BackoffLimits {
  /** The first delay, before jitter. */
  readonly baseMs: number;
  /** The longest delay. */
  readonly maxMs: number;
}

/**
 * The delay before another attempt: doubled by every failure in a row, half of it random, so that clients which failed
 * together do not come back together.
 * @param failures how many attempts failed in a row, 1 or more
 */
export function backoffDelay(failures: number, { baseMs, maxMs }: BackoffLimits, random = Math.random): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return full / 2 + (random() * full) / 2;
}

/** Counts failures in a row and tells how long to wait after each. */
export interface Backoff {
  readonly failures: number;
  /** Notes a failure and returns its delay in milliseconds. */
  next(): number;
  /** Notes a success. */
  reset(): void;
}

export function createBackoff(limits: BackoffLimits, random = Math.random): Backoff {
  let failures = 0;
  return {
    get failures() {
      return failures;
    },
    next() {
      failures += 1;
      return backoffDelay(failures, limits, random);
    },
    reset() {
      failures = 0;
    },
  };
}
