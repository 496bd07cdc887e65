/** A condition as it stands in a status (metav1.Condition). */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** When the status last changed. */
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** A condition before it is known when it last changed. */
export type ConditionWord = Omit<Condition, 'lastTransitionTime'>;

/** Type of the one condition of a NodeAudit that is the controller's. */
export const EVIDENCE_ACCEPTED = 'EvidenceAccepted';

/** Written where a list was cut, and only there: whole lists are the rule, and etcd keeps every word of every object. */
export const TRUNCATED: ConditionWord = {
  type: 'Truncated',
  status: 'True',
  reason: 'TooMany',
  message: 'a list was cut: the totals count everything',
};

/** Conditions with their times: one whose status did not change keeps when it last did. */
export function withTransitions(
  words: readonly ConditionWord[],
  before: readonly Condition[],
  now: string,
): readonly Condition[] {
  return words.map((word) => {
    const known = before.find(({ type }) => type === word.type);
    return { ...word, lastTransitionTime: known?.status === word.status ? known.lastTransitionTime : now };
  });
}

/** Whether a condition stands with this status; neither where there is none of its type. */
export function hasCondition(
  conditions: readonly { readonly type?: unknown; readonly status?: unknown }[] | undefined,
  type: string,
  status: Condition['status'],
): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === status) === true;
}
