import { readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, isIP } from 'node:net';

/** What a route is asked, as far as routes may look. */
export interface RouteRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
}

export interface RouteResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Route = (request: RouteRequest) => RouteResponse | Promise<RouteResponse>;

/** What an authorizer says of a request. */
export type Permission = 'allowed' | 'unauthenticated' | 'forbidden' | 'undelegated';

export interface ServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** By path, without a slash at the end. */
  readonly routes: Readonly<Record<string, Route>>;
  /** Paths anybody may ask for: probes of the kubelet. */
  readonly open: readonly string[];
  readonly tls?: ServerCertificate;
  /** Asked for every path that is not open; without it all are. */
  readonly authorize?: (authorization: string | undefined, path: string) => Promise<Permission>;
  readonly onError?: (error: unknown) => void;
  /** How often certificate files are looked at; a minute unless told. */
  readonly reloadMs?: number;
}

/** Files of a certificate, read anew when they change, or the certificate itself. */
export type ServerCertificate =
  { readonly certFile: string; readonly keyFile: string } | { readonly cert: string; readonly key: string };

export interface Server {
  readonly port: number;
  close(): Promise<void>;
}

/** Nobody has more to ask for at a time than a few scrapers, probes and browsers. */
const MAX_CONNECTIONS = 128;
const HEADERS_TIMEOUT_MS = 10_000;
const RELOAD_MS = 60_000;

/** Serves until it is closed. GET and HEAD alone: nothing here changes anything. @throws Error when the address can not be had. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { listen, tls } = options;
  const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    void answer(options, request).then(
      (result) => {
        send(request, response, result);
      },
      (error: unknown) => {
        options.onError?.(error);
        send(request, response, { status: 500, body: 'internal error\n' });
      },
    );
  };
  const server = tls
    ? https.createServer({ ...readCertificate(tls), handshakeTimeout: HEADERS_TIMEOUT_MS }, handle)
    : http.createServer(handle);
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = HEADERS_TIMEOUT_MS;
  const stopReloading = tls && server instanceof https.Server ? reloadCertificate(server, tls, options) : undefined;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host === '' ? undefined : listen.host, () => {
      server.off('error', reject);
      // Without a listener a failed accept(2), too many open files, would end the process.
      server.on('error', (error) => options.onError?.(error));
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopReloading?.();
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(options: ServerOptions, request: http.IncomingMessage): Promise<RouteResponse> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, headers: { allow: 'GET, HEAD' }, body: 'only GET and HEAD\n' };
  const url = URL.parse(request.url ?? '/', 'http://localhost');
  if (!url) return { status: 400, body: 'not a path\n' };
  const path = url.pathname;
  if (options.authorize && !options.open.includes(path)) {
    const refused = refusal(await options.authorize(request.headers.authorization, path), path);
    if (refused) return refused;
  }
  const route = Object.hasOwn(options.routes, path) ? options.routes[path] : undefined;
  if (!route) return { status: 404, body: `nothing here; there are ${Object.keys(options.routes).join(', ')}\n` };
  return route({ path, query: url.searchParams, headers: request.headers });
}

function refusal(permission: Permission, path: string): RouteResponse | undefined {
  switch (permission) {
    case 'allowed':
      return undefined;
    case 'unauthenticated':
      return {
        status: 401,
        headers: { 'www-authenticate': 'Bearer' },
        body: 'a bearer token of the cluster is needed\n',
      };
    case 'forbidden':
      return { status: 403, body: `not allowed: the token needs the verb get on the nonResourceURL ${path}\n` };
    case 'undelegated':
      return {
        status: 403,
        body: 'tokens can not be checked: bind the ClusterRole system:auth-delegator to this service account, or serve with --insecure\n',
      };
  }
}

function send(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { status, headers, body }: RouteResponse,
): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'content-security-policy': "default-src 'none'",
    'referrer-policy': 'no-referrer',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function readCertificate(tls: ServerCertificate): { readonly cert: string; readonly key: string } {
  if ('cert' in tls) return tls;
  return { cert: readFileSync(tls.certFile, 'utf8'), key: readFileSync(tls.keyFile, 'utf8') };
}

/** Certificates are renewed while the process lives (cert-manager, OpenShift's service CA). */
function reloadCertificate(
  server: https.Server,
  tls: ServerCertificate,
  { onError, reloadMs = RELOAD_MS }: ServerOptions,
): (() => void) | undefined {
  if ('cert' in tls) return undefined;
  let read = modified(tls.certFile);
  const timer = setInterval(() => {
    try {
      const now = modified(tls.certFile);
      if (now === read) return;
      server.setSecureContext(readCertificate(tls));
      read = now;
    } catch (error) {
      onError?.(error);
    }
  }, reloadMs).unref();
  return () => {
    clearInterval(timer);
  };
}

function modified(path: string): number {
  return statSync(path).mtimeMs;
}

/** True for an address only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
