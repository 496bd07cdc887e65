import type { FieldPath } from '../../core/workload.ts';
import type { EditValue } from './splice.ts';

/** An edit by its path from the root of a document. */
export interface RootEdit {
  readonly path: FieldPath;
  /** Undefined: removed. */
  readonly value: EditValue | undefined;
}

/** Sets or removes one field within a value, in place. A path that leads nowhere changes nothing. */
export function applyEdit(value: unknown, { path, value: wanted }: RootEdit): void {
  let parent = value;
  for (const step of path.slice(0, -1)) parent = isRecord(parent) ? parent[step] : undefined;
  const field = path.at(-1);
  if (!isRecord(parent) || field === undefined) return;
  if (wanted === undefined) Reflect.deleteProperty(parent, field);
  else parent[field] = wanted;
}

/** Lists count: their steps are indexes. */
function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
