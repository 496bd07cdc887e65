import { compileGlob, type Glob } from '../core/exception-glob.ts';
import { hasExpired } from '../core/expiry-date.ts';
import type { LabelSelector, PolicyException } from '../core/policy.ts';
import { labelAt, meetsRequirement } from './label-requirement.ts';
import type { Group, IsAccepted } from './namespace-state.ts';

/** The exceptions of the policy as they hold for live workloads. */
export interface ClusterExceptions {
  readonly list: readonly PolicyException[];
  readonly isAccepted: IsAccepted;
  /** Whether any of them holds on that day and not on this, or the other way round. */
  changeBy(day: string): boolean;
  /** Indexes of all exceptions that name a rule for a workload, expired ones too. */
  indexesFor(group: Group, rule: string): readonly number[];
  /** The first that accepts it. */
  acceptedBy(group: Group, rule: string): PolicyException | undefined;
}

interface Prepared {
  readonly exception: PolicyException;
  readonly expired: boolean;
  readonly namespaces: readonly Glob[] | undefined;
  readonly workloads: readonly Glob[] | undefined;
}

/** Makes the exceptions ready for one day. Those over files accept nothing here: a cluster has none. */
export function createClusterExceptions(list: readonly PolicyException[], today: string): ClusterExceptions {
  const prepared = list.map((exception): Prepared => {
    const { namespaces, workloads, expires } = exception;
    return {
      exception,
      expired: hasExpired(expires, today),
      namespaces: namespaces?.includes('*') === true ? undefined : namespaces?.map(compileGlob),
      workloads: workloads?.map(compileGlob),
    };
  });

  function indexesFor(group: Group, rule: string): readonly number[] {
    const known = group.exceptions.get(rule);
    if (known) return known;
    const indexes = prepared.flatMap((one, index) => (covers(one, group, rule) ? [index] : []));
    group.exceptions.set(rule, indexes);
    return indexes;
  }

  function acceptedBy(group: Group, rule: string): PolicyException | undefined {
    const index = indexesFor(group, rule).find((candidate) => prepared[candidate]?.expired === false);
    return index === undefined ? undefined : list[index];
  }

  return {
    list,
    changeBy: (day) => prepared.some(({ exception, expired }) => hasExpired(exception.expires, day) !== expired),
    indexesFor,
    acceptedBy,
    isAccepted: (group, rule) => list.length > 0 && acceptedBy(group, rule) !== undefined,
  };
}

function covers({ exception, namespaces, workloads }: Prepared, group: Group, rule: string): boolean {
  const { namespace, workload } = group;
  return (
    exception.files === undefined &&
    (exception.rules.includes(rule) || exception.rules.includes('*')) &&
    (namespaces === undefined || namespaces.some((glob) => glob(namespace.name))) &&
    (workloads === undefined || workloads.some((glob) => glob(workload))) &&
    // Labels that are not known yet select nothing: a selector may ask for a label not to be there.
    (exception.namespaceSelector === undefined ||
      (namespace.exists && selects(exception.namespaceSelector, namespace.labels)))
  );
}

/** Whether a selector of labels holds. */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every((one) => meetsRequirement(one, labelAt(labels, one.key)))
  );
}
