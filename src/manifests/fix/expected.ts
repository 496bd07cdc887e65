import type { FieldPath } from '../../core/workload.ts';
import type { EditValue } from './splice.ts';

/** An edit by its path from the root of a document. */
export interface RootEdit {
  readonly path: FieldPath;
  /** Undefined: removed. */
  readonly value: EditValue | undefined;
}

/** A value with one field set or removed; what is not on the way to it is shared with the old value. */
export function withEdit(value: unknown, { path, value: wanted }: RootEdit): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return wanted;
  if (Array.isArray(value)) {
    return value.map((element: unknown, index) =>
      index === step ? withEdit(element, { path: rest, value: wanted }) : element,
    );
  }
  const record = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (rest.length > 0) return { ...record, [step]: withEdit(record[step], { path: rest, value: wanted }) };
  if (wanted !== undefined) return { ...record, [step]: wanted };
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== step));
}
