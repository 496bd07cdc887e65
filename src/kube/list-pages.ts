import type { KubeClient } from './client.ts';
import type { Fields } from './json-fields.ts';
import { isGone, KubeError } from './kube-error.ts';
import type { KubeObject } from './kube-object.ts';
import type { Query } from './paths.ts';

/** The most one page may have, in bytes. A page of 500 ordinary pods has 4 MB. */
const MAX_PAGE_BYTES = 64 << 20;
/** Lists that expired before their last page, in a row. */
const MAX_RESTARTS = 3;

/** Its items have been told by then. */
interface ListAnswer {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

export interface ListPagesOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly path: string;
  readonly query: Query;
  readonly pageSize: number;
  /** What is wanted of every object. */
  readonly fields?: Fields;
  readonly signal: AbortSignal;
  /** Called for each object as it is read; keep nothing of it but what is needed. It must not throw. */
  readonly onObject: (object: KubeObject) => void;
  readonly onPage: () => void;
  /** The list expired on the server and begins again: what was told before may be older than what comes. */
  readonly onRestart: () => void;
}

/**
 * Lists a resource page by page and returns the resource version to watch from. Pages that are too large to be held are asked
 * for in smaller ones.
 * @throws KubeError
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function listPages(options: ListPagesOptions): Promise<string> {
  let limit = options.pageSize;
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await listOnce(options, limit);
    } catch (error) {
      const isTooLarge = error instanceof KubeError && error.reason === 'ResponseTooLarge' && limit > 1;
      if (!isTooLarge && !(isGone(error) && restarts < MAX_RESTARTS)) throw error;
      if (isTooLarge) limit = Math.ceil(limit / 4);
      options.onRestart();
    }
  }
}

/** Of the list itself. */
const LIST_FIELDS = { kind: true, metadata: true, code: true, reason: true, message: true } as const;

async function listOnce(options: ListPagesOptions, limit: number): Promise<string> {
  const { client, path, query, signal } = options;
  // Written once, so that it is prepared once.
  const fields = { ...LIST_FIELDS, items: options.fields ?? true };
  let token: string | undefined;
  for (;;) {
    const page = await client.request<ListAnswer | null>({
      method: 'GET',
      path,
      query: { ...query, limit, continue: token },
      maxBytes: MAX_PAGE_BYTES,
      fields,
      onItem: (item) => {
        options.onObject(item as KubeObject);
      },
      signal,
    });
    options.onPage();
    token = page?.metadata?.continue;
    if (token) continue;
    const version = page?.metadata?.resourceVersion;
    if (version) return version;
    throw new KubeError(`GET ${path}: the list has no metadata.resourceVersion`, {
      status: 200,
      reason: 'MalformedResponse',
    });
  }
}
