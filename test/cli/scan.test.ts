import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { bash, directoryWith, filesIn, sampleRepository, userns } from './scan-cli.ts';

const POD = (extra: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n${extra}  containers:\n    - name: c\n      image: i\n      securityContext: { runAsNonRoot: true, runAsUser: 1000 }\n`;
const HOST_PID = POD('  hostPID: true\n');
const CLEAN = POD('  hostUsers: false\n');

interface Report {
  readonly findings: readonly {
    readonly rule: string;
    readonly place: { readonly file: string; readonly line: number };
  }[];
}

function places(stdout: string): readonly string[] {
  return (JSON.parse(stdout) as Report).findings.map(({ rule, place }) => `${place.file}:${place.line} ${rule}`);
}

describe('exit codes', () => {
  test('a report that can not be written is no finding', () => {
    const directory = directoryWith({ 'a.yaml': HOST_PID });
    for (const command of ['scan a.yaml', 'scan a.yaml -o json', 'fix a.yaml --rule host-pid-namespace']) {
      const { code, stderr } = bash(`userns-audit ${command} > /dev/full`, { cwd: directory });
      expect({ code, stderr }).toEqual({ code: 2, stderr: 'error: ENOSPC: no space left on device, write\n' });
    }
  });

  test.each([
    ['clean', { 'a.yaml': CLEAN }, ['.'], 0],
    ['nothing to judge', { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' }, ['.'], 0],
    ['findings', { 'a.yaml': HOST_PID }, ['.'], 1],
    ['findings below the floor', { 'a.yaml': POD('') }, ['.'], 0],
    ['findings at a lower floor', { 'a.yaml': POD('') }, ['.', '--fail-on', 'medium'], 1],
    ['findings that never fail', { 'a.yaml': HOST_PID }, ['.', '--fail-on', 'never'], 0],
    ['unparsable', { 'a.yaml': 'kind: Pod\n\tx: [' }, ['.'], 2],
    ['unparsable and findings', { 'a.yaml': 'kind: Pod\n  x: [', 'b.yaml': HOST_PID }, ['.'], 2],
    ['unparsable but allowed', { 'a.yaml': 'kind: Pod\n  x: [' }, ['.', '--allow-unparsable'], 0],
    [
      'unparsable but allowed, and findings',
      { 'a.yaml': 'kind: Pod\n  x: [', 'b.yaml': HOST_PID },
      ['.', '--allow-unparsable'],
      1,
    ],
    ['unparsable but excluded', { 'a.yaml': 'kind: Pod\n  x: [', 'b.yaml': CLEAN }, ['.', '--exclude', 'a.yaml'], 0],
    ['a template', { 'a.yaml': '{{ if .Values.x }}\nkind: Pod\n{{ end }}\n' }, ['.'], 2],
    ['a missing file', {}, ['no.yaml'], 2],
    ['a missing file is not allowed away', {}, ['no.yaml', '--allow-unparsable'], 2],
    ['no path', {}, [], 2],
    ['a bad option', {}, ['.', '--nope'], 2],
    ['a bad format', {}, ['.', '-o', 'xml'], 2],
    ['a bad severity', {}, ['.', '--fail-on', 'bad'], 2],
    ['an unknown rule', {}, ['.', '--rule', 'host-pid'], 2],
    ['an unknown profile', {}, ['.', '--profile', 'nope'], 2],
    ['a bad version', {}, ['.', '--kubernetes-version', 'latest'], 2],
    ['a bad pod spec path', {}, ['.', '--pod-spec-path', 'nope'], 2],
    ['a missing policy', {}, ['.', '--policy', 'no.yaml'], 2],
    ['a missing baseline', {}, ['.', '--baseline', 'no.json'], 2],
    ['an update without a baseline', {}, ['.', '--update-baseline'], 2],
    ['two whole documents on standard output', {}, ['.', '-o', 'json', '-o', 'sarif'], 2],
  ] as const)('%s', (_, files, args, expected) => {
    const { code, stdout, stderr } = userns(['scan', ...args], { cwd: directoryWith(files) });
    expect({ code, said: (stdout + stderr).length > 0 }).toEqual({ code: expected, said: true });
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  test('an unknown rule names those that are near', () => {
    const { stderr } = userns(['scan', '.', '--rule', 'host-pid'], { cwd: directoryWith({}) });
    expect(stderr).toContain('did you mean host-pid-namespace?');
  });

  test('what could not be judged is named with its line', () => {
    const cwd = directoryWith({
      'a.yaml': CLEAN,
      'b.yaml': 'apiVersion: v1\nkind: Pod\nspec:\n  hostPID: false\n  hostPID: true\n',
    });
    const { stdout } = userns(['scan', '.'], { cwd });
    expect(stdout).toMatch(/NOT JUDGED\n {2}b\.yaml:5:3 {2}unparsable {2}.*hostPID/i);
  });
});

describe('inputs', () => {
  test('standard input', () => {
    const { code, stdout } = userns(['scan', '-', '-o', 'json'], { cwd: directoryWith({}), input: HOST_PID });
    expect(code).toBe(1);
    expect(places(stdout)[0]).toBe('<stdin>:6 host-pid-namespace');
  });

  test('a custom resource by its path', () => {
    const cwd = directoryWith({
      'a.yaml':
        'apiVersion: example.com/v1\nkind: MyApp\nmetadata: {name: m}\nspec:\n  pod:\n    hostPID: true\n    containers: []\n',
    });
    expect(userns(['scan', '.'], { cwd }).code).toBe(0);
    const { stdout } = userns(['scan', '.', '--pod-spec-path', 'MyApp=spec.pod', '-o', 'json'], { cwd });
    expect(places(stdout)).toContain('a.yaml:6 host-pid-namespace');
  });

  test('.gitignore, and what it takes to read what it names', () => {
    const cwd = directoryWith({ '.gitignore': 'gen/\n', 'gen/a.yaml': HOST_PID, 'b.yaml': CLEAN });
    expect(userns(['scan', '.'], { cwd }).code).toBe(0);
    expect(userns(['scan', '.', '--no-gitignore'], { cwd }).code).toBe(1);
  });

  test('a chart through helm, with --values and --set', () => {
    const cwd = directoryWith({
      'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
      'chart/templates/pod.yaml': 'kind: Pod\nspec: {{ .Values.x }}\n',
      'values.yaml': 'x: 1\n',
      'bin/helm': `#!/bin/sh\nprintf '%s\\n' "$@" > "$HOME/arguments"\nprintf -- '---\\n# Source: web/templates/pod.yaml\\n'\ncat <<'E'\n${HOST_PID}E\n`,
    });
    chmodSync(join(cwd, 'bin/helm'), 0o755);
    const env = { PATH: `${join(cwd, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: cwd };
    const flags = ['--values', 'values.yaml', '--set', 'a=b,c=d', '-o', 'json'];
    const { stdout, code } = userns(['scan', 'chart', '--rule', 'host-pid-namespace', ...flags], { cwd, env });
    expect(code).toBe(1);
    expect(places(stdout)).toEqual([expect.stringContaining('host-pid-namespace')]);
    const given = readFileSync(join(cwd, 'arguments'), 'utf8');
    expect(given).toMatch(/values\.yaml\n/);
    expect(given).toContain('a=b,c=d\n');
    expect(userns(['scan', 'chart', '--no-render'], { cwd, env }).code).toBe(2);
  });

  test('YAML 1.1: hostPID: yes is true', () => {
    const cwd = directoryWith({ 'a.yaml': POD('  hostPID: yes\n') });
    expect(userns(['scan', 'a.yaml', '--rule', 'host-pid-namespace'], { cwd }).code).toBe(1);
  });
});

describe('rules', () => {
  const files = { 'a.yaml': HOST_PID };
  test.each([
    [['--rule', 'host-pid-namespace'], ['a.yaml:6 host-pid-namespace']],
    [['--rule', 'user-namespace'], ['a.yaml:5 user-namespace']],
    [['--skip-rule', 'host-pid-namespace,user-namespace', '--skip-rule', 'root-in-host-user-namespace'], []],
  ] as const)('%j', (args, expected) => {
    const { stdout } = userns(['scan', '.', '-o', 'json', ...args], { cwd: directoryWith(files) });
    expect(places(stdout)).toEqual(expected);
  });

  test('a policy switches rules off, weighs them and accepts findings', () => {
    const policy = (spec: string): string =>
      `apiVersion: userns-audit.dev/v1alpha1\nkind: AuditPolicy\nmetadata: {name: cluster}\nspec:\n${spec}`;
    const cwd = directoryWith({
      ...files,
      'off.policy': policy('  rules: [{id: host-pid-namespace, enabled: false}]\n'),
      'mild.policy': policy('  rules: [{id: host-pid-namespace, severity: low}]\n'),
      'accept.policy': policy(
        '  exceptions: [{rules: [host-pid-namespace], files: ["a.yaml"], reason: it is an agent}]\n',
      ),
      'broken.policy': policy('  exceptions:\n    - rules: [host-pid-namespace]\n      files: ["a.yaml"]\n'),
      'unparsable.policy': 'spec: [',
    });
    const code = (name: string): number =>
      userns(['scan', 'a.yaml', '--rule', 'host-pid-namespace', '--policy', name], { cwd }).code;
    expect(code('mild.policy')).toBe(0);
    expect(code('accept.policy')).toBe(0);
    expect(code('unparsable.policy')).toBe(2);
    expect(userns(['scan', 'a.yaml', '--policy', 'off.policy', '-o', 'json'], { cwd }).stdout).not.toContain(
      '"host-pid-namespace"',
    );
    const broken = userns(['scan', 'a.yaml', '--policy', 'broken.policy'], { cwd });
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain('broken.policy:6:');
    expect(broken.stderr).toContain('spec.exceptions[0].reason');
  });

  test('a waiver as a comment and as an annotation; an unused one is remarked upon', () => {
    const waived = POD('  hostPID: true # userns-audit: waive host-pid-namespace: profiler\n');
    const annotated = HOST_PID.replace(
      'name: p\n',
      'name: p\n  annotations:\n    userns-audit.dev/waive: "host-pid-namespace: profiler"\n',
    );
    for (const text of [waived, annotated]) {
      const { code, stdout } = userns(['scan', '.', '--rule', 'host-pid-namespace'], {
        cwd: directoryWith({ 'a.yaml': text }),
      });
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('1 accepted') as unknown });
    }
    const unused = CLEAN.replace(
      'hostUsers: false',
      'hostUsers: false # userns-audit: waive host-pid-namespace: no need',
    );
    const { code, stdout } = userns(['scan', '.'], { cwd: directoryWith({ 'a.yaml': unused }) });
    expect(code).toBe(0);
    expect(stdout).toMatch(/REMARKS\n {2}a\.yaml:6:\d+ {2}unused-waiver/);
  });

  test('an unused waiver on standard input is remarked upon as well', () => {
    const unused = CLEAN.replace(
      'hostUsers: false',
      'hostUsers: false # userns-audit: waive host-pid-namespace: no need',
    );
    expect(userns(['scan', '-'], { cwd: directoryWith({}), input: unused }).stdout).toContain('unused-waiver');
  });
});

describe('the baseline', () => {
  test('first run, update, clean, something new', () => {
    const cwd = sampleRepository();
    const scan = (...args: string[]): number => userns(['scan', '.', '--baseline', 'base.json', ...args], { cwd }).code;
    expect(scan()).toBe(2);
    expect(userns(['scan', '.'], { cwd }).code).toBe(1);
    expect(scan('--update-baseline')).toBe(0);
    expect(scan('--fail-on', 'info')).toBe(0);
    const moved = join(cwd, 'deploy/agent.yaml');
    writeFileSync(moved, `# one line more\n${readFileSync(moved, 'utf8')}`);
    expect(scan('--fail-on', 'info')).toBe(0);
    writeFileSync(join(cwd, 'new.yaml'), HOST_PID);
    expect(scan()).toBe(1);
    const { stdout } = userns(['scan', '.', '--baseline', 'base.json', '-o', 'github'], { cwd });
    expect(stdout.match(/file=[^,]+/g)?.every((file) => file === 'file=new.yaml')).toBe(true);
  });

  test('what is mended is named and dropped, what was not scanned is kept', () => {
    const cwd = sampleRepository();
    const run = (...args: string[]): ReturnType<typeof userns> =>
      userns(['scan', ...args, '--baseline', 'base.json'], { cwd });
    run('.', '--update-baseline');
    const before = (JSON.parse(readFileSync(join(cwd, 'base.json'), 'utf8')) as { findings: unknown[] }).findings
      .length;
    const agent = join(cwd, 'deploy/agent.yaml');
    writeFileSync(agent, readFileSync(agent, 'utf8').replace('      hostPID: true # for process names\n', ''));
    expect(run('.').stdout).toMatch(/base\.json {2}1 finding of it is gone/);
    const update = run('deploy', '--update-baseline');
    expect(update).toMatchObject({ code: 0, stderr: `base.json: ${before - 1} findings accepted, 0 new, 1 dropped\n` });
    expect(run('.', '--fail-on', 'info').code).toBe(0);
  });

  test('an update with a blind spot says so', () => {
    const cwd = directoryWith({ 'a.yaml': HOST_PID, 'b.yaml': 'kind: Pod\nspec: [' });
    const { code, stderr } = userns(['scan', '.', '--baseline', 'base.json', '--update-baseline'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('not judged: b.yaml:2');
  });

  test.each([
    ['no JSON', '{'],
    ['no baseline', '{"kind": "x"}'],
  ])('%s is refused', (_, text) => {
    const cwd = directoryWith({ 'a.yaml': CLEAN, 'base.json.txt': text });
    const { code, stderr } = userns(['scan', 'a.yaml', '--baseline', 'base.json.txt'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: option '--baseline base\.json\.txt': /);
  });
});

describe('outputs', () => {
  test('several at once, each whole, and none left half written', () => {
    const cwd = sampleRepository();
    const outputs = ['sarif=out.sarif', 'junit=out.xml', 'gitlab=out.json', 'json=report.json', 'text'];
    const { code, stdout } = userns(['scan', 'deploy', ...outputs.flatMap((output) => ['-o', output])], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain('deploy/agent.yaml:14:7  HIGH     host-pid-namespace');
    for (const file of ['out.sarif', 'out.json', 'report.json'])
      expect(() => void JSON.parse(readFileSync(join(cwd, file), 'utf8'))).not.toThrow();
    expect(filesIn(cwd).filter((file) => file.includes('tmp'))).toEqual([]);
  });

  test('with files alone, the verdict still stands in the log', () => {
    const { stdout, stderr } = userns(['scan', 'deploy', '-o', 'json=report.json'], { cwd: sampleRepository() });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^FAILED {2}/);
  });

  test('a file that can not be written is no pass', () => {
    const cwd = directoryWith({ 'a.yaml': CLEAN });
    const { code, stderr } = userns(['scan', '.', '-o', 'json=no/such/directory.json'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('can not be written');
  });

  test('a file keeps its mode, and a link stays one', () => {
    const cwd = directoryWith({ 'a.yaml': CLEAN, 'real.json': 'old' });
    symlinkSync('real.json', join(cwd, 'link.json'));
    userns(['scan', 'a.yaml', '-o', 'json=link.json'], { cwd });
    expect(readFileSync(join(cwd, 'real.json'), 'utf8')).toContain('ScanReport');
    expect(statSync(join(cwd, 'link.json')).isFile()).toBe(true);
  });

  test('no format writes into the tree unasked', () => {
    const cwd = sampleRepository();
    const before = filesIn(cwd);
    userns(['scan', '.'], { cwd });
    expect(filesIn(cwd)).toEqual(before);
    expect(existsSync(join(cwd, '.userns-audit.json'))).toBe(false);
  });
});

test('what is kept of a workload is small', () => {
  const deployment = (index: number): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d${index}\nspec:\n  template:\n    spec:\n      containers:\n        - name: c\n          env:\n${Array.from({ length: 60 }, (_, name) => `            - {name: VARIABLE_${name}, value: "${index}"}\n`).join('')}`;
  const documents = Array.from({ length: 4000 }, (_, index) => deployment(index));
  const cwd = directoryWith({
    'a.yaml': documents.slice(0, 2000).join('---\n'),
    'b.yaml': documents.slice(2000).join('---\n'),
  });
  // Nodes and texts of all of them would take five times as much.
  const { code, stdout } = userns(['scan', '.'], { cwd, node: ['--max-old-space-size=64'] });
  expect(stdout).toContain('8,000 findings in 4,000 of 4,000 workloads');
  expect(code).toBe(0);
});

test('a file of more workloads than a call takes arguments', () => {
  const cwd = directoryWith({ 'a.yaml': 'kind: Pod\napiVersion: v1\nspec: {}\n---\n'.repeat(140_000) });
  const { code, stderr, stdout } = userns(['scan', '.', '--rule', 'host-pid-namespace', '--summary'], { cwd });
  expect(stderr).toBe('');
  expect(stdout).toContain('no finding in 140,000 workloads');
  expect(code).toBe(0);
});

describe('the issue’s own test', () => {
  test('a hostPID DaemonSet fails at its line in a pull request view', () => {
    const cwd = sampleRepository();
    const { stdout, code } = userns(['scan', '.', '-o', 'github'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::error file=deploy\/agent\.yaml,line=14,col=7,endColumn=\d+,title=host-pid-namespace/m);
    const [, line] = /deploy\/agent\.yaml,line=(\d+)/.exec(stdout) ?? [];
    expect(readFileSync(join(cwd, 'deploy/agent.yaml'), 'utf8').split('\n')[Number(line) - 1]).toContain(
      'hostPID: true',
    );
  });

  test('its baseline run passes, and fix --write adds hostUsers where it can', () => {
    const cwd = sampleRepository();
    userns(['scan', '.', '--baseline', 'base.json', '--update-baseline'], { cwd });
    expect(userns(['scan', '.', '--baseline', 'base.json'], { cwd }).code).toBe(0);
    const { code, stderr } = userns(['fix', '.', '--write'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('1 edit in 1 file written');
    expect(readFileSync(join(cwd, 'apps/shop.yaml'), 'utf8')).toMatch(/ {4}spec:\n {6}hostUsers: false\n/);
    expect(readFileSync(join(cwd, 'deploy/agent.yaml'), 'utf8')).not.toContain('hostUsers');
  });
});
