import type { KubeClient } from './client.ts';
import { isNotFound, KubeError } from './kube-error.ts';

/** @see https://kubernetes.io/docs/reference/using-api/api-concepts/#api-discovery */
export interface ServedResource {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

export interface Discovery {
  /** Of `/version`: `major` and `minor` may have letters (`32+`). */
  readonly version: { readonly major: string; readonly minor: string; readonly gitVersion: string };
  /** Group versions, `v1` and `apps/v1`. */
  readonly groupVersions: readonly string[];
  /** Group versions that are registered but did not answer: what they serve is unknown. */
  readonly incomplete: readonly string[];
  /** Whether a resource is served, as far as is known. */
  serves(groupVersion: string, resource: string): boolean;
  resource(groupVersion: string, resource: string): ServedResource | undefined;
}

type Found = Map<string, Map<string, ServedResource>>;
type Client = Pick<KubeClient, 'get' | 'request'>;

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface AggregatedResource {
  readonly resource: string;
  readonly responseKind?: { readonly kind: string };
  readonly scope?: string;
  readonly verbs?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

/** The answer to `/api` and `/apis`: one document where the server has aggregated discovery (KEP-3352), else an index. */
interface Root {
  readonly kind: string;
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly freshness?: string;
      readonly resources?: readonly AggregatedResource[];
    }[];
  }[];
  /** Of an APIVersions. */
  readonly versions?: readonly string[];
  /** Of an APIGroupList. */
  readonly groups?: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[];
}

interface PlainList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** Asks what the server is and serves. @throws KubeError */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const found: Found = new Map();
  const incomplete: string[] = [];
  const version = await client.get<Discovery['version']>('/version', {}, signal);
  for (const path of ['/api', '/apis']) {
    const root = await client.request<Root>({
      method: 'GET',
      path,
      accept: `${AGGREGATED},application/json`,
      signal,
    });
    if (root.kind === 'APIGroupDiscoveryList') readAggregated(root, found, incomplete);
    else await readPlain(client, plainPaths(root), found, incomplete, signal);
  }
  return {
    version,
    groupVersions: [...found.keys()],
    incomplete,
    serves: (groupVersion, resource) => found.get(groupVersion)?.has(resource) ?? false,
    resource: (groupVersion, resource) => found.get(groupVersion)?.get(resource),
  };
}

function readAggregated({ items = [] }: Root, found: Found, incomplete: string[]): void {
  for (const { metadata, versions = [] } of items) {
    for (const { version, freshness, resources = [] } of versions) {
      const groupVersion = metadata?.name ? `${metadata.name}/${version}` : version;
      if (freshness === 'Stale') incomplete.push(groupVersion);
      found.set(groupVersion, new Map(resources.map((one) => [one.resource, fromAggregated(one)])));
    }
  }
}

function fromAggregated({ responseKind, scope, verbs = [], subresources = [] }: AggregatedResource): ServedResource {
  return {
    kind: responseKind?.kind ?? '',
    namespaced: scope === 'Namespaced',
    verbs,
    subresources: subresources.map(({ subresource }) => subresource),
  };
}

function plainPaths({ versions = [], groups = [] }: Root): readonly (readonly [groupVersion: string, path: string])[] {
  return [
    ...versions.map((version) => [version, `/api/${version}`] as const),
    ...groups.flatMap((group) => group.versions.map((one) => [one.groupVersion, `/apis/${one.groupVersion}`] as const)),
  ];
}

async function readPlain(
  client: Client,
  paths: ReturnType<typeof plainPaths>,
  found: Found,
  incomplete: string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const [groupVersion, path] of paths) {
    try {
      const { resources = [] } = await client.get<PlainList>(path, {}, signal);
      found.set(groupVersion, fromPlain(resources));
    } catch (error) {
      // An aggregated API whose own server is down answers 503, or 404 when it just went away; the others still count.
      if (!(error instanceof KubeError && (error.status >= 500 || isNotFound(error)))) throw error;
      incomplete.push(groupVersion);
    }
  }
}

function fromPlain(resources: NonNullable<PlainList['resources']>): Map<string, ServedResource> {
  const subresources = Map.groupBy(
    resources.filter(({ name }) => name.includes('/')),
    ({ name }) => name.split('/')[0] ?? '',
  );
  return new Map(
    resources
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, kind, namespaced, verbs }) => [
        name,
        {
          ...{ kind, namespaced, verbs },
          subresources: (subresources.get(name) ?? []).map((one) => one.name.slice(name.length + 1)),
        },
      ]),
  );
}
