import { type AuditPolicy, parsePolicy, type PolicyError } from '../core/policy.ts';
import { API_VERSION, POLICY_NAME } from '../resources/group.ts';
import { RULES } from '../rules/index.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import type { SlimPolicy } from './watches.ts';

export type ReadPolicy =
  | { readonly policy: AuditPolicy; readonly errors: readonly [] }
  | { readonly policy: undefined; readonly errors: readonly PolicyError[] };

/**
 * The policy of an AuditPolicy object. What the API server's schema can not check, such as the name of a rule, is checked here;
 * a policy with a mistake is not followed in part, because a half of it may be milder than the whole.
 */
export function readPolicy({ spec }: Pick<SlimPolicy, 'spec'>): ReadPolicy {
  const document = { apiVersion: API_VERSION, kind: 'AuditPolicy', metadata: { name: POLICY_NAME }, spec: spec ?? {} };
  const place = { file: `AuditPolicy/${POLICY_NAME}`, line: 1, column: 1, endLine: 1, endColumn: 1 };
  const parsed = parsePolicy(document, {
    ruleIds: RULES.map(({ id }) => id),
    profileIds: PROFILES.map(({ id }) => id),
    locate: () => place,
  });
  return parsed.ok ? { policy: parsed.policy, errors: [] } : { policy: undefined, errors: parsed.errors };
}
