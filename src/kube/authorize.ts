import { createHash } from 'node:crypto';
import type { KubeClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import { KubeError } from './kube-error.ts';

/** `undelegated`: nobody can be let in, because this process itself may not ask who somebody is. */
export type Permission = 'allowed' | 'unauthenticated' | 'forbidden' | 'undelegated';

/** Answers hold for so long: a scraper asks every few seconds. */
const CACHE_MS = 60_000;
const MAX_CACHED = 1000;

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: {
      readonly username?: string;
      readonly uid?: string;
      readonly groups?: readonly string[];
      readonly extra?: unknown;
    };
  };
}

interface AccessReview {
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Whether the bearer of a token may get a path: TokenReview, then SubjectAccessReview for the nonResourceURL, as every component of
 * Kubernetes does it. Rejects with KubeError when the API server does not answer; nobody is let in then.
 */
export function createAuthorizer(
  client: Pick<KubeClient, 'create'>,
  clock: Clock = systemClock,
): (authorization: string | undefined, path: string) => Promise<Permission> {
  const cache = new Map<string, { readonly until: number; readonly permission: Permission }>();

  async function ask(token: string, path: string): Promise<Permission> {
    const review = await client.create<TokenReview>('/apis/authentication.k8s.io/v1/tokenreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token },
    });
    const { authenticated, user } = review.status ?? {};
    if (authenticated !== true || !user) return 'unauthenticated';
    const { username, uid, groups, extra } = user;
    const access = await client.create<AccessReview>('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: username, uid, groups, extra, nonResourceAttributes: { path, verb: 'get' } },
    });
    return access.status?.allowed === true ? 'allowed' : 'forbidden';
  }

  return async (authorization, path) => {
    const token = /^Bearer ([\w.~+/=-]{1,16384})$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'unauthenticated';
    const key = createHash('sha256').update(`${path} ${token}`).digest('base64');
    const known = cache.get(key);
    if (known && known.until > clock.now()) return known.permission;
    const permission = await ask(token, path).catch(undelegated);
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(key, { until: clock.now() + CACHE_MS, permission });
    return permission;
  };
}

/** A process without the ClusterRole system:auth-delegator is refused both reviews. */
function undelegated(error: unknown): Permission {
  if (error instanceof KubeError && error.status === 403) return 'undelegated';
  throw error;
}
