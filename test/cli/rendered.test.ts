import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { requireHelm } from '../helm/helm.ts';
import { requireControlPlane } from '../control-plane/control-plane.ts';
import { type Outcome, directoryWith, emptyDirectory, userns } from './scan-cli.ts';

/** Charts and kustomizations through the real helm and kubectl, as a user runs them. */

const FIXTURES = join(import.meta.dirname, '../fixtures/rendered');

function copy(name: string): string {
  const directory = emptyDirectory();
  cpSync(join(FIXTURES, name), join(directory, name), { recursive: true });
  return directory;
}

interface Report {
  readonly findings: readonly {
    readonly rule: string;
    readonly subject: { readonly kind: string; readonly name: string };
    readonly place: { readonly file: string; readonly line: number };
  }[];
  readonly problems: readonly {
    readonly kind: string;
    readonly message: string;
    readonly fatal: boolean;
    readonly place: { readonly file: string; readonly line: number };
  }[];
  readonly summary: { readonly workloads: number; readonly clean: number };
}

function reportOf({ stdout, stderr }: Outcome): Report {
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Report;
}

/** `rule kind name file:line`, and the text of that line, which is what a reviewer sees. */
function told(directory: string, report: Report): readonly string[] {
  return report.findings.map(({ rule, subject, place }) => {
    const line = readFileSync(join(directory, place.file), 'utf8').split('\n')[place.line - 1];
    return `${rule} ${subject.kind} ${subject.name} ${place.file}: ${line?.trim() ?? ''}`;
  });
}

const helm = requireHelm();

('skipped' in helm ? describe.skip : describe)('a chart, by helm', () => {
  const env = { PATH: 'helm' in helm ? dirname(helm.helm) : '' };

  function scan(directory: string, ...args: readonly string[]): Outcome {
    return userns(['scan', '.', '-o', 'json', ...args], { cwd: directory, env: { ...env, HOME: directory } });
  }

  test('by its own values has no host namespace', () => {
    const directory = copy('chart');
    const outcome = scan(directory);
    expect(outcome.code).toBe(0);
    expect(told(directory, reportOf(outcome))).toEqual([
      'user-namespace Pod side chart/charts/side/templates/pod.yaml: spec:',
      'user-namespace DaemonSet release-name-agent chart/templates/daemonset.yaml: spec:',
    ]);
  });

  test('by --set and --values is told at the lines of the templates, of a subchart and around a helper too', () => {
    const directory = copy('chart');
    writeFileSync(join(directory, 'prod.yml'), 'name: prod\nprivileged: true\nside:\n  hostNetwork: true\n');
    const outcome = scan(directory, '--values', 'prod.yml', '--set', 'hostPID=true', '--exclude', 'prod.yml');
    expect(outcome.code).toBe(1);
    expect(told(directory, reportOf(outcome)).filter((line) => !line.startsWith('user-namespace'))).toEqual([
      'privileged-in-host-user-namespace DaemonSet release-name-prod chart/templates/daemonset.yaml: securityContext:',
      'host-network-namespace Pod side chart/charts/side/templates/pod.yaml: hostNetwork: {{ .Values.hostNetwork }}',
      'host-pid-namespace DaemonSet release-name-prod chart/templates/daemonset.yaml: hostPID: true',
    ]);
  });

  test('with several objects in a template tells of each in its own part', () => {
    const directory = copy('chart');
    const job = (name: string): string =>
      `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      hostIPC: true\n      containers: [{name: c}]\n`;
    const pod = job('p')
      .replace('batch/v1', 'apps/v1')
      .replace('Job', 'DaemonSet')
      .replace(' p\n', ' {{ .Release.Name }}\n');
    writeFileSync(join(directory, 'chart/templates/more.yaml'), [job('one'), pod, job('two')].join('---\n'));
    const { findings } = reportOf(scan(directory, '--rule', 'host-ipc-namespace'));
    expect(findings.map(({ subject, place }) => [subject.name, place.line])).toEqual([
      ['one', 8],
      ['release-name', 18],
      ['two', 28],
    ]);
  });

  test('that takes hostUsers from its values is clean with them', () => {
    const directory = copy('chart');
    expect(told(directory, reportOf(scan(directory, '--set', 'hostUsers=false')))).toEqual([
      'user-namespace Pod side chart/charts/side/templates/pod.yaml: spec:',
    ]);
  });

  test('is rendered for the version that is judged for', () => {
    const directory = copy('chart');
    const file = join(directory, 'chart/Chart.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}kubeVersion: ">=1.33.0-0"\n`);
    expect(scan(directory, '--kubernetes-version', '1.33').code).toBe(0);
    const outcome = scan(directory, '--kubernetes-version', '1.30');
    expect(outcome.code).toBe(2);
    expect(reportOf(outcome).problems[0]?.message).toMatch(/chart requires kubeVersion: >=1\.33\.0-0/);
  });

  test('with a packed subchart tells of it at the chart', () => {
    const directory = copy('chart');
    const charts = join(directory, 'chart/charts');
    const packed = spawnSync('helm', ['package', 'side'], { cwd: charts, env: { ...env, HOME: directory } });
    expect(packed.status).toBe(0);
    rmSync(join(charts, 'side'), { recursive: true });
    const { findings } = reportOf(scan(directory, '--set', 'side.hostNetwork=true'));
    expect(findings.find(({ rule }) => rule === 'host-network-namespace')).toMatchObject({
      subject: { name: 'side' },
      place: { file: 'chart/Chart.yaml', line: 1 },
    });
  });

  test('that does not render fails the run with the words of helm', () => {
    const directory = copy('chart');
    writeFileSync(join(directory, 'chart/templates/broken.yaml'), '{{ required "give a name" .Values.missing }}\n');
    const outcome = scan(directory);
    expect(outcome.code).toBe(2);
    expect(reportOf(outcome).problems).toMatchObject([
      { kind: 'unparsable', fatal: true, message: expect.stringContaining('give a name'), place: { file: 'chart' } },
    ]);
  });

  test('is never edited: fix names the value', () => {
    const directory = copy('chart');
    const { code, stdout, stderr } = userns(['fix', '.'], { cwd: directory, env: { ...env, HOME: directory } });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/DaemonSet release-name-agent: hostUsers .*set hostUsers to false in chart\/values\.yaml/);
  });
});

const kubectl = requireControlPlane();

('skipped' in kubectl ? describe.skip : describe)('kustomizations, by kubectl', () => {
  /** Nothing but kubectl. */
  function path(): string {
    const directory = emptyDirectory();
    if ('kubectl' in kubectl) symlinkSync(kubectl.kubectl, join(directory, 'kubectl'));
    return directory;
  }
  const env = { PATH: path() };

  function scan(directory: string, paths: readonly string[], ...args: readonly string[]): Outcome {
    return userns(['scan', ...paths, '-o', 'json', ...args], { cwd: directory, env: { ...env, HOME: directory } });
  }

  const FINDINGS = [
    'privileged-in-host-user-namespace Deployment shop kustomize/overlays/prod/host.yaml: privileged: true',
    'host-ipc-namespace Deployment shop kustomize/component/ipc.yaml: hostIPC: true',
    'host-network-namespace Deployment shop kustomize/overlays/inline/kustomization.yaml: resources:',
    'host-pid-namespace Deployment shop kustomize/overlays/prod/host.yaml: hostPID: true',
    'user-namespace Deployment shop kustomize/base/deployment.yaml: spec:',
  ];

  test('that are met are built where they change something, and each finding is told once, at the line that makes it', () => {
    const directory = copy('kustomize');
    const outcome = scan(directory, ['.']);
    expect(outcome.code).toBe(1);
    const report = reportOf(outcome);
    expect(told(directory, report)).toEqual(FINDINGS);
    expect(report.problems).toEqual([]);
    expect(report.summary.clean).toBe(0);
  });

  test('that are named are built with what lies outside', () => {
    const directory = copy('kustomize');
    const report = reportOf(scan(directory, ['kustomize/overlays/prod']));
    expect(told(directory, report)).toEqual([FINDINGS[0], FINDINGS[3], FINDINGS[4]?.replace(' shop ', ' prod-shop ')]);
  });

  test('that mend their base are judged by what they make of it', () => {
    const directory = copy('kustomize');
    writeFileSync(
      join(directory, 'kustomize/overlays/inline/kustomization.yaml'),
      'resources: [../../base]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: add, path: /spec/template/spec/hostUsers, value: false}\n',
    );
    expect(reportOf(scan(directory, ['kustomize/overlays/inline'])).findings).toEqual([]);
  });

  test('with --no-render are read as their files', () => {
    const directory = copy('kustomize');
    expect(told(directory, reportOf(scan(directory, ['.'], '--no-render')))).toEqual([
      'privileged-in-host-user-namespace Deployment shop kustomize/overlays/prod/host.yaml: privileged: true',
      FINDINGS[1],
      'host-pid-namespace Deployment shop kustomize/overlays/prod/host.yaml: hostPID: true',
      FINDINGS[4],
    ]);
  });

  test('whose build fails fail the run, with the words of kustomize', () => {
    const directory = copy('kustomize');
    writeFileSync(
      join(directory, 'kustomize/overlays/prod/host.yaml'),
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\n',
    );
    const outcome = scan(directory, ['.']);
    expect(outcome.code).toBe(2);
    expect(reportOf(outcome).problems).toMatchObject([
      {
        kind: 'unparsable',
        fatal: true,
        message: expect.stringMatching(/^kubectl kustomize failed: .*no matches for/),
      },
    ]);
  });

  test('built from what is not here are named, not fetched', () => {
    const directory = directoryWith({
      'a/kustomization.yaml': 'resources:\n- https://example.invalid/base.yaml\n',
      'b/kustomization.yaml': 'resources: [../a]\npatches:\n- path: p.yaml\n',
      'b/p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {spec: {hostPID: true}}}\n',
      'flux/kustomization.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\nspec: {patches: [{patch: x}]}\n',
    });
    const outcome = scan(directory, ['.']);
    expect(outcome.code).toBe(2);
    const report = reportOf(outcome);
    expect(report.problems.map(({ kind, place }) => `${kind} ${place.file}:${place.line}`)).toEqual([
      'unparsable a/kustomization.yaml:2',
      'unparsable a/kustomization.yaml:2',
    ]);
    expect(report.problems[0]?.message).toMatch(/https:\/\/example\.invalid\/base\.yaml, which is not on this machine/);
    expect(report.findings.map(({ rule, place }) => `${rule} ${place.file}`)).toEqual(['host-pid-namespace b/p.yaml']);
  });
});

describe('without the tools', () => {
  const env = { PATH: '/nowhere' };

  test('a kustomization that changes nothing is read by its files, one that does fails the run', () => {
    const directory = copy('kustomize');
    const outcome = userns(['scan', '.', '-o', 'json'], { cwd: directory, env });
    expect(outcome.code).toBe(2);
    expect(reportOf(outcome).problems.map(({ kind, place }) => `${kind} ${place.file}`)).toEqual([
      'tool-missing kustomize/overlays/inline',
      'tool-missing kustomize/overlays/late',
      'tool-missing kustomize/overlays/prod',
    ]);
    const only = ['kustomize/base', 'kustomize/overlays/same'].flatMap((path) => ['--exclude', `!${path}/`]);
    const args = ['scan', '.', '-o', 'json', '--exclude', 'kustomize/overlays/*', '--exclude', 'component', ...only];
    expect(userns(args, { cwd: directory, env }).code).toBe(0);
  });

  test('a patch that is named alone is no whole pod', () => {
    const directory = copy('kustomize');
    const { stdout } = userns(['scan', 'kustomize/overlays/prod/host.yaml', '-o', 'json'], { cwd: directory, env });
    expect((JSON.parse(stdout) as Report).findings.map(({ rule }) => rule)).toEqual([
      'privileged-in-host-user-namespace',
      'host-pid-namespace',
    ]);
  });
});
