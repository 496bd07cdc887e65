import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeControl, judgeProfile, type RuleResult } from '../../src/core/control-status.ts';
import type { Status } from '../../src/core/finding.ts';
import { controlIdIn, type ProfileControl } from '../../src/core/profile.ts';
import { PROFILES } from '../../src/rules/profiles/index.ts';

const CONTROL: ProfileControl = { id: '1', title: 't', assessment: 'automated', rules: ['a', 'b'], verified: true };
const BOTH = new Set(['a', 'b']);

/** `a:pass@n1/pool` is rule a on the node n1 of a pool, `!` before the status: accepted. */
function resultsOf(...texts: readonly string[]): readonly RuleResult[] {
  return texts.map((text) => {
    const [, rule = '', accepted, status, name = 'x', group] =
      /^(\w):(!?)([\w-]+)(?:@(\w+))?(?:\/(\w+))?$/.exec(text) ?? [];
    return {
      rule,
      status: status as Status,
      subject: { kind: 'Node', name, ...(group === undefined ? {} : { group }) },
      ...(accepted === '!' ? { accepted: true } : {}),
    };
  });
}

describe('the state of a control', () => {
  test.each([
    ['nothing it speaks of', [], 'not-applicable'],
    ['only what it does not speak of', ['a:not-applicable', 'b:not-applicable'], 'not-applicable'],
    ['all pass', ['a:pass', 'b:pass'], 'pass'],
    ['one passes, the other has no subject', ['a:pass'], 'pass'],
    ['one fails', ['a:pass', 'b:fail'], 'fail'],
    ['unknown is no pass', ['a:pass', 'b:unknown'], 'unknown'],
    ['unknown alone', ['a:unknown'], 'unknown'],
    ['a failure outweighs unknown', ['a:fail', 'b:unknown'], 'fail'],
    ['an accepted failure does not fail', ['a:!fail', 'b:pass'], 'pass'],
    ['only accepted failures', ['a:!fail'], 'pass'],
    ['accepted beside open', ['a:!fail@n1', 'a:fail@n2'], 'fail'],
    ['accepting unknown does not make it pass', ['a:!unknown'], 'unknown'],
    ['accepting a pass changes nothing', ['a:!pass'], 'pass'],
    ['nodes of a pool differ', ['a:pass@n1/p', 'a:fail@n2/p'], 'inconsistent'],
    ['nodes of two pools differ', ['a:pass@n1/p', 'a:fail@n2/q'], 'fail'],
    ['nodes of no pool differ', ['a:pass@n1', 'a:fail@n2'], 'fail'],
    ['all of a pool fail', ['a:fail@n1/p', 'a:fail@n2/p'], 'fail'],
    ['differ by rule only', ['a:fail@n1/p', 'b:pass@n2/p'], 'fail'],
    ['a pool differs, another fails as a whole', ['a:pass@n1/p', 'a:fail@n2/p', 'a:fail@n3/q'], 'fail'],
    ['a pool differs, another is unknown', ['a:pass@n1/p', 'a:fail@n2/p', 'a:unknown@n3/q'], 'inconsistent'],
    ['unknown is no difference', ['a:pass@n1/p', 'a:unknown@n2/p'], 'unknown'],
    ['what is accepted is no difference', ['a:pass@n1/p', 'a:!fail@n2/p'], 'pass'],
    ['not applicable is no difference', ['a:pass@n1/p', 'a:not-applicable@n2/p'], 'pass'],
    ['of other rules nothing counts', ['c:fail', 'a:pass'], 'pass'],
  ])('%s', (_, texts, expected) => {
    expect(judgeControl(CONTROL, { results: resultsOf(...texts), evaluated: BOTH }).state).toBe(expected);
  });

  test('a rule that was not asked leaves it unknown, and is named', () => {
    const only = { results: resultsOf('a:pass'), evaluated: new Set(['a']) };
    expect(judgeControl(CONTROL, only)).toMatchObject({ state: 'unknown', notEvaluated: ['b'] });
    expect(judgeControl(CONTROL, { results: resultsOf('a:fail'), evaluated: new Set(['a']) }).state).toBe('fail');
    expect(judgeControl(CONTROL, { results: [], evaluated: new Set() }).notEvaluated).toEqual(['a', 'b']);
  });

  test('a manual control stays manual, and shows what was found', () => {
    const manual: ProfileControl = { ...CONTROL, assessment: 'manual' };
    for (const text of ['a:fail', 'a:pass', 'a:unknown']) {
      const status = judgeControl(manual, { results: resultsOf(text), evaluated: BOTH });
      expect(status.state).toBe('manual');
      expect(Object.values(status.counts).reduce((sum, number) => sum + number)).toBe(1);
    }
  });

  test('says which nodes deviate from most of their pool', () => {
    const results = resultsOf(
      'a:pass@n1/p',
      'a:fail@n3/p',
      'a:pass@n2/p',
      'b:fail@n1/p',
      'b:fail@n2/p',
      'b:pass@n3/p',
      'a:fail@m2/q',
      'a:pass@m1/q',
    );
    expect(judgeControl(CONTROL, { results, evaluated: BOTH }).inconsistencies).toEqual([
      { rule: 'a', kind: 'Node', group: 'p', majority: 'pass', deviating: ['n3'] },
      { rule: 'a', kind: 'Node', group: 'q', majority: 'pass', deviating: ['m2'] },
      { rule: 'b', kind: 'Node', group: 'p', majority: 'fail', deviating: ['n3'] },
    ]);
  });

  test('never drops a failure, and never passes what is unknown, whatever the order', () => {
    const result = fc.record({
      rule: fc.constantFrom('a', 'b', 'c'),
      status: fc.constantFrom<Status>('pass', 'fail', 'unknown', 'not-applicable'),
      subject: fc.record({
        kind: fc.constantFrom('Node', 'Pod'),
        name: fc.constantFrom('x', 'y', 'z'),
        group: fc.constantFrom('p', 'q'),
      }),
      accepted: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(result, { maxLength: 12 }), (results) => {
        const status = judgeControl(CONTROL, { results, evaluated: BOTH });
        const own = results.filter(({ rule }) => rule !== 'c');
        const open = own.filter((one) => one.status === 'fail' && !one.accepted);
        expect(status.failing).toHaveLength(open.length);
        expect(['fail', 'inconsistent'].includes(status.state)).toBe(open.length > 0);
        if (own.some((one) => one.status === 'unknown')) expect(['pass', 'not-applicable']).not.toContain(status.state);
        expect(Object.values(status.counts).reduce((sum, number) => sum + number, 0)).toBe(own.length);
        const reversed = judgeControl(CONTROL, { results: results.toReversed(), evaluated: BOTH });
        expect(reversed.state).toBe(status.state);
        expect(reversed.inconsistencies).toEqual(status.inconsistencies);
      }),
    );
  });
});

describe('the profiles', () => {
  test.each(PROFILES.map((profile) => [profile.id, profile] as const))('%s is honest', (_, profile) => {
    expect(profile.notCovered).not.toBe('');
    expect(new Set(profile.controls.map(({ id }) => id)).size).toBe(profile.controls.length);
    for (const { id, rules, assessment, verified, note, notCovered } of profile.controls) {
      if (rules.length === 0) expect({ id, assessment }).toEqual({ id, assessment: 'manual' });
      if (assessment === 'manual') expect(notCovered).toBeDefined();
      if (!verified) expect(note).toMatch(/not verified/);
    }
    const { totals } = judgeProfile(profile, { results: [], evaluated: new Set() });
    expect(totals.pass + totals.fail + totals['not-applicable']).toBe(0);
    expect(totals.unknown + totals.manual).toBe(profile.controls.length);
  });

  test('CIS Kubernetes is numbered by edition', () => {
    const numbers = (edition: string): readonly string[] =>
      PROFILES.find(({ id }) => id === 'cis-kubernetes')?.controls.map((control) => controlIdIn(control, edition)) ??
      [];
    expect(numbers('1.12')).toEqual(['5.2.3', '5.2.4', '5.2.5']);
    expect(numbers('1.6')).toEqual(['5.2.2', '5.2.3', '5.2.4']);
    expect(numbers('EKS')).toEqual(['4.2.2', '4.2.3', '4.2.4']);
    expect(numbers('constructor')).toEqual(numbers('1.12'));
  });
});
