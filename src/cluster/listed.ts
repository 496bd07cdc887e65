import type { MissingEvidence } from './adoption-evidence.ts';
import { type ApiObject, objectAt, textAt } from './pod-spec.ts';

/** The objects of a kind, or why they could not be had: "a right to list persistentvolumes". */
export type Listed = readonly ApiObject[] | MissingEvidence;

/** The objects there are; none where they could not be had. */
export function objectsOf(listed: Listed): readonly ApiObject[] {
  return 'missing' in listed ? [] : listed;
}

/** Why they could not be had; else `otherwise`: why one may be missing among them. */
export function missingOf(listed: Listed, otherwise: string): string {
  return 'missing' in listed ? listed.missing : otherwise;
}

/** `metadata.name` */
export function nameOf(object: ApiObject): string {
  return textAt(objectAt(object, 'metadata'), 'name') ?? '';
}
