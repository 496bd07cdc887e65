import { expect, test } from '@jest/globals';
import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { MANIFEST_RULES } from '../../src/rules/index.ts';
import type { PodSpec } from '../../src/core/workload.ts';
import { podObjectOf, podSpecs } from './pod-specs.ts';
import { CEL_POD_SECURITY, CEL_RULES, CEL_VARIABLES } from './workload-cel.ts';
import { violationsOf, workloadOf } from './workload-sample.ts';

const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
const variables = Object.entries(CEL_VARIABLES).map(
  ([name, expression]) => [name, environment.parse(expression)] as const,
);

function evaluate(expression: ReturnType<typeof environment.parse>, spec: PodSpec): unknown {
  const object = podObjectOf(spec);
  return expression({
    object,
    variables: Object.fromEntries(variables.map(([name, variable]) => [name, variable({ object }) as unknown])),
  });
}

test('every rule over workloads has its twin, but the one Kubernetes has no field for', () => {
  const ids = MANIFEST_RULES.filter(({ kind }) => kind === 'workload').map((rule) => rule.id);
  expect(Object.keys(CEL_RULES).toSorted()).toEqual(ids.filter((rule) => rule !== 'host-uts-namespace'));
});

const twins = Object.entries(CEL_RULES).map(([rule, expression]) => ['as it is', rule, {}, expression] as const);
const admissions = CEL_POD_SECURITY.map(
  ([rule, podSecurity, minor, expression]) =>
    [`as Pod Security ${podSecurity} of 1.${minor}`, rule, { podSecurity, minor }, expression] as const,
);

test.each([...twins, ...admissions])('%s: %s agrees with an independent evaluation', (_, ruleId, target, source) => {
  const rule = MANIFEST_RULES.find(({ id: other }) => other === ruleId);
  if (rule?.kind !== 'workload') throw new Error(`${ruleId} judges no workloads`);
  const expression = environment.parse(source);
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(podSpecs, (spec) => {
      const complies = violationsOf(rule, workloadOf(spec), target).length === 0;
      seen[`${complies}`] += 1;
      expect(evaluate(expression, spec)).toBe(complies);
    }),
    { numRuns: 1000 },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(20);
});
