import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { plain } from '../../src/report/paint.ts';
import { renderScan } from '../../src/report/scan-formats.ts';
import { outputConflict, parseScanOutput, SCAN_FORMATS, type ScanFormat } from '../../src/report/scan-output.ts';
import { scanExitCode, type ScanReport } from '../../src/report/scan-report.ts';
import type { ScanProblem } from '../../src/core/scan-finding.ts';
import { hostileReport, sampleFinding, sampleProblem, sampleReport } from './scan-samples.ts';

function renderScanFile(report: ScanReport, format: ScanFormat, summary: boolean): string {
  return renderScan(report, format, { paint: plain, summary });
}

describe('every format', () => {
  test.each(SCAN_FORMATS)('%s ends with one newline, holds no terminal escape and is the same twice', (format) => {
    const text = renderScanFile(hostileReport(), format, false);
    expect(text).toMatch(/[^\n]\n$/);
    expect(text).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]/);
    expect(renderScanFile(hostileReport(), format, false)).toBe(text);
  });

  test.each(SCAN_FORMATS.filter((format) => format !== 'github'))('%s says something of a clean run', (format) => {
    expect(renderScanFile(sampleReport(), format, false)).not.toBe('');
  });
});

describe('JSON', () => {
  const schema = JSON.parse(readFileSync(new URL('../../docs/schema/scan-v1.json', import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >;
  // Every property is known here; a reader has to bear with more.
  const strict = JSON.parse(JSON.stringify(schema), (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value
      ? { ...value, additionalProperties: false }
      : value,
  ) as Record<string, unknown>;
  const validate = new Ajv2020({ allErrors: true }).compile(strict);

  test.each([
    ['hostile', hostileReport()],
    ['clean', sampleReport()],
  ])('a %s report is valid by the published schema, without an undocumented field', (_, report) => {
    expect(validate(JSON.parse(renderScanFile(report, 'json', false))) ? [] : validate.errors).toEqual([]);
  });

  test('counts what fails, what is accepted and by which rule', () => {
    const { summary } = JSON.parse(renderScanFile(hostileReport(), 'json', false)) as {
      summary: { findings: unknown; unjudged: number };
    };
    expect(summary.unjudged).toBe(1);
    expect(summary.findings).toEqual({
      total: 6,
      failing: 3,
      accepted: { waiver: 1, exception: 0, baseline: 1 },
      bySeverity: { critical: 1, high: 2, medium: 1, low: 0, info: 0 },
      byRule: [
        { rule: 'unlisted-rule', severity: 'critical', findings: 1, workloads: 1 },
        { rule: 'host-pid-namespace', severity: 'high', findings: 2, workloads: 2 },
        { rule: 'user-namespace', severity: 'medium', findings: 1, workloads: 1 },
      ],
    });
  });
});

describe('JUnit', () => {
  /** Read by another language's parser. */
  function read(xml: string): unknown {
    const script = [
      'import sys, json, xml.etree.ElementTree as t',
      'r = t.fromstring(sys.stdin.buffer.read())',
      'n = lambda tag: sum(1 for _ in r.iter(tag))',
      'print(json.dumps({"attributes": r.attrib, "suites": n("testsuite"), "cases": n("testcase"), "failures": n("failure"),',
      '  "errors": n("error"), "skipped": n("skipped"), "outputs": n("system-out"),',
      '  "sums": [sum(int(s.get(k)) for s in r.iter("testsuite")) for k in ("tests", "failures", "errors", "skipped")],',
      '  "first": next(r.iter("failure")).text if n("failure") else None}))',
    ].join('\n');
    return JSON.parse(execFileSync('python3', ['-c', script], { input: xml, encoding: 'utf8' }));
  }

  test('is read by xml.etree, and the counts agree with the elements', () => {
    expect(read(renderScanFile(hostileReport(), 'junit', false))).toEqual({
      attributes: { name: 'userns-audit scan', tests: '8', failures: '3', errors: '1', skipped: '2' },
      suites: 4,
      cases: 8,
      failures: 3,
      errors: 1,
      skipped: 2,
      outputs: 2,
      sums: [8, 3, 1, 2],
      first: expect.any(String) as unknown,
    });
  });

  test('several places of a rule in one workload are one case', () => {
    const other = sampleFinding({ place: { ...sampleFinding().place, line: 30, endLine: 30 }, message: 'again' });
    const xml = renderScanFile(sampleReport({ findings: [sampleFinding(), other] }), 'junit', false);
    expect(read(xml)).toMatchObject({
      cases: 1,
      failures: 1,
      first: [
        "deploy/agent.yaml:12:7 HIGH spec.template.spec.hostPID: shares the host's PID namespace",
        '  fix: Drop hostPID: true.',
        'deploy/agent.yaml:30:7 HIGH spec.template.spec.hostPID: again',
        '  fix: Drop hostPID: true.',
      ].join('\n'),
    });
  });

  test('a clean run has one passed case, since Jenkins refuses an empty report', () => {
    expect(read(renderScanFile(sampleReport(), 'junit', false))).toMatchObject({ cases: 1, failures: 0, errors: 0 });
  });

  test('agrees with the exit code: what is below the floor passes', () => {
    const report = sampleReport({ findings: [sampleFinding({ severity: 'medium' })] });
    expect(report.exitCode).toBe(0);
    expect(read(renderScanFile(report, 'junit', false))).toMatchObject({ cases: 1, failures: 0, outputs: 1 });
  });
});

describe('GitHub annotations', () => {
  const lines = renderScanFile(hostileReport(), 'github', false).trimEnd().split('\n');

  test('are one line each, whatever stands in a name', () => {
    expect(lines).toHaveLength(6);
    expect(lines.every((line) => /^::(?:error|warning|notice) file=[^:]*::[^\n\r]+$/.test(line))).toBe(true);
  });

  test('escape properties and messages as the toolkit does', () => {
    const hostile = lines.find((line) => line.includes('dir%2C'));
    expect(hostile).toMatch(/^::error file=dir%2Cwith%3A100%25\/a<b>&"'%25%2C%3A%0A/);
    expect(hostile).toContain('second line');
    expect(hostile).toContain('%0Asecond line');
  });

  test('leave columns away where the place has several lines, since GitHub refuses them', () => {
    expect(lines.find((line) => line.includes('dir%2C'))).toMatch(/,line=1,endLine=4,title=/);
    expect(renderScanFile(sampleReport({ findings: [sampleFinding()] }), 'github', false)).toBe(
      '::error file=deploy/agent.yaml,line=12,col=7,endColumn=20,title=host-pid-namespace (high)::' +
        "DaemonSet kube-system/agent: shares the host's PID namespace%0AFix: Drop hostPID: true.\n",
    );
  });

  test('the worst come first, what is accepted not at all', () => {
    const levels = lines.map((line) => /^::(\w+)/.exec(line)?.[1]);
    expect(levels).toEqual(['error', 'warning', 'error', 'error', 'error', 'warning']);
    expect(lines.join('\n')).not.toContain('Deployment');
  });
});

describe('GitLab code quality', () => {
  interface Issue {
    readonly fingerprint: string;
    readonly severity: string;
    readonly location: { readonly path: string; readonly lines: { readonly begin: number } };
  }
  const issues = (report = hostileReport()): readonly Issue[] =>
    JSON.parse(renderScanFile(report, 'gitlab', false)) as Issue[];

  test('has what GitLab asks of an issue', () => {
    expect(issues(sampleReport({ findings: [sampleFinding()] }))).toEqual([
      {
        description: "DaemonSet kube-system/agent: shares the host's PID namespace Fix: Drop hostPID: true.",
        check_name: 'host-pid-namespace',
        fingerprint: 'a'.repeat(64),
        severity: 'critical',
        location: { path: 'deploy/agent.yaml', lines: { begin: 12, end: 12 } },
      },
    ]);
    expect(issues(sampleReport())).toEqual([]);
  });

  test('fingerprints are unique, and the first of twins keeps its own', () => {
    const twins = issues(sampleReport({ findings: [sampleFinding(), sampleFinding(), sampleFinding()] }));
    expect(twins[0]?.fingerprint).toBe('a'.repeat(64));
    expect(new Set(twins.map(({ fingerprint }) => fingerprint)).size).toBe(3);
  });

  test('severities are those GitLab knows', () => {
    const known = ['info', 'minor', 'major', 'critical', 'blocker'];
    expect(issues().every(({ severity }) => known.includes(severity))).toBe(true);
  });
});

describe('Markdown', () => {
  test('a name cannot end a cell, start markup or mention anybody', () => {
    const text = renderScanFile(hostileReport(), 'markdown', false);
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    const cells = rows.map((line) => line.replaceAll(/`[^`]*`/g, ''));
    expect(cells.every((line) => !line.includes('<b>') && !line.includes('@all'))).toBe(true);
    const widths = rows.map((line) => line.replaceAll('\\|', '').split('|').length);
    expect(new Set(widths)).toEqual(new Set([6, 5]));
  });

  test('stays below the 1 MiB of a job summary', () => {
    const findings = Array.from({ length: 20_000 }, () => sampleFinding());
    const text = renderScanFile(sampleReport({ findings }), 'markdown', false);
    expect(text.length).toBeLessThan(200_000);
    expect(text).toContain('and 19,800 more');
  });
});

describe('text', () => {
  test('is one line when nothing was found', () => {
    expect(renderScanFile(sampleReport(), 'text', false)).toBe('PASSED  no finding in 4 workloads (3 files)\n');
  });

  test('says in five lines what matters', () => {
    expect(renderScanFile(hostileReport(), 'text', false).split('\n\n')[0]?.split('\n')).toEqual([
      'INCOMPLETE 4 findings in 3 of 40 workloads (1,234 files); 1 critical, 2 high, 1 medium; 3 fail; 2 accepted',
      'unread  1 input could not be judged: fix, --exclude or --allow-unparsable (first: deploy/broken.yaml:3)',
      'worst   unlisted-rule 1, host-pid-namespace 2, user-namespace 1',
      'adopt   30 of 40 workloads could take hostUsers: false right away, 3 have it, 7 need something else first',
      String.raw`next    userns-audit fix deploy 'it'\''s; rm' shows the edits; --baseline FILE --update-baseline accepts what is there, so that only new findings fail`,
    ]);
  });

  test('lists findings by file and workload, with the fix', () => {
    const report = sampleReport({ findings: [sampleFinding()] });
    expect(renderScanFile(report, 'text', false).split('\n\n')[1]).toBe(
      [
        'deploy/agent.yaml: DaemonSet kube-system/agent',
        "  deploy/agent.yaml:12:7  HIGH     host-pid-namespace  shares the host's PID namespace",
        '      fix: Drop hostPID: true.',
        '',
      ].join('\n'),
    );
  });

  test('counts what is below the floor when it is much, and lists it with wide', () => {
    const findings = Array.from({ length: 30 }, (_, index) =>
      sampleFinding({
        rule: 'user-namespace',
        severity: 'medium',
        subject: { apiVersion: 'v1', kind: 'Pod', name: `p${index}` },
      }),
    );
    const report = sampleReport({ findings: [sampleFinding(), ...findings] });
    const text = renderScanFile(report, 'text', false);
    expect(text).toContain(
      'BELOW --fail-on: 30 findings (30 medium), listed with -o wide\n  MEDIUM  user-namespace  30  in 30 workloads\n',
    );
    expect(text).not.toContain('Pod p7');
    const wide = renderScanFile(report, 'wide', false);
    expect(wide).toContain('Pod p7');
    expect(wide.trimEnd().split('\n').at(-1)).toBe(wide.split('\n')[0]);
  });

  test('wide shows what is accepted, and why', () => {
    const report = sampleReport({ findings: [sampleFinding({ accepted: { by: 'waiver', reason: 'needs it' } })] });
    expect(renderScanFile(report, 'text', false)).toBe('PASSED  no finding in 4 workloads (3 files); 1 accepted\n');
    expect(renderScanFile(report, 'wide', false)).toContain('accepted by waiver: needs it');
  });

  test('--summary counts and lists nothing', () => {
    const text = renderScanFile(hostileReport(), 'text', true);
    expect(text).toContain('FINDINGS BY RULE\n  CRITICAL  unlisted-rule       1  in 1 workload\n');
    expect(text).not.toContain('DaemonSet');
  });

  test('what many inputs share is said once, with every place', () => {
    const place = (file: string): ScanProblem => sampleProblem({ place: { ...sampleProblem().place, file } });
    const text = renderScanFile(sampleReport({ problems: [place('a.yaml'), place('b.yaml')] }), 'text', false);
    expect(text).toContain(
      'NOT JUDGED\n  unparsable  bad indentation of a mapping entry\n      a.yaml:3:1\n      b.yaml:3:1\n',
    );
  });

  test('remarks do not fail a run, but are said', () => {
    const report = sampleReport({
      problems: [sampleProblem({ kind: 'unused-waiver', fatal: false, message: 'accepts nothing' })],
    });
    expect(report.exitCode).toBe(0);
    expect(renderScanFile(report, 'text', false)).toContain(
      'REMARKS\n  deploy/broken.yaml:3:1  unused-waiver  accepts nothing',
    );
  });
});

describe('exit code', () => {
  const finding = sampleFinding();
  test.each([
    ['clean', [], [], 'high', 0],
    ['a finding at the floor', [finding], [], 'high', 1],
    ['a finding below the floor', [finding], [], 'critical', 0],
    ['never', [{ ...finding, severity: 'critical' as const }], [], 'never', 0],
    ['an accepted finding', [{ ...finding, accepted: { by: 'waiver' as const, reason: 'x' } }], [], 'info', 0],
    ['a remark', [], [sampleProblem({ fatal: false })], 'high', 0],
    ['an unparsable input', [], [sampleProblem()], 'high', 2],
    ['an unparsable input beside findings', [finding], [sampleProblem()], 'high', 2],
  ] as const)('%s', (_, findings, problems, failOn, expected) => {
    expect(scanExitCode({ ...sampleReport().result, findings, problems }, failOn)).toBe(expected);
  });
});

describe('-o', () => {
  test.each([
    ['text', { format: 'text' }],
    ['sarif=out/x=1.sarif', { format: 'sarif', file: 'out/x=1.sarif' }],
  ])('%s', (text, expected) => {
    expect(parseScanOutput(text)).toEqual(expected);
  });

  test.each(['xml', 'sarif=', '', '=x'])('refuses %j', (text) => {
    expect(parseScanOutput(text)).toEqual(expect.any(String));
  });

  test('machine formats have standard output to themselves', () => {
    expect(outputConflict([{ format: 'text' }, { format: 'github' }])).toBeUndefined();
    expect(outputConflict([{ format: 'text' }, { format: 'sarif', file: 'x' }])).toBeUndefined();
    expect(outputConflict([{ format: 'text' }, { format: 'sarif' }])).toContain('-o sarif=FILE');
    expect(outputConflict([{ format: 'json' }, { format: 'json' }])).toContain('-o json=FILE');
    expect(
      outputConflict([
        { format: 'json', file: 'x' },
        { format: 'sarif', file: 'x' },
      ]),
    ).toContain('x');
  });
});
