import type { KubeClient } from './client.ts';
import type { Fields } from './json-fields.ts';
import type { KubeObject } from './kube-object.ts';
import { listPages } from './list-pages.ts';

const PAGE_SIZE = 500;

/**
 * All objects of a resource, kept whole or as far as they are wanted; `slim` makes each as small as it may be while its page is
 * read. For few and small ones. @throws KubeError
 */
export async function listObjects(
  client: Pick<KubeClient, 'request'>,
  path: string,
  fields?: Fields,
  signal = new AbortController().signal,
  slim: (object: KubeObject) => KubeObject = (object) => object,
): Promise<readonly KubeObject[]> {
  let objects: KubeObject[] = [];
  await listPages({
    client,
    path,
    query: {},
    pageSize: PAGE_SIZE,
    ...(fields ? { fields } : {}),
    signal,
    onObject: (object) => objects.push(slim(object)),
    onPage: () => undefined,
    onRestart: () => {
      objects = [];
    },
  });
  return objects;
}
