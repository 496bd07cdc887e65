import { type ApiObject, isObject, listAt, objectAt, textAt } from '../cluster/pod-spec.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ConditionWord } from '../resources/condition.ts';
import { CONTROLLER_FIELD_MANAGER } from '../resources/group.ts';

/** An object with the whole of a status that nobody else writes, but for conditions of other types. */
export interface OwnedStatus {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly status: ApiObject & { readonly conditions: readonly ConditionWord[] };
}

/**
 * Writes a status, and takes out what others have put there: an apply leaves the fields of other managers as they are, and so would
 * whatever somebody has written in by hand. Conditions of types that are not the writer's stay.
 * @throws KubeError
 */
export async function applyStatus(
  client: Pick<KubeClient, 'apply' | 'patch'>,
  path: string,
  body: OwnedStatus,
  types: readonly string[],
): Promise<void> {
  const fieldManager = CONTROLLER_FIELD_MANAGER;
  const status = objectAt(await client.apply(path, body, { fieldManager, force: true }), 'status');
  const patch = { ...leftFields(status, body.status), ...leftConditions(status, body.status.conditions, types) };
  if (Object.keys(patch).length === 0) return;
  await client.patch(path, { status: patch }, { contentType: 'application/merge-patch+json', fieldManager });
}

/** What is there and should not be, as a merge patch without it. */
function leftFields(found: ApiObject, wanted: ApiObject): ApiObject {
  return Object.fromEntries(
    Object.entries(found).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
      const own = wanted[key];
      if (own === undefined) return [[key, null]];
      const inner = isObject(value) && isObject(own) ? leftFields(value, own) : {};
      return Object.keys(inner).length > 0 ? [[key, inner]] : [];
    }),
  );
}

function leftConditions(found: ApiObject, wanted: readonly ConditionWord[], types: readonly string[]): ApiObject {
  const all = listAt(found, 'conditions');
  const kept = all.filter((condition) => {
    const type = textAt(condition, 'type') ?? '';
    return !types.includes(type) || wanted.some((word) => word.type === type);
  });
  return kept.length === all.length ? {} : { conditions: kept };
}
