import type { FieldPath, Workload } from '../core/workload.ts';
import { sourceOf } from './workload-source.ts';

/** Where a field of the pod spec stands in its object, there or not; or why it can not be set there. */
export function podFieldPath(workload: Workload, field: string): FieldPath | { readonly refused: string } {
  const source = sourceOf(workload);
  if (source === undefined) return { refused: 'where it was read from is not known' };
  if (source.dialect !== 'pod') return { refused: 'it is no Kubernetes object' };
  return source.noPodFields === undefined ? source.pathOf([field]) : { refused: source.noPodFields };
}
