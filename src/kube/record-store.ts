import type { KubeObject } from './kube-object.ts';

/** What becomes of an object, and who is told. */
export interface RecordHandlers<T> {
  /** The few fields that are kept; undefined leaves the object out. */
  readonly slim: (object: KubeObject) => T | undefined;
  /** `objectKey` for a whole resource. */
  readonly keyOf: (object: KubeObject) => string;
  /** Whether a change is worth telling; without it every one is. */
  readonly equal?: (a: T, b: T) => boolean;
  readonly onUpsert?: (key: string, value: T, previous?: T) => void;
  readonly onDelete?: (key: string, previous: T) => void;
}

/** Slim records by key. A handler that throws is reported, and the record is kept all the same. */
export interface RecordStore<T> {
  readonly records: ReadonlyMap<string, T>;
  readonly upsert: (object: KubeObject) => void;
  remove(object: KubeObject): void;
  /** What is not upserted from here to `endReplace` is gone. Beginning again forgets the beginning before. */
  readonly beginReplace: () => void;
  endReplace(): void;
}

export function createRecordStore<T>(
  { slim, keyOf, equal, onUpsert, onDelete }: RecordHandlers<T>,
  onHandlerError: (error: unknown, key: string | undefined) => void,
): RecordStore<T> {
  const records = new Map<string, T>();
  let unseen: Set<string> | undefined;

  function guarded(key: string | undefined, handler: () => void): void {
    try {
      handler();
    } catch (error) {
      onHandlerError(error, key);
    }
  }

  function removeKey(key: string): void {
    const previous = records.get(key);
    if (previous === undefined) return;
    records.delete(key);
    guarded(key, () => onDelete?.(key, previous));
  }

  function keep(key: string, value: T): void {
    const previous = records.get(key);
    guarded(key, () => {
      if (previous !== undefined && equal?.(previous, value)) return;
      records.set(key, value);
      onUpsert?.(key, value, previous);
    });
  }

  return {
    records,
    upsert(object) {
      guarded(undefined, () => {
        const key = keyOf(object);
        unseen?.delete(key);
        // An object that `slim` cannot read keeps the record it had: nothing is known to have changed.
        const value = slim(object);
        if (value === undefined) removeKey(key);
        else keep(key, value);
      });
    },
    remove(object) {
      guarded(undefined, () => {
        removeKey(keyOf(object));
      });
    },
    beginReplace() {
      unseen = new Set(records.keys());
    },
    endReplace() {
      for (const key of unseen ?? []) removeKey(key);
      unseen = undefined;
    },
  };
}
