export interface ResourcePath {
  /** Left out or empty for the core group. */
  readonly group?: string;
  readonly version: string;
  /** Plural, as in the path: `pods`. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string;
  readonly subresource?: string;
}

/** Values of a query; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The path of a resource or of one object.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
export function resourcePath({ group, version, resource, namespace, name, subresource }: ResourcePath): string {
  const parts = group ? ['apis', group, version] : ['api', version];
  if (namespace !== undefined) parts.push('namespaces', namespace);
  parts.push(resource);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** A path with its query, sorted as given. */
export function withQuery(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  if (pairs.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}
