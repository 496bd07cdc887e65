import { type Fields, parseFields } from './json-fields.ts';
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

/** @param fields what is wanted of the object, besides `metadata` as far as a watch needs it. @throws MalformedEventError */
export function parseWatchEvent(line: Buffer, fields: Fields = true): WatchEvent {
  const { type, object } = parseLine(line, fields);
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

/** Of a bookmark, and of an error. */
const EVENT_FIELDS = {
  kind: true,
  apiVersion: true,
  code: true,
  reason: true,
  message: true,
  details: true,
  status: true,
} as const;

function wantedOf(fields: Exclude<Fields, true>): Fields {
  const known = eventFields.get(fields);
  if (known) return known;
  const { metadata = {} } = fields;
  const own: Fields =
    metadata === true ? true : { ...metadata, resourceVersion: true as const, annotations: annotationsOf(metadata) };
  const wanted = { type: true as const, object: { ...EVENT_FIELDS, ...fields, metadata: own } };
  eventFields.set(fields, wanted);
  return wanted;
}

function annotationsOf({ annotations = {} }: Exclude<Fields, true>): Fields {
  return annotations === true ? true : { ...annotations, [INITIAL_EVENTS_END]: true };
}

const eventFields = new WeakMap<object, Fields>();

function parseLine(line: Buffer, fields: Fields): { readonly type: unknown; readonly object: object } {
  let event: unknown;
  try {
    event = fields === true ? JSON.parse(line.toString('utf8')) : parseFields(line, wantedOf(fields));
  } catch {
    throw malformed('a line that is not JSON', line);
  }
  const { type, object } = (event ?? {}) as { readonly type?: unknown; readonly object?: unknown };
  if (typeof object !== 'object' || object === null) throw malformed('an event without object', line);
  return { type, object };
}

function malformed(what: string, line: Buffer): MalformedEventError {
  return new MalformedEventError(`the watch sent ${what}: ${JSON.stringify(line.toString('utf8', 0, 100))}`);
}
