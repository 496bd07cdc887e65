import type { FieldPath, SecurityContextConstraints, Workload } from '../core/workload.ts';
import type { ObjectSource } from './located.ts';

/** Where a workload or SCC was read from: for the edits of `fixManifests`, and for comments. */
export interface WorkloadSource extends ObjectSource {
  /** In whose words the fields are written. */
  readonly dialect: 'pod' | 'compose' | 'inspect' | 'scc';
  /** Why pod-level fields cannot be added here, and where they can; undefined where they can. */
  readonly noPodFields: string | undefined;
  /** A path in the pod spec as the path from the object. */
  readonly pathOf: (path: FieldPath) => FieldPath;
  /** The other file a field was read from, as one that is inherited. */
  readonly elsewhere?: (path: FieldPath) => string | undefined;
}

const sources = new WeakMap<Workload | SecurityContextConstraints, WorkloadSource>();

export function rememberSource(subject: Workload | SecurityContextConstraints, source: WorkloadSource): void {
  sources.set(subject, source);
}

/** Undefined for one that `readManifests` did not make. */
export function sourceOf(subject: Workload | SecurityContextConstraints): WorkloadSource | undefined {
  return sources.get(subject);
}
