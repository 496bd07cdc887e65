import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { directoryWith, filesIn, sampleRepository, userns } from './scan-cli.ts';

describe('fix', () => {
  test('prints a patch that git applies, and writes nothing', () => {
    const cwd = sampleRepository();
    const before = readFileSync(join(cwd, 'apps/shop.yaml'), 'utf8');
    const { code, stdout, stderr } = userns(['fix', '.'], { cwd });
    expect(code).toBe(0);
    expect(readFileSync(join(cwd, 'apps/shop.yaml'), 'utf8')).toBe(before);
    expect(stdout).toContain('--- a/apps/shop.yaml\n+++ b/apps/shop.yaml\n@@ ');
    expect(stdout.match(/^\+ .*$/gm)).toEqual(['+      hostUsers: false']);
    expect(stderr).toContain('1 edit in 1 file; --write applies it');
    execFileSync('git', ['apply', '--unsafe-paths', '-'], { cwd, input: stdout });
    const patched = readFileSync(join(cwd, 'apps/shop.yaml'), 'utf8');
    expect(userns(['fix', '.', '--write'], { cwd }).stderr).toContain('nothing to edit');
    expect(readFileSync(join(cwd, 'apps/shop.yaml'), 'utf8')).toBe(patched);
  });

  test('says of every other workload what speaks against it', () => {
    const { stderr } = userns(['fix', '.'], { cwd: sampleRepository() });
    expect(stderr).toMatch(
      /by hand {5}deploy\/agent\.yaml:\d+:\d+ {2}DaemonSet monitoring\/agent: user-namespace is left as it is: .*hostPID/,
    );
    expect(stderr).toMatch(/apps\/batch\.json:\d+:\d+ {2}CronJob shop\/report: .*hostNetwork/);
  });

  test('drops host namespaces only when asked, and adopts what that frees', () => {
    const cwd = sampleRepository();
    userns(['fix', '.', '--write', '--rule', 'host-pid-namespace,user-namespace'], { cwd });
    const agent = readFileSync(join(cwd, 'deploy/agent.yaml'), 'utf8');
    expect(agent).not.toContain('hostPID');
    expect(agent).toContain('hostUsers: false');
    expect(userns(['scan', 'deploy', '--fail-on', 'info'], { cwd }).code).toBe(0);
  });

  test('mends a Compose file', () => {
    const cwd = sampleRepository();
    expect(userns(['fix', 'docker', '--write', '--rule', 'host-network-namespace'], { cwd }).code).toBe(0);
    expect(readFileSync(join(cwd, 'docker/compose.yaml'), 'utf8')).not.toContain('network_mode');
  });

  test('leaves alone what is waived, set on purpose, or privileged', () => {
    const pod = (name: string, spec: string): string =>
      `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n${spec}  containers:\n    - name: c\n      image: i\n`;
    const cwd = directoryWith({
      'waived.yaml': pod('waived', '  # userns-audit: waive user-namespace: uses an NFS claim\n').replace(
        'spec:\n  #',
        'spec: # userns-audit: waive user-namespace: uses NFS\n  #',
      ),
      'meant.yaml': pod('meant', '  hostUsers: true\n'),
      'privileged.yaml': `${pod('privileged', '')}      securityContext: {privileged: true}\n`,
    });
    const { stderr, stdout } = userns(['fix', '.'], { cwd });
    expect(stdout).toBe('');
    expect(stderr).toContain('hostUsers: true is set on purpose');
    expect(stderr).toContain('container c is privileged');
    expect(stderr).toContain('nothing to edit');
  });

  test('filters standard input', () => {
    const input = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [] # none\n';
    const cwd = directoryWith({});
    expect(userns(['fix', '-', '--write'], { cwd, input }).stdout).toContain('hostUsers: false');
    expect(userns(['fix', '-'], { cwd, input }).stdout).toContain('+  hostUsers: false');
    const fixed = input.replace('spec:\n', 'spec:\n  hostUsers: false\n');
    expect(userns(['fix', '-', '--write'], { cwd, input: fixed }).stdout).toBe(fixed);
  });

  test('what can not be read is named, the rest is edited', () => {
    const cwd = sampleRepository();
    const broken = directoryWith({ 'broken.yaml': 'a: [' });
    const { code, stderr } = userns(['fix', '.', join(broken, 'broken.yaml'), '--write'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/not judged {2}.*broken\.yaml:1/);
    expect(stderr).toContain('1 edit in 1 file written');
  });

  test('a file that is not UTF-8 is named, the rest is edited', () => {
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers: []\n';
    const cwd = directoryWith({ 'a.yaml': '', 'b.yaml': pod });
    writeFileSync(join(cwd, 'a.yaml'), `\ufeff${pod}`, 'utf16le');
    const { code, stderr } = userns(['fix', '.', '--write'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: a\.yaml can not be edited: .* not UTF-8/m);
    expect(stderr).toContain('1 edit in 1 file written');
    expect(readFileSync(join(cwd, 'b.yaml'), 'utf8')).toContain('hostUsers: false');
  });

  test('keeps the mode of a file, and leaves nothing beside it', () => {
    const cwd = sampleRepository();
    const before = filesIn(cwd);
    chmodSync(join(cwd, 'apps/shop.yaml'), 0o640);
    userns(['fix', '.', '--write'], { cwd });
    expect(statSync(join(cwd, 'apps/shop.yaml')).mode & 0o777).toBe(0o640);
    expect(filesIn(cwd)).toEqual(before);
  });

  test.each([
    ['a rule without an edit', ['.', '--rule', 'user-namespace-volumes']],
    ['--diff and --write', ['.', '--diff', '--write']],
    ['a missing file', ['no.yaml']],
  ])('%s is refused', (_, args) => {
    expect(userns(['fix', ...args], { cwd: directoryWith({}) }).code).toBe(2);
  });
});
