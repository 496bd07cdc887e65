import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { parse } from 'yaml';
import type { NodeReport } from '../../src/report/node-report.ts';
import { buildWhenStale, hostRoot, run, runInBash, runOnTerminal } from './command-line.ts';

beforeAll(buildWhenStale);

const HOSTS = readdirSync(new URL('../fixtures/hosts/', import.meta.url), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

const audit = (host: string, ...args: readonly string[]): string =>
  run(['node', '--host-root', hostRoot(host), ...args]).stdout;

/** A witness that shares no code with the program; without PyYAML the parser the program itself brings must do. */
const hasPyYaml = spawnSync('python3', ['-c', 'import yaml'], { stdio: 'ignore' }).status === 0;

function readYaml(text: string): unknown {
  if (!hasPyYaml) return parse(text);
  const program = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)';
  const { stdout, stderr } = spawnSync('python3', ['-c', program], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe.each(HOSTS)('the report of the host %s', (host) => {
  test(`is the same as YAML and as JSON, read by ${hasPyYaml ? 'PyYAML' : 'yaml (PyYAML is not installed)'}`, () => {
    expect(readYaml(audit(host, '-o', 'yaml'))).toEqual(JSON.parse(audit(host, '-o', 'json')));
  });

  test('holds no control character in any format', () => {
    for (const format of ['table', 'wide', 'json', 'yaml']) {
      expect(audit(host, '-o', format)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    }
  });

  test('turns no text around for a person who reads it', () => {
    for (const format of ['table', 'wide'])
      expect(audit(host, '-o', format)).not.toMatch(/[\u2028-\u202e\u2066-\u2069]/);
  });

  test('does not change between two runs', () => {
    expect(audit(host, '-o', 'json')).toBe(audit(host, '-o', 'json'));
  });
});

describe('the JSON report', () => {
  const report = JSON.parse(
    run(['node', '--host-root', hostRoot('ubuntu-24.04-kubeadm'), '-o', 'json']).stdout,
  ) as NodeReport;

  test('names its kind and sums up', () => {
    expect(report).toMatchObject({
      apiVersion: 'userns-audit.dev/v1alpha1',
      kind: 'NodeReport',
      readiness: { status: 'READY', engine: 'Kubernetes', reasons: [] },
      summary: { containers: 9, userNamespaces: { private: 3, host: 6, unknown: 0 } },
    });
  });

  test('counts every finding once', () => {
    const counted = Object.values(report.summary.findings).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(report.findings.length);
  });

  test('lists failures first', () => {
    const order = ['fail', 'unknown', 'pass', 'not-applicable'];
    const ranks = report.findings.map(({ status }) => order.indexOf(status));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  });

  test('shows every container by its namespaces', () => {
    const vectors = report.containers.map(({ vector }) => vector);
    expect(vectors.filter((vector) => vector.startsWith('U'))).toHaveLength(3);
    expect(vectors.every((vector) => /^[U-][p-][n-][i-][u-]m[C-][T-]$/.test(vector))).toBe(true);
  });
});

describe('the table', () => {
  test('in its wide form adds what passed, the evidence, and whose the containers are', () => {
    const [narrow, wide] = [audit('openshift-4.20-crio'), audit('openshift-4.20-crio', '-o', 'wide')];
    for (const part of ['STARTED BY', 'conmon', 'PASS', '/proc/2201/ns/user: user:[4026532700], its own']) {
      expect(narrow).not.toContain(part);
      expect(wide).toContain(part);
    }
  });

  test('has no trailing blanks', () => {
    // In the hostile host's own texts a control character became one.
    for (const host of HOSTS.filter((name) => name !== 'hostile')) expect(audit(host)).not.toMatch(/ $/m);
  });
});

describe('colors', () => {
  const args = ['node', '--host-root', hostRoot('rhel-7.3-docker')];

  test('are used on a terminal', () => {
    const { stdout, exitCode } = runOnTerminal(args);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('\x1b[31m');
    expect(stdout).toContain('\x1b[1m');
  });

  test('change nothing but colors', () => {
    const onTerminal = runOnTerminal(args)
      .stdout.replace(/\x1b\[\d+m/g, '')
      .replaceAll('\r\n', '\n');
    expect(onTerminal).toBe(run(args).stdout);
  });

  test('are not used with NO_COLOR', () => {
    expect(runOnTerminal(args, { NO_COLOR: '1' }).stdout).not.toContain('\x1b[');
  });

  test('are not used on a dumb terminal', () => {
    expect(runOnTerminal(args, { TERM: 'dumb' }).stdout).not.toContain('\x1b[');
  });

  test('are not used in a pipe', () => {
    expect(run(args).stdout).not.toContain('\x1b[');
  });

  test('are never used in JSON', () => {
    expect(runOnTerminal([...args, '-o', 'json']).stdout).not.toContain('\x1b[');
  });
});

describe('a reader that has seen enough', () => {
  test('is no error', () => {
    const root = hostRoot('ubuntu-24.04-kubeadm');
    const line = `userns-audit node --host-root '${root}' -o json | head -1; echo "\${PIPESTATUS[0]}"`;
    expect(runInBash(line)).toEqual({ exitCode: 0, stdout: '{\n0\n', stderr: '' });
  });
});
