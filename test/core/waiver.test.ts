import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findWaiverComments, parseWaiverComment, parseWaivers } from '../../src/core/waiver.ts';
import type { Workload } from '../../src/core/workload.ts';
import { judge, placeAt, TODAY, workloadIn } from './judge-sample.ts';

const RULE = 'host-pid-namespace';

function annotated(annotations: Record<string, string>, podSpec: object = { hostPID: true }): Workload {
  return workloadIn('a.yaml', 1, podSpec, { annotations });
}

/** What becomes of the one finding of the rule, and the kinds of problems beside it. */
function outcome(workload: Workload): { accepted: unknown; problems: readonly string[] } {
  const { findings, problems } = judge({ workloads: [workload], choice: { rules: [RULE] } });
  return { accepted: findings[0]?.accepted, problems: problems.map(({ kind }) => kind) };
}

describe('annotations', () => {
  test.each([
    [{ 'userns-audit.dev/waive': 'host-pid-namespace: reads cgroups' }],
    [{ 'waive.userns-audit.dev/host-pid-namespace': 'reads cgroups' }],
    [{ 'userns-audit.dev/waive': 'host-pid-namespace until 2026-11-24: reads cgroups' }],
    [{ 'waive.userns-audit.dev/host-pid-namespace': 'until 2026-11-24: reads cgroups' }],
    [{ 'userns-audit.dev/waive': '\n  host-ipc-namespace, host-pid-namespace: reads cgroups\n' }],
    [{ 'userns-audit.dev/waive': 'host-ipc-namespace: shared memory\nhost-pid-namespace: reads cgroups' }],
  ])('%j accept', (annotations) => {
    expect(outcome(annotated(annotations))).toEqual({
      accepted: { by: 'waiver', reason: 'reads cgroups' },
      problems: [],
    });
  });

  test.each([
    ['host-pid-namespace', 'waiver-without-reason'],
    ['host-pid-namespace:', 'waiver-without-reason'],
    ['host-pid-namespace: ...', 'waiver-without-reason'],
    ['host-pid-namespace until 2026-11-23: reads cgroups', 'expired-waiver'],
    ['host-pid-namespace until 2026-02-30: reads cgroups', 'expired-waiver'],
    ['host-pid-namespace until soon: reads cgroups', 'expired-waiver'],
    ['host-pid-namespaces: reads cgroups', 'unknown-rule'],
    ['reads cgroups', 'unused-waiver'],
    ['*: everything', 'unused-waiver'],
  ])('%j does not accept and is a %s', (value, problem) => {
    expect(outcome(annotated({ 'userns-audit.dev/waive': value }))).toEqual({
      accepted: undefined,
      problems: [problem],
    });
  });

  test('that nothing needs are reported at their place, once', () => {
    const workload = {
      ...annotated({ 'waive.userns-audit.dev/host-pid-namespace': 'reads cgroups' }, {}),
      locateAnnotation: () => placeAt('a.yaml', 7),
    };
    expect(judge({ workloads: [workload] }).problems).toEqual([
      {
        kind: 'unused-waiver',
        message: 'the waiver of host-pid-namespace is not needed: nothing breaks the rule here',
        place: placeAt('a.yaml', 7),
        fatal: false,
      },
    ]);
    expect(judge({ workloads: [workload], choice: { skipRules: [RULE] } }).problems).toEqual([]);
  });

  test('may name a rule that does not judge manifests', () => {
    const workload = annotated({ 'waive.userns-audit.dev/id-range-short': 'old node' }, {});
    expect(judge({ workloads: [workload] }).problems).toEqual([]);
  });

  test('hold for their own workload alone', () => {
    const waived = annotated({ 'waive.userns-audit.dev/host-pid-namespace': 'reads cgroups' });
    const other = workloadIn('a.yaml', 50, { hostPID: true }, { name: 'other' });
    const { findings } = judge({ workloads: [waived, other], choice: { rules: [RULE] } });
    expect(findings.map(({ accepted }) => accepted?.by)).toEqual(['waiver', undefined]);
  });
});

describe('comments', () => {
  const text = [
    'spec:',
    '  hostPID: true # userns-audit: waive host-pid-namespace: reads cgroups',
    '  # userns-audit: waive host-ipc-namespace: shared memory',
    '',
    '  # another comment',
    '  hostIPC: true',
    '  image: "x#userns-audit: no comment"',
  ].join('\n');

  test('are found with the line they speak of', () => {
    expect(findWaiverComments(text, 'a.yaml')).toEqual([
      {
        text: '# userns-audit: waive host-pid-namespace: reads cgroups',
        place: { file: 'a.yaml', line: 2, column: 17, endLine: 2, endColumn: 72 },
        line: 2,
      },
      {
        text: '# userns-audit: waive host-ipc-namespace: shared memory',
        place: { file: 'a.yaml', line: 3, column: 3, endLine: 3, endColumn: 58 },
        line: 6,
      },
    ]);
    expect(findWaiverComments('a: 1\r\n# userns-audit: waive x: y\r\nb: 2', 'a')[0]?.line).toBe(3);
    expect(findWaiverComments('# userns-audit: waive x: y', 'a')[0]?.line).toBe(1);
    expect(findWaiverComments('a: 1 # nothing', 'a')).toEqual([]);
    expect(findWaiverComments('a: x#userns-audit: y # # userns-audit: z', 'a')[0]?.text).toBe('# # userns-audit: z');
    expect(findWaiverComments('a: x#userns-audit: y\nuserns-audit: z', 'a')).toEqual([]);
  });

  test.each([
    ['comments above nothing', 40_000, '# userns-audit: waive x\n'],
    ['number signs', 400_000, '# '],
    ['blanks', 800_000, ' '],
  ])('in bounded time: a megabyte of %s', (_, count, unit) => {
    const long = `# userns-audit: waive a${unit.repeat(count)}b\na: 1 # userns-audit: waive x: y\n`;
    const start = performance.now();
    for (const comment of findWaiverComments(long, 'a')) parseWaiverComment(comment.text);
    // A quadratic reader takes minutes.
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('accept the finding on the line they speak of, and no other', () => {
    const workload = workloadIn('a.yaml', 1, { hostPID: true });
    const line = workload.locate(['hostPID']).line;
    const comment = (at: number): object => ({
      waiverComments: [
        { text: '# userns-audit: waive host-pid-namespace: reads cgroups', place: placeAt('a.yaml', at), line: at },
      ],
    });
    const here = judge({ workloads: [workload], choice: { rules: [RULE] }, ...comment(line) });
    expect(here.findings[0]?.accepted).toEqual({ by: 'waiver', reason: 'reads cgroups' });
    expect(here.problems).toEqual([]);
    const elsewhere = judge({ workloads: [workload], choice: { rules: [RULE] }, ...comment(line + 1) });
    expect(elsewhere.findings[0]?.accepted).toBeUndefined();
    expect(elsewhere.problems.map(({ kind }) => kind)).toEqual(['unused-waiver']);
  });

  test('are asked of the reader as well, and counted once', () => {
    const workload = workloadIn('a.yaml', 1, { hostPID: true });
    const text = '# userns-audit: waive host-pid-namespace: reads cgroups';
    const { findings, problems } = judge({
      workloads: [workload],
      choice: { rules: [RULE] },
      waiverComments: [{ text, place: placeAt('a.yaml', 40), line: 41 }],
      commentsAt: (_, path) =>
        path[0] === 'hostPID'
          ? [
              { text, line: 40 },
              { text: '# else', line: 39 },
            ]
          : [],
    });
    expect(findings[0]?.accepted?.by).toBe('waiver');
    expect(problems).toEqual([]);
  });

  test.each(['# kube-linter: x', '#', 'userns-audit: waive x: y', '# see userns-audit: waive x: y'])(
    '%j is none',
    (comment) => {
      expect(parseWaiverComment(comment)).toBeUndefined();
    },
  );

  test('that are addressed here and say something else are reported', () => {
    expect(parseWaiverComment('# userns-audit: ignore x')?.flaws[0]?.kind).toBe('unused-waiver');
    expect(parseWaiverComment('# userns-audit: waive')?.flaws[0]?.kind).toBe('unused-waiver');
  });
});

test('no text makes a waiver without a reason, or throws', () => {
  const part = fc.oneof(
    fc.constantFrom('host-pid-namespace', ' until ', ':', '\n', ',', '2027-01-01', ' '),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      for (const { reason, rule } of parseWaivers(parts.join('')).waivers) {
        expect(reason).toMatch(/\p{L}/u);
        expect(rule).toMatch(/^[a-z][a-z0-9-]*$/);
      }
    }),
  );
  expect(TODAY).toMatch(/^\d{4}-\d\d-\d\d$/);
});
