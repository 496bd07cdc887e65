/** Why a value could not be read from a host. */
export type ReadingFailure = 'absent' | 'denied' | 'malformed' | 'too-large' | 'io-error';

/** A value that was read, and the host path it came from. */
export interface Read<T> {
  readonly ok: true;
  readonly value: T;
  readonly source: string;
}

/** The reason there is no value. `detail` is one sentence for a person. */
export interface Unread {
  readonly ok: false;
  readonly why: ReadingFailure;
  readonly source: string;
  readonly detail: string;
}

/** A value read from the host, or why there is none. Absence is never folded into `false` or `0`. */
export type Reading<T> = Read<T> | Unread;

export function read<T>(source: string, value: T): Read<T> {
  return { ok: true, value, source };
}

export function unread(source: string, why: ReadingFailure, detail: string): Unread {
  return { ok: false, why, source, detail };
}

/** Applies a parser to a reading; a failed reading passes through unchanged. */
export function andThen<T, U>(reading: Reading<T>, parse: (value: T, source: string) => Reading<U>): Reading<U> {
  return reading.ok ? parse(reading.value, reading.source) : reading;
}

/** The value, or `undefined` where there is none: for display and optional joins, never for a judgement. */
export function valueOf<T>(reading: Reading<T>): T | undefined {
  return reading.ok ? reading.value : undefined;
}

/** One sentence on a failed reading: "/boot/config-6.1: denied (EACCES)". */
export function describeUnread(reading: Unread): string {
  return `${reading.source}: ${reading.why} (${reading.detail})`;
}
