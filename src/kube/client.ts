import type { KubeConnection } from './connection.ts';
import { createTransport, type Exchange, failure, readBody, requestName } from './http-exchange.ts';
import { type Fields, parseFields } from './json-fields.ts';
import { KubeError, networkError, refusal } from './kube-error.ts';
import { type Query, withQuery } from './paths.ts';

/** The most an answer may have unless a caller asks for more; the API server keeps objects below 1.5 MB or so. */
const DEFAULT_MAX_BYTES = 16 << 20;
const MAX_ERROR_BYTES = 1 << 20;
/** The API server gives up after 60 s by itself (`--request-timeout`). */
const DEFAULT_TIMEOUT_MS = 65_000;

/** For metrics. Paths are unbounded: never make them a label. */
export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  /** HTTP status, 0 when there was no answer. */
  readonly status: number;
  /** Until the answer was read, or for a stream until it began. */
  readonly milliseconds: number;
}

export interface ClientOptions {
  readonly userAgent?: string;
  /** The longest silence of the server within a request, 65 s unless told; streams may be silent once they began. */
  readonly timeoutMs?: number;
  readonly onRequest?: (record: RequestRecord) => void;
}

export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml';

export interface WriteOptions {
  readonly fieldManager?: string;
  /** Validate and answer, but keep nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface PatchOptions extends WriteOptions {
  readonly contentType: PatchType;
  /** Take fields over from other managers; for server-side apply only. */
  readonly force?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  readonly force: boolean;
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/ */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly signal?: AbortSignal | undefined;
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** 16 MiB unless told. */
  readonly maxBytes?: number;
  /** What is wanted of the answer, all of it unless told. */
  readonly fields?: Fields;
  /** Takes the answer's `items` one by one; needs `fields`, which then say what is wanted of each. They are not in the answer. */
  readonly onItem?: (item: unknown) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Requests to one API server. All methods reject with KubeError. Answers are JSON that nobody has checked: the type parameter
 * is the caller's belief.
 */
export interface KubeClient {
  get<T = unknown>(path: string, query?: Query, signal?: AbortSignal): Promise<T>;
  create<T = unknown>(path: string, body: unknown, options?: WriteOptions): Promise<T>;
  /** Replaces an object; a `metadata.resourceVersion` in it makes the server refuse with a conflict when it has changed. */
  update<T = unknown>(path: string, body: unknown, options?: WriteOptions): Promise<T>;
  patch<T = unknown>(path: string, body: unknown, options: PatchOptions): Promise<T>;
  /** Server-side apply. @see https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
  apply<T = unknown>(path: string, body: unknown, options: ApplyOptions): Promise<T>;
  delete<T = unknown>(path: string, options?: DeleteOptions): Promise<T>;
  /** The answer's bytes as they come, for as long as the server or the signal lets it. */
  stream(path: string, query: Query, signal: AbortSignal): AsyncIterable<Buffer>;
  /** A text: /metrics, /readyz. */
  raw(path: string, signal?: AbortSignal): Promise<string>;
  request<T = unknown>(request: RawRequest): Promise<T>;
  /** Closes idle connections, so that a process may end. */
  close(): void;
}

export function createClient(connection: KubeConnection, options: ClientOptions = {}): KubeClient {
  const transport = createTransport(connection);
  const { userAgent = 'userns-audit', timeoutMs = DEFAULT_TIMEOUT_MS, onRequest } = options;

  async function credentials(name: string): Promise<string | undefined> {
    try {
      return await connection.token?.();
    } catch (cause) {
      throw networkError(name, cause, 'CredentialError');
    }
  }

  async function exchangeFor(request: RawRequest): Promise<Exchange> {
    const {
      method,
      path,
      query,
      body,
      contentType = 'application/json',
      accept = 'application/json',
      signal,
    } = request;
    const token = await credentials(requestName(request));
    const text = body === undefined ? undefined : JSON.stringify(body);
    return {
      method,
      path: withQuery(path, query),
      headers: {
        ...connection.headers,
        accept,
        'user-agent': userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined
          ? {}
          : { 'content-type': contentType, 'content-length': String(Buffer.byteLength(text)) }),
      },
      body: text,
      timeoutMs,
      signal,
    };
  }

  /** Sends, and once again with a new token where the server does not know the one it got. */
  async function open(request: RawRequest) {
    const first = await exchangeFor(request);
    const response = await transport.open(first);
    if (response.statusCode !== 401 || connection.tokenRejected === undefined) return { response, exchange: first };
    response.destroy();
    connection.tokenRejected();
    const exchange = await exchangeFor(request);
    return { response: await transport.open(exchange), exchange };
  }

  /** The answer of a request that succeeded, handed to `use`; what it cost is recorded either way. */
  async function answer<T>(request: RawRequest, use: (opened: Awaited<ReturnType<typeof open>>) => T | Promise<T>) {
    const start = performance.now();
    const record = (status: number): void => {
      onRequest?.({ method: request.method, path: request.path, status, milliseconds: performance.now() - start });
    };
    try {
      const opened = await open(request);
      const status = opened.response.statusCode ?? 0;
      if (status < 200 || status > 299) {
        const said = await readBody(opened.response, opened.exchange, MAX_ERROR_BYTES, String);
        throw refusal(requestName(request), status, said, opened.response.headers['retry-after']);
      }
      const result = await use(opened);
      record(status);
      return result;
    } catch (error) {
      record(error instanceof KubeError ? error.status : 0);
      throw error;
    }
  }

  const read = <T>(request: RawRequest, use: (body: Buffer) => T): Promise<T> =>
    answer(request, ({ response, exchange }) =>
      readBody(response, exchange, request.maxBytes ?? DEFAULT_MAX_BYTES, use),
    );

  function json<T>(request: RawRequest): Promise<T> {
    const { fields, onItem } = request;
    return read(request, (body) => {
      try {
        return (fields ? parseFields(body, fields, onItem) : JSON.parse(body.toString('utf8'))) as T;
      } catch (cause) {
        throw networkError(requestName(request), cause, 'MalformedResponse');
      }
    });
  }

  function write<T>(method: string, path: string, body: unknown, options: WriteOptions & Partial<PatchOptions> = {}) {
    const { fieldManager, dryRun, force, contentType, signal } = options;
    const query = { fieldManager, dryRun: dryRun ? 'All' : undefined, force };
    return json<T>({ method, path, query, body, ...(contentType ? { contentType } : {}), signal });
  }

  return {
    request: json,
    get: (path, query = {}, signal) => json({ method: 'GET', path, query, signal }),
    create: (path, body, options) => write('POST', path, body, options),
    update: (path, body, options) => write('PUT', path, body, options),
    patch: (path, body, options) => write('PATCH', path, body, options),
    apply: (path, body, options) =>
      write('PATCH', path, body, { ...options, contentType: 'application/apply-patch+yaml' }),
    delete: (path, { signal, ...wanted } = {}) => json({ method: 'DELETE', path, body: wanted, signal }),
    async *stream(path, query, signal) {
      const request: RawRequest = { method: 'GET', path, query, signal };
      const { response, exchange } = await answer(request, (opened) => opened);
      try {
        yield* response as AsyncIterable<Buffer>;
      } catch (error) {
        throw failure(exchange, error);
      } finally {
        response.destroy();
      }
    },
    raw: (path, signal) =>
      read({ method: 'GET', path, accept: '*/*', maxBytes: 4 * DEFAULT_MAX_BYTES, signal }, String),
    close: () => {
      transport.close();
    },
  };
}
