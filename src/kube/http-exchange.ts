// One HTTP request and its answer over node:http or node:https: connections kept, silence cut, nothing read without a limit.
import http from 'node:http';
import https from 'node:https';
import type { KubeConnection } from './connection.ts';
import { KubeError, networkError } from './kube-error.ts';

/** The API server closes an idle connection after 90 s; ours goes first, so that no request meets a closing one. */
const IDLE_CONNECTION_MS = 75_000;
/** A peer that is gone without a word is noticed by TCP, also while a watch has nothing to say. */
const KEEP_ALIVE_PROBE_MS = 30_000;
/** Connections that were idle when the server restarted are all dead; each is found out by one attempt. */
const MAX_ATTEMPTS = 4;

export interface Exchange {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: string | undefined;
  /** The longest silence while waiting for the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** Resolves with the answer's head. @throws KubeError of status 0 when none came. */
  open(exchange: Exchange): Promise<http.IncomingMessage>;
  /** Closes the connections that are idle. */
  close(): void;
}

/** How a request is named in messages and metrics. */
export function requestName({ method, path }: Pick<Exchange, 'method' | 'path'>): string {
  return `${method} ${path.split('?')[0] ?? path}`;
}

export function createTransport(connection: KubeConnection): Transport {
  const server = new URL(connection.server);
  const isPlain = server.protocol === 'http:';
  const agent = connection.agent ?? createAgent(connection, isPlain);
  const request = isPlain ? http.request : https.request;
  const target = {
    agent,
    protocol: server.protocol,
    hostname: server.hostname.replace(/^\[|\]$/g, ''),
    port: server.port || (isPlain ? 80 : 443),
  };
  const prefix = server.pathname.replace(/\/$/, '');

  function attempt(exchange: Exchange): Promise<http.IncomingMessage> {
    const { method, headers, body, timeoutMs, signal } = exchange;
    return new Promise((resolve, reject) => {
      const sent = request({ ...target, method, path: prefix + exchange.path, headers, ...(signal ? { signal } : {}) });
      const timer = setTimeout(() => sent.destroy(new SilenceError(timeoutMs)), timeoutMs);
      sent.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS));
      sent.on('response', (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      sent.on('error', (error) => {
        clearTimeout(timer);
        reject(isStale(sent, error, method) ? new StaleConnectionError(error) : failure(exchange, error));
      });
      sent.end(body);
    });
  }

  return {
    async open(exchange) {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return await attempt(exchange);
        } catch (error) {
          if (!(error instanceof StaleConnectionError)) throw error;
          if (attempts === MAX_ATTEMPTS) throw failure(exchange, error.cause);
        }
      }
    },
    close: () => {
      agent.destroy();
    },
  };
}

/** Memory for bodies, used again and again: pages of megabytes would else be collected one by one, each at the cost of a full sweep. */
const spareMemory: Buffer[] = [];
const MAX_SPARE = 2;
const MAX_SPARE_BYTES = 16 << 20;
const FIRST_BYTES = 64 << 10;

/**
 * Hands the whole body to `use`. The bytes are lent: they are others' as soon as `use` has returned.
 * @throws KubeError `ResponseTooLarge` as soon as it is known to be longer than `maxBytes`, or of status 0 when it was cut.
 */
export async function readBody<T>(
  response: http.IncomingMessage,
  exchange: Exchange,
  maxBytes: number,
  use: (body: Buffer) => T,
): Promise<T> {
  let memory = spareMemory.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
  let length = 0;
  const timer = setTimeout(() => response.destroy(new SilenceError(exchange.timeoutMs)), exchange.timeoutMs);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      timer.refresh();
      const end = length + chunk.length;
      if (end > maxBytes) throw tooLarge(exchange, maxBytes);
      if (end > memory.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(end, memory.length * 2));
        memory.copy(larger, 0, 0, length);
        memory = larger;
      }
      chunk.copy(memory, length);
      length = end;
    }
  } catch (error) {
    throw error instanceof KubeError ? error : failure(exchange, error);
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
  try {
    return use(memory.subarray(0, length));
  } finally {
    if (spareMemory.length < MAX_SPARE && memory.length <= MAX_SPARE_BYTES) spareMemory.push(memory);
  }
}

/** What went wrong without an answer, told apart from an answer that refuses. */
export function failure(exchange: Exchange, cause: unknown): KubeError {
  const name = requestName(exchange);
  if (exchange.signal?.aborted) return networkError(name, exchange.signal.reason ?? cause, 'Aborted');
  return networkError(name, cause, cause instanceof SilenceError ? 'Timeout' : 'NetworkError');
}

function tooLarge(exchange: Exchange, maxBytes: number): KubeError {
  return networkError(requestName(exchange), `the answer is longer than ${maxBytes} bytes`, 'ResponseTooLarge');
}

function createAgent(connection: KubeConnection, isPlain: boolean): http.Agent {
  const kept = { keepAlive: true, maxFreeSockets: 8, timeout: IDLE_CONNECTION_MS };
  if (isPlain) return new http.Agent(kept);
  const { ca, cert, key, tlsServerName, insecureSkipTlsVerify = false } = connection;
  return new https.Agent({
    ...kept,
    // Said in any case: an environment variable of Node.js would decide otherwise.
    rejectUnauthorized: !insecureSkipTlsVerify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
  });
}

/** Whether the server had closed a kept connection. A POST is not repeated: it may have been carried out. */
function isStale(sent: http.ClientRequest, error: Error, method: string): boolean {
  const code = 'code' in error ? error.code : undefined;
  return sent.reusedSocket && method !== 'POST' && (code === 'ECONNRESET' || code === 'EPIPE');
}

class SilenceError extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

class StaleConnectionError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}
