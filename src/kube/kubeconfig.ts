// Loaded by `await import()` only: the library behind it costs 130 MB and most of a second (docs/architecture.md).
import type { Agent, RequestOptions } from 'node:https';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';
import type { KubeConnection } from './connection.ts';
import { type ContextInUse, contextInUse, defaultFiles, readKubeconfigFiles, withUser } from './kubeconfig-file.ts';
import { credentialProblem, expiredToken, impersonation, preparedUser } from './kubeconfig-user.ts';
import { checkProxyUrl, namingProxy } from './proxy.ts';

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
  let loaded = load(options);
  const { config, use } = loaded;
  const cluster = config.getCurrentCluster();
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  const first = await requestOptions(loaded);
  let token = bearerToken(first);
  let askedAt = Date.now();
  const tls = {
    ...(first.ca ? { ca: first.ca as Buffer } : {}),
    ...(first.cert ? { cert: first.cert as Buffer } : {}),
    ...(first.key ? { key: first.key as Buffer } : {}),
    ...(first.servername ? { tlsServerName: first.servername } : {}),
    ...(first.rejectUnauthorized === false ? { insecureSkipTlsVerify: true } : {}),
  };
  const proxy = cluster?.proxyUrl;
  return {
    server: cluster?.server ?? '',
    ...tls,
    namespace: namespace ?? 'default',
    headers: { ...otherHeaders(first), ...(use ? impersonation(use) : {}) },
    ...(proxy ? { agent: namingProxy(first.agent as Agent, proxyField(cluster.name), proxy) } : {}),
    async token() {
      if (Date.now() - askedAt < CREDENTIAL_AGE_MS) return token;
      token = bearerToken(await requestOptions(loaded));
      askedAt = Date.now();
      return token;
    },
    tokenRejected() {
      // A new object, for the old one remembers what its plugins said.
      loaded = load(options);
      askedAt = 0;
    },
  };
}

interface Loaded {
  readonly config: KubeConfig;
  /** The files, for messages. */
  readonly where: string;
  /** Undefined within a pod, which has no kubeconfig. */
  readonly use: ContextInUse | undefined;
}

function load(options: KubeconfigOptions): Loaded {
  const loaded = readConfig(options);
  const { config, where } = loaded;
  if (options.context !== undefined) config.setCurrentContext(options.context);
  const name = config.getCurrentContext();
  if (!name) throw new Error(`${where}: current-context is not set; name a context`);
  if (!config.getContextObject(name)) {
    const known = config.getContexts().map((one) => one.name);
    throw new Error(`${where}: there is no context ${JSON.stringify(name)}; it has ${known.join(', ') || 'none'}`);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster?.server) throw new Error(`${where}: context ${JSON.stringify(name)} names no cluster with a server`);
  if (cluster.proxyUrl) checkProxyUrl(`${where}: ${proxyField(cluster.name)}`, cluster.proxyUrl);
  // The library refuses plain HTTP otherwise, which is what `kubectl proxy` speaks.
  if (cluster.server.startsWith('http:')) {
    const plain = new KubeConfig();
    const user = config.getCurrentUser() ?? { name: 'nobody' };
    plain.loadFromClusterAndUser({ ...cluster, skipTLSVerify: true }, user);
    return { ...loaded, config: plain };
  }
  return loaded;
}

function readConfig({ path, context }: KubeconfigOptions): Loaded {
  const files = path === undefined ? defaultFiles(process.env) : [path];
  const config = new KubeConfig();
  if (files.length === 0) {
    config.loadFromDefault(undefined, true);
    if (config.getCurrentCluster()?.server === INVENTED_SERVER && config.getUsers()[0]?.name === 'user')
      throw new Error('no kubeconfig: KUBECONFIG is not set, and there is no ~/.kube/config');
    return { config, where: 'the service account of the pod', use: undefined };
  }
  const where = files.join(' and ');
  const document = readKubeconfigFiles(files, loadYaml);
  const use = contextInUse(document, context ?? document['current-context']);
  try {
    config.loadFromString(JSON.stringify(withUser(document, use.userName, preparedUser(use))));
  } catch (cause) {
    throw new Error(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return { config, where, use };
}

function proxyField(cluster: string): string {
  return `clusters[${cluster}].cluster.proxy-url`;
}

async function requestOptions({ config, where, use }: Loaded): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw new Error(`${where}: ${use ? credentialProblem(use, cause) : String(cause)}`, { cause });
  }
  const expired = use && bearerToken(options) === undefined ? expiredToken(use) : undefined;
  if (expired !== undefined) throw new Error(`${where}: ${expired}`);
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
