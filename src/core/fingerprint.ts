import { sha256 } from './sha256.ts';
import type { ManifestSubject } from './scan-finding.ts';
import type { FieldPath } from './workload.ts';

/** What makes a finding the same finding in another version of its file. */
export interface FindingIdentity {
  readonly rule: string;
  readonly file: string;
  readonly subject: ManifestSubject;
  /** See `stablePath`. */
  readonly field: string;
  /** Counts findings that are alike in all the rest, in the order of the file, from 0. */
  readonly occurrence: number;
}

/**
 * A path in words that survive moved lines and reordered lists: elements go by their `name`, or by themselves where they are text
 * or numbers: `containers[web].securityContext.capabilities.add[SYS_ADMIN]`. `root` is what the path starts from.
 */
export function stablePath(path: FieldPath, root: unknown): string {
  let value = root;
  let text = '';
  for (const segment of path) {
    value = elementOf(value, segment);
    if (typeof segment === 'string') text += text === '' ? segment : `.${segment}`;
    else text += `[${labelOf(value)}]`;
  }
  return text;
}

/** SHA-256 of the identity, 64 hex digits. The API version of the subject is not part of it: an upgrade changes nothing. */
export function fingerprint({ rule, file, subject, field, occurrence }: FindingIdentity): string {
  const { kind, namespace = '', name } = subject;
  return sha256(JSON.stringify([rule, portablePath(file), kind, namespace, name, field, occurrence]));
}

/** The path of a file as it is written everywhere: `/` between, no leading `./`. */
export function portablePath(file: string): string {
  return file.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, '');
}

function elementOf(value: unknown, segment: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
  return (value as Record<string | number, unknown>)[segment];
}

function labelOf(element: unknown): string {
  if (typeof element === 'string' || typeof element === 'number') return String(element);
  const name = elementOf(element, 'name');
  return typeof name === 'string' ? name : '';
}
