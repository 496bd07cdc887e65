import { type BackoffLimits, createBackoff } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Fields } from './json-fields.ts';
import { createLineSplitter } from './json-lines.ts';
import { isGone, KubeError, statusError } from './kube-error.ts';
import { listPages } from './list-pages.ts';
import type { Query } from './paths.ts';
import { createRecordStore, type RecordHandlers } from './record-store.ts';
import { MalformedEventError, parseWatchEvent, type WatchEvent } from './watch-event.ts';

/**
 * What happened, for metrics: a complete list (`relist` from the second on), a watch that began, one that ended in peace, a failure
 * of either, a line that is no event, a handler that threw, a server without streaming lists.
 */
export type ListWatchProgress =
  'list' | 'relist' | 'watch' | 'watch-end' | 'error' | 'malformed' | 'handler-error' | 'watch-list-refused';

export interface ListWatchOptions<T> extends RecordHandlers<T> {
  readonly client: Pick<KubeClient, 'request' | 'stream'>;
  /** The path of the resource, in a namespace or in all. */
  readonly path: string;
  /** Selectors, for list and watch alike. */
  readonly query?: Query;
  /** What `slim` and `keyOf` look at: nothing else is made of what the server sends. All of it unless told. */
  readonly fields?: Fields;
  /** Objects in one answer, 500 unless told. */
  readonly pageSize?: number;
  /** Ask for the list as a stream (KEP-3157); a server that refuses is asked for pages. */
  readonly watchList?: boolean;
  /** Everything that is listed has been told by `onUpsert`. Once. */
  readonly onSynced?: () => void;
  readonly onProgress?: (what: ListWatchProgress) => void;
  /** For the log: what failed, and is tried again; or a handler's own error. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** 0.8 s to 30 s unless told, as client-go's reflector. */
  readonly backoff?: BackoffLimits;
  /** The shortest time a watch is asked to last, in seconds, 300 unless told; the longest is twice that. */
  readonly watchSeconds?: number;
}

export interface ListWatch<T> {
  /** Lists, then watches, until the signal aborts. Resolves then; never rejects for what a server does. */
  run(signal: AbortSignal): Promise<void>;
  readonly synced: boolean;
  readonly size: number;
  readonly records: ReadonlyMap<string, T>;
  /** When the server last sent something, in milliseconds of the clock; 0 before that. A healthy watch speaks every minute or so. */
  lastContact(): number;
}

const DEFAULT_BACKOFF: BackoffLimits = { baseMs: 800, maxMs: 30_000 };
/** A watch that ends sooner has done no good: asking again at once would only add load. */
const SHORT_WATCH_MS = 5000;
/** The server ends a watch by itself; one that lasts longer than this hangs somewhere on the way. */
const WATCH_MARGIN_MS = 15_000;
/** A streaming list has something to say all the time. */
const INITIAL_SILENCE_MS = 30_000;
/** Watches in a row that broke on one resource version, after which it is given up. */
const MAX_RESUMES = 3;

/** Keeps slim records of all objects of a resource current. */
export function createListWatch<T>(options: ListWatchOptions<T>): ListWatch<T> {
  const { client, path, query = {}, clock = systemClock, random = Math.random, watchSeconds = 300 } = options;
  const backoff = createBackoff(options.backoff ?? DEFAULT_BACKOFF, random);
  const store = createRecordStore(options, (error) => {
    report('handler-error', error);
  });
  let position: string | undefined;
  let synced = false;
  let lists = 0;
  let contact = 0;
  let resumes = 0;
  let watchStart = 0;
  let streaming = options.watchList ?? false;

  function guarded(handler: () => void): void {
    try {
      handler();
    } catch {
      // Whoever counts or logs must not stop what is counted.
    }
  }

  function progress(what: ListWatchProgress): void {
    guarded(() => options.onProgress?.(what));
  }

  function report(what: ListWatchProgress, error: unknown): void {
    progress(what);
    guarded(() => options.onError?.(error));
  }

  function listed(version: string): void {
    store.endReplace();
    position = version;
    lists += 1;
    progress(lists === 1 ? 'list' : 'relist');
    if (synced) return;
    synced = true;
    try {
      options.onSynced?.();
    } catch (error) {
      report('handler-error', error);
    }
  }

  async function listByPages(signal: AbortSignal): Promise<void> {
    store.beginReplace();
    const version = await listPages({
      client,
      path,
      query,
      ...(options.fields ? { fields: options.fields } : {}),
      pageSize: options.pageSize ?? 500,
      signal,
      onObject: store.upsert,
      onPage: () => (contact = clock.now()),
      onRestart: store.beginReplace,
    });
    listed(version);
  }

  function handle(event: WatchEvent): void {
    if (event.type === 'ERROR') throw statusError(`watch ${path}`, event.status);
    if (event.type === 'DELETED') store.remove(event.object);
    else if (event.type !== 'BOOKMARK') store.upsert(event.object);
    // In a streaming list the versions are those of the objects, in no order: none is a place to resume from.
    if (position !== undefined) position = event.version;
    else if (event.type === 'BOOKMARK' && event.endsInitialEvents) listed(event.version);
    // A streaming list that never gets to its end is no progress.
    if (position !== undefined) resumes = 0;
  }

  /** Reads one watch to its end; without a position it begins with a streaming list. */
  async function watch(signal: AbortSignal): Promise<void> {
    const timeoutSeconds = Math.round(watchSeconds * (1 + random()));
    const cut = new AbortController();
    const watchdog = startWatchdog(clock, cut, position === undefined ? INITIAL_SILENCE_MS : undefined);
    const both = AbortSignal.any([signal, cut.signal]);
    const end = clock.now() + timeoutSeconds * 1000 + WATCH_MARGIN_MS;
    const splitter = createLineSplitter();
    if (position === undefined) store.beginReplace();
    else watchdog.until(end);
    watchStart = clock.now();
    progress('watch');
    try {
      for await (const chunk of client.stream(path, watchQuery(query, position, timeoutSeconds), both)) {
        contact = clock.now();
        for (const line of splitter.push(chunk)) handle(parseWatchEvent(line, options.fields));
        watchdog.until(position === undefined ? contact + INITIAL_SILENCE_MS : end);
      }
    } catch (error) {
      // Only what the watch itself did: a server that is away says nothing about the version.
      if (contact >= watchStart || cut.signal.aborted) resumes += 1;
      throw error instanceof RangeError ? new MalformedEventError(error.message) : error;
    } finally {
      watchdog.stop();
    }
    if (position !== undefined) return;
    resumes += 1;
    throw new Error(`watch ${path}: the streaming list ended before it was complete`);
  }

  /** What to do after a failure: returns how long to wait, having forgotten the position where it is of no use any more. */
  function recover(error: unknown): number {
    report(error instanceof MalformedEventError ? 'malformed' : 'error', error);
    if (position === undefined) {
      if (streaming && (refusesStreaming(error) || isSilence(error) || resumes > MAX_RESUMES)) {
        streaming = false;
        progress('watch-list-refused');
        return 0;
      }
    } else if (isGone(error) || error instanceof MalformedEventError || isRefused(error) || resumes > MAX_RESUMES) {
      position = undefined;
    }
    const asked = error instanceof KubeError ? (error.retryAfterSeconds ?? 0) * 1000 * (1 + random() / 2) : 0;
    return Math.max(backoff.next(), asked);
  }

  async function step(signal: AbortSignal): Promise<void> {
    let delay = 0;
    watchStart = Infinity;
    try {
      if (position === undefined && !streaming) await listByPages(signal);
      await watch(signal);
      progress('watch-end');
      if (clock.now() - watchStart >= SHORT_WATCH_MS) backoff.reset();
      else delay = backoff.next();
    } catch (error) {
      if (signal.aborted) return;
      if (clock.now() - watchStart >= SHORT_WATCH_MS) backoff.reset();
      delay = recover(error);
    }
    if (delay > 0) await clock.sleep(delay, signal);
  }

  return {
    async run(signal) {
      while (!signal.aborted) await step(signal);
    },
    get synced() {
      return synced;
    },
    get size() {
      return store.records.size;
    },
    records: store.records,
    lastContact: () => contact,
  };
}

function watchQuery(query: Query, position: string | undefined, timeoutSeconds: number): Query {
  const common = { ...query, watch: true, allowWatchBookmarks: true, timeoutSeconds };
  if (position !== undefined) return { ...common, resourceVersion: position };
  return { ...common, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' };
}

/** Servers without the feature refuse one parameter or the other as invalid. */
function refusesStreaming(error: unknown): boolean {
  return error instanceof KubeError && [400, 404, 405, 415, 422].includes(error.status);
}

/** A server that does not know streaming lists may begin a plain watch and have nothing to say: it was cut. */
function isSilence(error: unknown): boolean {
  return error instanceof KubeError && error.reason === 'Aborted';
}

/** An answer that will not get better by asking for the same resource version again. */
function isRefused(error: unknown): boolean {
  return error instanceof KubeError && [400, 404, 422].includes(error.status);
}

/** Aborts when nothing moved its end on in time. One sleeper, however often the end moves. */
function startWatchdog(clock: Clock, cut: AbortController, silenceMs: number | undefined) {
  const done = new AbortController();
  let end = silenceMs === undefined ? Infinity : clock.now() + silenceMs;
  async function guard(): Promise<void> {
    while (!done.signal.aborted) {
      const left = end - clock.now();
      if (left <= 0) {
        cut.abort(new Error('the watch hung and was cut'));
        return;
      }
      await clock.sleep(Math.min(left, INITIAL_SILENCE_MS), done.signal);
    }
  }
  void guard();
  return {
    until(time: number) {
      end = time;
    },
    stop() {
      done.abort();
    },
  };
}
