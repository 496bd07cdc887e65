import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  EMPTY_REPORT,
  GENERATED_AT,
  HOSTILE_NAMES,
  hostileReport,
  INCONSISTENT_REPORT,
  largeReport,
  MIXED_REPORT,
} from '../support/cluster-reports.ts';
import { readByTrestle, trestleMissing } from '../support/trestle.ts';
import { bash, directoryWith, filesIn, type Outcome, userns } from './scan-cli.ts';

/** `userns-audit report` as people run it. Golden files are rewritten by UPDATE_GOLDEN=1. */

const GOLDEN = join(import.meta.dirname, '../fixtures/report');
const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/report.md'), 'utf8');

const ready = MIXED_REPORT.nodes.slice(0, 1);
const isolated = MIXED_REPORT.namespaces.map(({ name, status }) => {
  const { running } = status.pods;
  const pods = { ...status.pods, private: running, host: 0, notEffective: 0, unknown: 0 };
  const findingTotals = { ...status.findingTotals, critical: 0, high: 0 };
  return { name, status: { ...status, pods, findingTotals, findings: [] } };
});

const listOf = (kind: string, names: readonly { readonly name: string; readonly status: unknown }[]): unknown => ({
  apiVersion: 'v1',
  kind: 'List',
  items: names.map(({ name, status }) => ({
    apiVersion: 'userns-audit.dev/v1alpha1',
    kind,
    metadata: kind === 'NodeAudit' ? { name } : { name: 'userns-audit', namespace: name },
    status,
  })),
});

const documents: Readonly<Record<string, unknown>> = {
  'cluster.json': MIXED_REPORT,
  'empty.json': EMPTY_REPORT,
  'last-week.json': {
    ...EMPTY_REPORT,
    generatedAt: '2026-11-17T10:00:00Z',
    namespaces: MIXED_REPORT.namespaces.slice(1),
    nodes: ready,
  },
  'ready.json': { ...EMPTY_REPORT, namespaces: isolated, nodes: ready },
  'unknown.json': { ...EMPTY_REPORT, namespaces: isolated, nodes: [{ name: 'node-x', status: {} }] },
  'nodes.json': listOf('NodeAudit', MIXED_REPORT.nodes),
  'namespaces.json': listOf('NamespaceAudit', MIXED_REPORT.namespaces),
};
const texts = Object.fromEntries(Object.entries(documents).map(([name, value]) => [name, JSON.stringify(value)]));

const inFiles = (...args: readonly string[]): Outcome & { readonly cwd: string } => {
  const cwd = directoryWith(texts);
  return { ...userns(['report', ...args], { cwd }), cwd };
};

describe('golden reports', () => {
  test.each([
    ['mixed.txt', ['cluster.json']],
    ['mixed.md', ['cluster.json', '-o', 'markdown']],
    ['mixed-diff.txt', ['cluster.json', '--diff', 'last-week.json']],
    ['mixed-diff.md', ['cluster.json', '--diff', 'last-week.json', '-o', 'markdown']],
    ['mixed-part.txt', ['cluster.json', '--namespace', 'pay*', '--node', 'node-a', '--profile', 'userns-rollout']],
    ['empty.txt', ['empty.json']],
    ['empty.md', ['empty.json', '-o', 'markdown']],
  ])('%s', (name, args) => {
    const { code, stdout, stderr } = inFiles(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const file = join(GOLDEN, name);
    if (process.env['UPDATE_GOLDEN']) {
      mkdirSync(GOLDEN, { recursive: true });
      writeFileSync(file, stdout);
    }
    expect(stdout).toBe(readFileSync(file, 'utf8'));
  });

  test('5,000 nodes: the first screen has the numbers', () => {
    const cwd = directoryWith({ 'large.json': JSON.stringify(largeReport(5000, 300)) });
    const { stdout } = userns(['report', 'large.json'], { cwd });
    const screen = stdout.split('\n').slice(0, 40).join('\n');
    expect(screen).toMatch(/36 % of 32,069 running pods/);
    expect(screen).toMatch(/3,338 of 5,000 ready, 1,614 not ready, 48 unknown/);
    expect(screen).toMatch(/EXCEPTIONS\n {2}expired/);
  });
});

describe('input', () => {
  test('JSON is a report again, and the same', () => {
    const { stdout } = inFiles('cluster.json', '-o', 'json');
    expect(JSON.parse(stdout)).toEqual(MIXED_REPORT);
    const again = userns(['report', '-', '-o', 'json'], { cwd: '/', input: stdout });
    expect(again.stdout).toBe(stdout);
  });

  test('one kind a file makes one report', () => {
    const { stdout } = inFiles('nodes.json', 'namespaces.json', '-o', 'json');
    const { nodes, namespaces } = JSON.parse(stdout) as typeof MIXED_REPORT;
    expect({ nodes, namespaces }).toEqual({ nodes: MIXED_REPORT.nodes, namespaces: MIXED_REPORT.namespaces });
  });

  test.each([
    [['missing.json'], /^error: missing\.json: ENOENT/],
    [['bad.json'], /^error: bad\.json: .*JSON/],
    [['pod.json'], /^error: pod\.json: kind is "Pod"/],
    [['cluster.json', '--diff', 'missing.json'], /^error: missing\.json: ENOENT/],
    [['cluster.json', '--namespace', 'nowhere'], /'--namespace nowhere': the report has no such namespace/],
    [['cluster.json', '--node', 'none*'], /'--node none\*': the report has no such node/],
    [['cluster.json', '--profile', 'cis'], /Allowed choices are/],
    [['cluster.json', '-o', 'pdf'], /Allowed choices are/],
    [['ready.json', '-o', 'oscal'], /the report has no profile: list some in spec\.profiles/],
    [['cluster.json', '--output-file', 'no/such/dir.txt'], /^error: option '--output-file': ENOENT/],
    [['--kubeconfig', 'missing.yaml'], /^error: .*missing\.yaml/],
  ])('%j ends with 2 and says why', (args, message) => {
    const cwd = directoryWith({ ...texts, 'bad.json': '{', 'pod.json': '{"kind":"Pod"}' });
    const { code, stdout, stderr } = userns(['report', ...args], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('exit codes', () => {
  test.each([
    ['cluster.json', 'never', 0],
    ['cluster.json', 'critical', 1],
    ['ready.json', 'high', 0],
    ['unknown.json', 'high', 2],
    ['unknown.json', 'never', 0],
    ['empty.json', 'critical', 2],
  ])('%s with --fail-on %s: %d', (file, severity, expected) => {
    const { code, stdout } = inFiles(file, '--fail-on', severity);
    expect(code).toBe(expected);
    expect(stdout).toContain('ADOPTION');
  });

  test('a finding that somebody accepted fails nothing', () => {
    expect(inFiles('cluster.json', '--namespace', 'monitoring', '--node', 'node-a', '--fail-on', 'high').code).toBe(0);
  });
});

test('OSCAL tells the states the controller gave', () => {
  const { stdout, code } = inFiles('cluster.json', '-o', 'oscal');
  expect(code).toBe(0);
  const { results } = (
    JSON.parse(stdout) as {
      'assessment-results': { results: { title: string; observations: unknown[]; start: string }[] };
    }
  )['assessment-results'];
  expect(results.map(({ start }) => Date.parse(start))).toEqual([Date.parse(GENERATED_AT), Date.parse(GENERATED_AT)]);
  expect(JSON.stringify(results)).toContain('Deployment payments/api');
});

describe('nodes that should be alike and are not', () => {
  const WHY =
    'user-namespace-limit: most nodes of Ubuntu 24.04.3 LTS, 6.8.0-88-generic, containerd 2.2.0, v1.36.1 pass, but not node-x, node-y';
  const cwd = directoryWith({ 'report.json': JSON.stringify(INCONSISTENT_REPORT) });
  const told = (...args: readonly string[]): string => userns(['report', 'report.json', ...args], { cwd }).stdout;

  test('are named in every format', () => {
    expect(told()).toContain(`  nodes: ${WHY}\n`);
    expect(told('-o', 'markdown')).toContain(`- userns-rollout nodes: ${WHY}.`);
    expect(told('-o', 'html')).toContain(`<div class="dim">${WHY}.</div>`);
    expect(told('-o', 'oscal')).toContain('but not node-x, node-y.');
    expect((JSON.parse(told('-o', 'json')) as { inconsistencies: unknown }).inconsistencies).toEqual([
      {
        profile: 'userns-rollout',
        control: 'nodes',
        rule: 'user-namespace-limit',
        kind: 'Node',
        group: 'Ubuntu 24.04.3 LTS, 6.8.0-88-generic, containerd 2.2.0, v1.36.1',
        majority: 'pass',
        deviating: ['node-x', 'node-y'],
      },
    ]);
  });

  test('many are counted, and the JSON report has all', () => {
    const [first] = INCONSISTENT_REPORT.nodes;
    const short = INCONSISTENT_REPORT.nodes.find(({ name }) => name === 'node-x');
    const nodes = Array.from({ length: 100 }, (_, index) => ({
      name: `node-${String(index).padStart(3, '0')}`,
      status: (index < 30 ? short : first)?.status,
    }));
    const many = directoryWith({ 'report.json': JSON.stringify({ ...INCONSISTENT_REPORT, nodes }) });
    const text = (...args: readonly string[]): string =>
      userns(['report', 'report.json', ...args], { cwd: many }).stdout;
    expect(text()).toMatch(/but not node-000, node-001, node-002, node-003, node-004 and 25 more$/m);
    expect(text('-o', 'html')).toMatch(/node-019 and 10 more\.</);
    const { inconsistencies } = JSON.parse(text('-o', 'json')) as {
      inconsistencies: readonly { deviating: readonly string[] }[];
    };
    expect(inconsistencies[0]?.deviating).toHaveLength(30);
  });

  test('that are not in the report have no names, and the report says so', () => {
    const nodes = INCONSISTENT_REPORT.nodes.slice(0, 3);
    const few = directoryWith({ 'report.json': JSON.stringify({ ...INCONSISTENT_REPORT, nodes }) });
    const { stdout } = userns(['report', 'report.json'], { cwd: few });
    expect(stdout).toContain('nodes: nodes that should be alike differ; those of this report do not');
  });

  test('are left out with all compliance where a part of the cluster is asked for', () => {
    for (const output of ['table', 'markdown', 'html', 'json'])
      expect(told('--node', 'node-*', '-o', output)).not.toMatch(/should be alike|but not node-x|compliancePercent/);
    const { code, stderr } = userns(['report', 'report.json', '--node', 'node-a', '-o', 'oscal'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('a part of the cluster (--namespace, --node) has none');
  });
});

const missing = trestleMissing();
if (missing !== undefined && process.env['CI'] === 'true') throw new Error(missing);
const withTrestle = missing === undefined ? test : test.skip;

withTrestle.each([
  ['mixed', MIXED_REPORT, 2],
  ['inconsistent', INCONSISTENT_REPORT, 1],
  ['of 400 nodes', largeReport(400, 40), 2],
  ['hostile', hostileReport('a\u0000b\u001b[31mred\u202e </x> '), 2],
])(
  `trestle reads the OSCAL of a report that is %s${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  (_, document, results) => {
    const cwd = directoryWith({ 'report.json': JSON.stringify(withProfilesOf(document)) });
    const { stdout, stderr, code } = userns(['report', 'report.json', '-o', 'oscal'], { cwd });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(readByTrestle(stdout)).toEqual({ results });
  },
);

/** Ids of profiles and of their controls are no text of anybody's: a hostile name among them is no profile. */
function withProfilesOf(report: typeof MIXED_REPORT): typeof MIXED_REPORT {
  const { policy } = report;
  const ids = new Set(MIXED_REPORT.policy?.status.profiles?.map(({ id }) => id));
  if (!policy || policy.status.profiles?.some(({ id }) => ids.has(id)) === true) return report;
  const { profiles = [] } = MIXED_REPORT.policy?.status ?? {};
  return { ...report, policy: { ...policy, status: { ...policy.status, profiles } } };
}

test.each(HOSTILE_NAMES)('%j can not speak to a terminal', (name) => {
  const cwd = directoryWith({ 'hostile.json': JSON.stringify(hostileReport(name)) });
  for (const output of ['table', 'json', 'markdown']) {
    const { stdout } = userns(['report', 'hostile.json', '-o', output], { cwd });
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
    if (output === 'markdown') expect(stdout).not.toMatch(/<(?:script|img|svg)/);
  }
});

describe('docs/report.md', () => {
  const blocks = [...DOCUMENT.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);

  test('its commands end as it says', () => {
    const kubectl = `kubectl() { cat nodes.json; }\n`;
    let commands = 0;
    for (const block of blocks) {
      const cwd = directoryWith(texts);
      for (const command of block.split('\n').filter((line) => line !== '')) {
        const expected = Number(/exits (\d)/.exec(command)?.[1] ?? 0);
        const { code, stderr } = bash(kubectl + command, { cwd });
        expect({ command, code, stderr: expected === 2 ? '' : stderr }).toEqual({
          command,
          code: expected,
          stderr: '',
        });
        commands += 1;
      }
      if (block.includes('report.html')) expect(filesIn(cwd)).toContain('report.html');
    }
    expect(commands).toBeGreaterThan(12);
  });

  test('its links lead somewhere', () => {
    for (const [, link = ''] of DOCUMENT.matchAll(/\]\(([^)#:]+)\)/g))
      expect(existsSync(join(import.meta.dirname, '../../docs', link)) ? '' : link).toBe('');
  });
});

test('a machine has such a page, too', () => {
  const { stdout } = userns(['node', '-o', 'html', '--fail-on', 'never'], { cwd: '/' });
  expect(stdout).toMatch(/^<!doctype html>[\s\S]*private user namespaces[\s\S]*<\/html>\n$/);
});
