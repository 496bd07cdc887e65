import type { KubeObject } from './kube-object.ts';
import type { KubeStatus } from './kube-error.ts';

/** One line of a watch. @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject; readonly version: string }
  | { readonly type: 'BOOKMARK'; readonly version: string; readonly endsInitialEvents: boolean }
  | { readonly type: 'ERROR'; readonly status: KubeStatus };

/** The bookmark that ends the list part of a streaming list (KEP-3157). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** A line that is no event: what the stream said before and will say after it cannot be relied on. */
export class MalformedEventError extends Error {
  override readonly name = 'MalformedEventError';
}

/** @throws MalformedEventError */
export function parseWatchEvent(line: string): WatchEvent {
  const { type, object } = parseLine(line);
  if (type === 'ERROR') return { type, status: object };
  const { metadata } = object as Partial<KubeObject>;
  const version = metadata?.resourceVersion;
  if (typeof version !== 'string' || version === '')
    throw malformed('an object without metadata.resourceVersion', line);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as KubeObject, version };
    case 'BOOKMARK':
      return { type, version, endsInitialEvents: metadata?.annotations?.[INITIAL_EVENTS_END] === 'true' };
    default:
      throw malformed(`an event of the unknown type ${JSON.stringify(type)}`, line);
  }
}

function parseLine(line: string): { readonly type: unknown; readonly object: object } {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    throw malformed('a line that is not JSON', line);
  }
  const { type, object } = (event ?? {}) as { readonly type?: unknown; readonly object?: unknown };
  if (typeof object !== 'object' || object === null) throw malformed('an event without object', line);
  return { type, object };
}

function malformed(what: string, line: string): MalformedEventError {
  return new MalformedEventError(`the watch sent ${what}: ${JSON.stringify(line.slice(0, 100))}`);
}
