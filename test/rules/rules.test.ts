import { evaluate } from '../../src/core/evaluate.ts';
import type { Finding } from '../../src/core/finding.ts';
import { AUDIT_RULES } from '../../src/rules/index.ts';
import { factsOf } from '../support/host-tree.ts';
import { readCases, type RuleCase, STATUSES } from './rule-cases.ts';

/** The one finding a case is about, on the whole way from files to judgement. */
function judge(rule: (typeof AUDIT_RULES)[number], { host, container = '' }: RuleCase): Finding {
  const findings = evaluate([rule], factsOf(host)).filter(
    ({ subject }) => subject.kind === 'Node' || subject.id.startsWith(container),
  );
  const [finding, ...others] = findings;
  if (!finding || others.length > 0) throw new Error(`the case must be about one subject, not ${findings.length}`);
  return finding;
}

describe.each(AUDIT_RULES.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  const cases = readCases(id);
  for (const status of STATUSES) {
    for (const one of cases[status] ?? []) {
      test(`${status}: ${one.name}`, () => {
        const { message, evidence, fix, status: answer } = judge(rule, one);
        const expected: unknown = one.whole ? one.message : expect.stringContaining(one.message);
        expect({ answer, message }).toEqual({ answer: status, message: expected });
        if (one.evidence !== undefined) {
          const lines = evidence.map(({ source, value }) => `${source}: ${value}`);
          expect(lines).toContainEqual(one.whole ? one.evidence : expect.stringContaining(one.evidence));
        }
        if (one.fix === null) expect(fix).toBeUndefined();
        if (typeof one.fix === 'string') expect(fix).toContain(one.fix);
      });
    }
  }
});
