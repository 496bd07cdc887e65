import type { Agent } from 'node:http';

/** How to reach an API server and as whom. */
export interface KubeConnection {
  /** `https://host:port`, with a path where a proxy wants one. */
  readonly server: string;
  /** PEM of the authorities that may sign the server's certificate; the system's where left out. */
  readonly ca?: string | Buffer;
  /** PEM of the client certificate. */
  readonly cert?: string | Buffer;
  /** PEM of its private key. */
  readonly key?: string | Buffer;
  readonly insecureSkipTlsVerify?: boolean;
  /** The name to ask for and to check in the server's certificate, where it is not the host's. */
  readonly tlsServerName?: string;
  /** The namespace of the caller: the pod's own, or the one of the kubeconfig context. */
  readonly namespace: string;
  /** Sent with every request: impersonation, basic authentication. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Connects through a proxy; the TLS fields are already in it. */
  readonly agent?: Agent;
  /** The bearer token of the next request. */
  token?(): string | undefined | Promise<string | undefined>;
  /** The server answered 401: the next `token()` must not come from memory. */
  tokenRejected?(): void;
}
