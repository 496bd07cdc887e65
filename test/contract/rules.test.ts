import { readdirSync, readFileSync } from 'node:fs';
import type { Status } from '../../src/core/finding.ts';
import type { Rule } from '../../src/core/rule.ts';
import { RULE_IDS } from '../../src/core/rule-ids.ts';
import { AUDIT_RULES, EFFECTIVE_RULES, MANIFEST_RULES, NODE_RULES, RULES } from '../../src/rules/index.ts';
import { readCases, rulesWithCases } from '../rules/rule-cases.ts';

const ROOT = new URL('../../', import.meta.url);
const ids = RULES.map(({ id }) => id);

function namesIn(directory: string, extension: string): readonly string[] {
  return readdirSync(new URL(directory, ROOT))
    .filter((name) => name.endsWith(extension))
    .map((name) => name.slice(0, -extension.length))
    .sort();
}

/** Answers a rule can give: those its source returns, found by the name of the constructor. */
function possibleAnswers({ id }: Rule): readonly Status[] {
  const source = readFileSync(new URL(`src/rules/${id}.ts`, ROOT), 'utf8');
  const answers: readonly (readonly [Status, boolean])[] = [
    ['pass', source.includes(' pass(')],
    ['fail', source.includes(' fail(')],
    ['unknown', source.includes(' unknown(')],
    ['not-applicable', source.includes(' notApplicable(') || source.includes('outOfScope(')],
  ];
  return answers.flatMap(([status, possible]) => (possible ? [status] : []));
}

describe('the catalogue of rules', () => {
  test('holds every file of src/rules, each named after the id of its rule', () => {
    expect(namesIn('src/rules', '.ts').filter((name) => name !== 'index')).toEqual(ids);
  });

  test('is named whole in RULE_IDS', () => {
    expect(RULE_IDS).toEqual(ids);
  });

  test('is sorted by id in every list, without repetition', () => {
    for (const list of [RULES, NODE_RULES, EFFECTIVE_RULES, MANIFEST_RULES]) {
      const names = list.map(({ id }) => id);
      expect(names).toEqual([...new Set(names)].sort());
    }
  });

  test('has a file of cases, a page and prose for every rule and for nothing else', () => {
    expect([...rulesWithCases()].sort()).toEqual(AUDIT_RULES.map(({ id }) => id));
    const manifests = readdirSync(new URL('test/fixtures/manifests/rules', ROOT));
    expect(manifests.sort()).toEqual(MANIFEST_RULES.map(({ id }) => id));
    expect(namesIn('docs/rules', '.md').filter((name) => name !== 'README')).toEqual(ids);
    expect(namesIn('docs/rules/prose', '.md')).toEqual(ids);
  });
});

describe.each(RULES.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  test('has an id of words joined by dashes', () => {
    expect(id).toMatch(/^[a-z]+(?:-[a-z]+)+$/);
  });

  test('states a condition in its title, and demands nothing', () => {
    expect(rule.title).toMatch(/^(?:[A-Z/u]|hostUsers: ).*[^.]$/);
    expect(rule.title).not.toMatch(/\b(?:should|must|ensure|make sure|don't)\b/i);
  });

  test('explains itself in whole sentences', () => {
    expect(rule.rationale).toMatch(/^(?:[A-Z/]|hostUsers: |userNamespaceLevel: |containerd ).{60,}\.$/s);
    expect(rule.remediation).toMatch(/^[A-Z/].+\.$/s);
  });

  test('names its sources as https addresses or controls of a benchmark', () => {
    expect(rule.references.length).toBeGreaterThan(0);
    for (const reference of rule.references) {
      expect(reference).toMatch(
        /^(?:https:\/\/\S+|CIS [A-Z]\w+ Benchmark [\d.]+(?:, [\d.]+)+|ComplianceAsCode \w+(?:, \w+)*|DISA STIG [A-Z-]+\d+)$/,
      );
    }
  });
});

describe.each(AUDIT_RULES.map((rule) => [rule.id, rule] as const))('%s, over machines,', (id, rule) => {
  test('has cases for every answer it can give', () => {
    const covered = Object.entries(readCases(id)).flatMap(([status, cases]) => (cases.length > 0 ? [status] : []));
    expect(covered.sort()).toEqual([...possibleAnswers(rule)].sort());
  });

  test('has cases whose names tell them apart', () => {
    const names = Object.values(readCases(id))
      .flat()
      .map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.each(MANIFEST_RULES.map(({ id }) => id))('%s, over manifests,', (id) => {
  test('has a manifest that passes and one that fails', () => {
    const names = readdirSync(new URL(`test/fixtures/manifests/rules/${id}`, ROOT));
    expect(names.map((name) => name.split(/[-.]/)[0])).toEqual(expect.arrayContaining(['fail', 'pass']));
  });
});
