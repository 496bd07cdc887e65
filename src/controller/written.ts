import { createHash } from 'node:crypto';
import { type ApiObject, listAt, objectAt, textAt } from '../cluster/pod-spec.ts';
import type { Condition, ConditionWord } from '../resources/condition.ts';

/** What is known of a status that was written: enough to tell whether another would say anything new. */
export interface Written {
  /** A hash of its content. */
  readonly content: string;
  readonly conditions: readonly Condition[];
}

/** The status of an object as it was written, by whoever it was. Of conditions those of the given types: others are not its writer's. */
export function readWritten(object: ApiObject, types: readonly string[]): Written {
  const status = objectAt(object, 'status');
  const conditions = listAt(status, 'conditions').flatMap((condition): readonly Condition[] => {
    const { status: word } = condition;
    const type = textAt(condition, 'type');
    if (type === undefined || !types.includes(type)) return [];
    if (word !== 'True' && word !== 'False' && word !== 'Unknown') return [];
    const generation = condition['observedGeneration'];
    return [
      {
        type,
        status: word,
        reason: textAt(condition, 'reason') ?? '',
        message: textAt(condition, 'message') ?? '',
        lastTransitionTime: textAt(condition, 'lastTransitionTime') ?? '',
        ...(typeof generation === 'number' ? { observedGeneration: generation } : {}),
      },
    ];
  });
  return { content: contentHash(status, conditions), conditions };
}

/** Everything a reader would take for news: neither times nor the order of keys. */
export function contentHash(status: ApiObject, conditions: readonly ConditionWord[]): string {
  const words = conditions
    .map(({ type, status: word, reason, message, observedGeneration = 0 }) => [
      type,
      word,
      reason,
      message,
      observedGeneration,
    ])
    .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  const content = { ...status, observedTime: undefined, conditions: undefined };
  return createHash('sha256')
    .update(JSON.stringify([sortKeys(content), words]))
    .digest('base64');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sortKeys(inner)]),
  );
}
