// An HTTP server that fails as a real API server cannot be made to.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { KubeConnection } from '../../src/kube/connection.ts';

export type Respond = (response: ServerResponse, request: IncomingMessage, url: URL) => void;

export interface FaultyServer {
  readonly connection: KubeConnection;
  /** Path with query of every request, in order. */
  readonly requests: readonly URL[];
  readonly headers: readonly IncomingMessage['headers'][];
  readonly openConnections: number;
  close(): Promise<void>;
}

/** Answers the first request by the first function and so on; the last one answers all that follow. */
export async function startFaultyServer(...answers: readonly Respond[]): Promise<FaultyServer> {
  const requests: URL[] = [];
  const headers: IncomingMessage['headers'][] = [];
  let open = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://server');
    const respond = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(url);
    headers.push(request.headers);
    respond?.(response, request, url);
  });
  server.on('connection', (socket) => {
    open += 1;
    socket.on('close', () => (open -= 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  return {
    connection: { server: `http://127.0.0.1:${port}`, namespace: 'default' },
    requests,
    headers,
    get openConnections() {
      return open;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Respond {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  };
}

export function refuse(code: number, reason: string, headers: Readonly<Record<string, string>> = {}): Respond {
  return json({ kind: 'Status', status: 'Failure', message: `because ${reason}`, reason, code }, code, headers);
}

/** An object of a list or an event. */
export function configMap(name: string, version: number, data: Readonly<Record<string, string>> = {}) {
  return { kind: 'ConfigMap', metadata: { name, namespace: 'default', resourceVersion: String(version) }, data };
}

export function list(version: number, items: readonly unknown[] | null, token?: string): Respond {
  return json({ kind: 'ConfigMapList', metadata: { resourceVersion: String(version), continue: token }, items });
}

/** Events of a watch that then stays open, or ends as told. */
export function watch(lines: readonly unknown[], end: 'open' | 'end' | 'cut' = 'open'): Respond {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
    response.write(text, () => {
      if (end === 'end') response.end();
      if (end === 'cut') response.destroy();
    });
  };
}

export function added(name: string, version: number, data?: Readonly<Record<string, string>>) {
  return { type: 'ADDED', object: configMap(name, version, data) };
}
