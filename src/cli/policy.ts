import { dump } from 'js-yaml';
import { admissionPolicies } from '../report/admission-policy.ts';
import type { PolicyFlags } from './policy-command.ts';

/** What `userns-audit policy` prints. @throws Error where the API server would refuse the actions */
export function renderPolicies(flags: PolicyFlags): string {
  const actions = [...new Set(flags.action ?? (['Warn', 'Audit'] as const))];
  if (actions.includes('Warn') && actions.includes('Deny'))
    throw new Error(
      "the API server refuses '--action Warn' together with '--action Deny': what is denied is told anyway",
    );
  const policies = admissionPolicies({
    rules: [...new Set(flags.rule ?? [])],
    actions,
    objects: flags.objects,
    excludedNamespaces: flags.excludeNamespace ?? [],
    namespaceLabels: Object.fromEntries(flags.namespaceLabel ?? []),
  });
  return flags.output === 'json'
    ? JSON.stringify({ apiVersion: 'v1', kind: 'List', items: policies }, undefined, 2)
    : policies
        .map((one) => dump(one, { noRefs: true, lineWidth: 120 }))
        .join('---\n')
        .trimEnd();
}
