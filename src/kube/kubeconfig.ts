// Loaded by `await import()` only: the library behind it costs 130 MB and most of a second (docs/architecture.md).
import type { Agent, RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubeConnection } from './connection.ts';

export interface KubeconfigOptions {
  /** One file; otherwise `KUBECONFIG` or `~/.kube/config`. */
  readonly path?: string;
  /** The current context unless told. */
  readonly context?: string;
}

/** What client-node answers when it finds neither a file nor a pod: nobody asked for it. */
const INVENTED_SERVER = 'http://localhost:8080';

/** A credential plugin or an identity provider may be asked again no sooner than this. */
const CREDENTIAL_AGE_MS = 60_000;

/**
 * The connection of a kubeconfig, as kubectl would make it: client certificates, tokens, credential plugins, OpenID Connect,
 * proxies, impersonation. A client certificate that a plugin gives is taken once, tokens are asked for again.
 * @throws Error when there is no kubeconfig, no such context, or a credential plugin fails
 * @see https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export async function kubeconfigConnection(options: KubeconfigOptions = {}): Promise<KubeConnection> {
  let config = load(options);
  const server = config.getCurrentCluster()?.server ?? '';
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  const first = await requestOptions(config);
  let token = bearerToken(first);
  let askedAt = Date.now();
  const tls = {
    ...(first.ca ? { ca: first.ca as Buffer } : {}),
    ...(first.cert ? { cert: first.cert as Buffer } : {}),
    ...(first.key ? { key: first.key as Buffer } : {}),
    ...(first.servername ? { tlsServerName: first.servername } : {}),
    ...(first.rejectUnauthorized === false ? { insecureSkipTlsVerify: true } : {}),
  };
  return {
    server,
    ...tls,
    namespace: namespace ?? 'default',
    headers: otherHeaders(first),
    ...(config.getCurrentCluster()?.proxyUrl ? { agent: first.agent as Agent } : {}),
    async token() {
      if (Date.now() - askedAt < CREDENTIAL_AGE_MS) return token;
      token = bearerToken(await requestOptions(config));
      askedAt = Date.now();
      return token;
    },
    tokenRejected() {
      // A new object, for the old one remembers what its plugins said.
      config = load(options);
      askedAt = 0;
    },
  };
}

function load({ path, context }: KubeconfigOptions): KubeConfig {
  const config = new KubeConfig();
  if (path === undefined) config.loadFromDefault(undefined, true);
  else config.loadFromFile(path);
  if (context !== undefined) config.setCurrentContext(context);
  const name = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (path === undefined && cluster?.server === INVENTED_SERVER && config.getUsers()[0]?.name === 'user') {
    throw new Error('no kubeconfig: KUBECONFIG is not set, and there is no ~/.kube/config');
  }
  const where = path ?? 'the kubeconfig';
  if (!name) throw new Error(`${where}: current-context is not set; name a context`);
  if (!config.getContextObject(name)) {
    const known = config.getContexts().map((one) => one.name);
    throw new Error(`${where}: there is no context ${JSON.stringify(name)}; it has ${known.join(', ') || 'none'}`);
  }
  if (!cluster?.server) throw new Error(`${where}: context ${JSON.stringify(name)} names no cluster with a server`);
  // The library refuses plain HTTP otherwise, which is what `kubectl proxy` speaks.
  if (cluster.server.startsWith('http:')) {
    const plain = new KubeConfig();
    const user = config.getCurrentUser() ?? { name: 'nobody' };
    plain.loadFromClusterAndUser({ ...cluster, skipTLSVerify: true }, user);
    return plain;
  }
  return config;
}

async function requestOptions(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  return options;
}

function headersOf({ headers }: RequestOptions): Readonly<Record<string, string>> {
  return (headers ?? {}) as Readonly<Record<string, string>>;
}

function bearerToken(options: RequestOptions): string | undefined {
  return /^Bearer (.+)$/.exec(headersOf(options)['Authorization']?.trim() ?? '')?.[1];
}

/** Impersonation, and the user name and password of old configurations. */
function otherHeaders(options: RequestOptions): Readonly<Record<string, string>> {
  const kept = Object.entries(headersOf(options)).filter(([name]) => name !== 'Authorization');
  if (options.auth) kept.push(['authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`]);
  return Object.fromEntries(kept);
}
