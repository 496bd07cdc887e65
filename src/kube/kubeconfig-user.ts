// How a user of a kubeconfig proves who they are, where the library behind kubeconfig.ts does less than kubectl.
import { readFileSync } from 'node:fs';
import { type ContextInUse, fieldsOf, listOf, textOf } from './kubeconfig-file.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Header fields; one with several values is sent several times. */
export type HeaderFields = Readonly<Record<string, string | string[]>>;

const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';

/** Providers the library knows; kubectl has only `oidc` since 1.26. */
const AUTH_PROVIDERS = ['azure', 'exec', 'gcp', 'oidc', 'tokenFile'];

/**
 * The user with what the library needs: the token of `tokenFile`, and a credential plugin that is told what it is asked for.
 * @throws Error naming the field, where it can not be served
 */
export function preparedUser(use: ContextInUse): Fields {
  const { user } = use;
  const provider = textOf(fieldsOf(user['auth-provider'])['name']);
  if (provider !== '' && !AUTH_PROVIDERS.includes(provider))
    throw new Error(
      `${userField(use, 'auth-provider.name')}: ${provider} is not known; use a credential plugin (exec)`,
    );
  const tokenFile = textOf(user['tokenFile']);
  const exec = fieldsOf(user['exec']);
  return {
    ...user,
    ...(tokenFile === '' ? {} : { token: readToken(use, tokenFile) }),
    ...(textOf(exec['command']) === '' ? {} : { exec: preparedPlugin(use, exec) }),
  };
}

function readToken(use: ContextInUse, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new Error(`${userField(use, 'tokenFile')}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Plugins learn from the environment what kind of answer is wanted (client-go `exec.Authenticator`).
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
function preparedPlugin(use: ContextInUse, exec: Fields): Fields {
  if (exec['interactiveMode'] === 'Always')
    throw new Error(
      `${userField(use, 'exec.interactiveMode')}: Always asks for a terminal, which the plugin does not get here; log in with it first, and set IfAvailable`,
    );
  const spec = { interactive: false, ...(exec['provideClusterInfo'] === true ? { cluster: clusterInfo(use) } : {}) };
  const info = { kind: 'ExecCredential', apiVersion: exec['apiVersion'], spec };
  const env = [...listOf(exec['env']), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  return { ...exec, env };
}

function clusterInfo({ cluster }: ContextInUse): Fields {
  const file = textOf(cluster['certificate-authority']);
  const extension = listOf(cluster['extensions']).find(({ name }) => name === EXEC_EXTENSION);
  return {
    server: cluster['server'],
    'tls-server-name': cluster['tls-server-name'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'certificate-authority-data':
      file === '' ? cluster['certificate-authority-data'] : readFileSync(file).toString('base64'),
    'proxy-url': cluster['proxy-url'],
    config: extension?.['extension'],
  };
}

/**
 * Whom the user acts as, beside `as`: groups, uid and extra fields.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 */
export function impersonation({ user }: ContextInUse): HeaderFields {
  const texts = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
  const groups = texts(user['as-groups']);
  const uid = textOf(user['as-uid']);
  const extra = Object.entries(fieldsOf(user['as-user-extra'])).map(
    ([key, values]) => [`Impersonate-Extra-${encodeURIComponent(key)}`, texts(values)] as const,
  );
  return {
    ...(groups.length === 0 ? {} : { 'Impersonate-Group': groups }),
    ...(uid === '' ? {} : { 'Impersonate-Uid': uid }),
    ...Object.fromEntries(extra),
  };
}

/** Why a credential plugin, an identity provider or a file gave no credential, with the field it stands in. */
export function credentialProblem(use: ContextInUse, cause: unknown): string {
  const why = messageOf(cause).trim() || 'it failed without a word';
  // What a plugin prints is parsed by the library, and believed to have a status.
  const isOdd = cause instanceof Error && ['SyntaxError', 'TypeError'].includes(cause.name);
  const exec = fieldsOf(use.user['exec']);
  const command = textOf(exec['command']);
  const isMissing = (cause as { code?: unknown } | undefined)?.code === 'ENOENT';
  if (command !== '') {
    const hint = isMissing ? textOf(exec['installHint']).trim() : '';
    const said = `${userField(use, 'exec')}: the credential plugin ${command} gave no credential: ${isOdd ? `it printed no ExecCredential (${why})` : why}`;
    return hint === '' ? said : `${said}. ${hint}`;
  }
  return use.user['auth-provider'] === undefined ? why : `${userField(use, 'auth-provider')}: ${why}`;
}

/** Why there is no token of an identity provider: the library says nothing, and nobody would be asked for. */
export function expiredToken(use: ContextInUse): string | undefined {
  const provider = fieldsOf(use.user['auth-provider']);
  if (provider['name'] !== 'oidc') return undefined;
  const config = fieldsOf(provider['config']);
  const missing = ['client-id', 'refresh-token', 'idp-issuer-url'].filter((key) => textOf(config[key]) === '');
  const why =
    textOf(config['id-token']) === ''
      ? 'there is none'
      : `it has expired, and is not renewed without ${missing.join(', ') || 'an id_token in the answer of the provider'}`;
  return `${userField(use, 'auth-provider.config.id-token')}: ${why}; log in anew`;
}

/** `users[jane].user.exec` */
function userField({ userName }: ContextInUse, field: string): string {
  return `users[${userName}].user.${field}`;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
