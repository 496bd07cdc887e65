import { hostname } from 'node:os';
import { selfSignedCertificate } from './self-signed.ts';
import {
  isLoopback,
  type Route,
  type Server,
  type ServerCertificate,
  type ServerOptions,
  startServer,
} from './server.ts';

/** Where a process serves, as its options say. */
export interface EndpointOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Plain HTTP without authentication, whatever the address. */
  readonly insecure: boolean;
}

export interface EndpointParts {
  readonly routes: Readonly<Record<string, Route>>;
  /** Asked beyond loopback. */
  readonly authorize?: ServerOptions['authorize'];
  readonly onError?: (error: unknown) => void;
}

/** Probes tell nothing but that the process lives: the kubelet asks without a token. */
const OPEN = ['/healthz', '/readyz'];

/**
 * Serves as the address demands: TLS and a token for whoever comes from another machine; plain HTTP where only this one can ask, or
 * where somebody has said so. @throws Error when options contradict each other or the address can not be had.
 */
export async function startEndpoint(options: EndpointOptions, parts: EndpointParts): Promise<Server> {
  const { listen, tlsCert, tlsKey, insecure } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new Error('--tls-cert and --tls-key belong together: give both or neither');
  const { routes, authorize, onError } = parts;
  const base = { listen, routes, open: OPEN, ...(onError ? { onError } : {}) };
  if (insecure || (isLoopback(listen.host) && tlsCert === undefined)) return startServer(base);
  const tls: ServerCertificate =
    tlsCert !== undefined && tlsKey !== undefined
      ? { certFile: tlsCert, keyFile: tlsKey }
      : selfSignedCertificate([hostname(), 'localhost'], Date.now());
  return startServer({ ...base, tls, ...(authorize ? { authorize } : {}) });
}

/** `/healthz` and `/readyz`; a reason makes them answer 503. */
export function healthRoutes(
  unhealthy: () => string | undefined,
  unready: () => string | undefined,
): Readonly<Record<string, Route>> {
  const route =
    (reason: () => string | undefined): Route =>
    () => {
      const why = reason();
      return why === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${why}\n` };
    };
  return { '/healthz': route(unhealthy), '/readyz': route(unready) };
}
