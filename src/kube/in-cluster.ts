import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from './clock.ts';
import type { KubeConnection } from './connection.ts';

/** Where the kubelet mounts what a pod needs to talk to the API server. */
export const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The kubelet renews a token when 80 % of its life, an hour or more, are over; client-go reads it every minute too. */
const TOKEN_AGE_MS = 60_000;

/**
 * The connection of a pod, from its environment and its service account files.
 * @throws Error outside a pod, naming the variable or the file that is missing.
 * @see https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 */
export function inClusterConnection(
  env: Readonly<Record<string, string | undefined>>,
  directory = SERVICE_ACCOUNT_DIRECTORY,
  clock: Clock = systemClock,
): KubeConnection {
  const host = variable(env, 'KUBERNETES_SERVICE_HOST');
  const port = variable(env, 'KUBERNETES_SERVICE_PORT');
  const token = tokenFile(join(directory, 'token'), clock);
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: readMounted(join(directory, 'ca.crt')),
    namespace: readMounted(join(directory, 'namespace')),
    token: token.read,
    tokenRejected: token.forget,
  };
}

function variable(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (value) return value;
  throw new Error(`${name} is not set: this is no pod of a cluster; outside one a kubeconfig is needed`);
}

function readMounted(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path} cannot be read (${why}): does the pod set automountServiceAccountToken: false?`, {
      cause,
    });
  }
  if (text === '') throw new Error(`${path} is empty: the kubelet has not written the service account yet`);
  return text;
}

/** The token in a file that is replaced while the process lives. Read now, so that a missing one is known at start. */
function tokenFile(path: string, clock: Clock): { readonly read: () => string; readonly forget: () => void } {
  let token = readMounted(path);
  let readAt = clock.now();
  let rejected = false;
  return {
    read() {
      if (!rejected && clock.now() - readAt < TOKEN_AGE_MS) return token;
      token = readMounted(path);
      readAt = clock.now();
      rejected = false;
      return token;
    },
    forget() {
      rejected = true;
    },
  };
}
