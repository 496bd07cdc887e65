import { buildWhenStale, hostRoot, run } from './command-line.ts';

beforeAll(buildWhenStale);

const audit = (host: string, ...args: readonly string[]): number | null =>
  run(['node', '--host-root', hostRoot(host), ...args]).exitCode;

describe('the exit code of an audit', () => {
  test('is 0 where no finding is high', () => {
    expect(audit('openshift-4.20-crio')).toBe(0);
  });

  test('is 1 where a finding is high', () => {
    expect(audit('rhel-7.3-docker')).toBe(1);
  });

  test('is 2 for a root without anything to judge', () => {
    expect(audit('empty')).toBe(2);
  });

  test('is 2 for a root that is not there', () => {
    expect(run(['node', '--host-root', '/does/not/exist']).exitCode).toBe(2);
  });

  test('is the same in every format', () => {
    for (const format of ['table', 'wide', 'json', 'yaml']) expect(audit('rhel-7.3-docker', '-o', format)).toBe(1);
  });

  test.each([
    ['critical', 'talos', 0],
    ['high', 'talos', 1],
    ['medium', 'alpine', 1],
    ['high', 'alpine', 0],
    ['info', 'openshift-4.20-crio', 1],
    ['low', 'openshift-4.20-crio', 0],
    ['critical', 'hostile', 1],
    ['never', 'rhel-7.3-docker', 0],
  ])('with --fail-on %s on the host %s is %i', (severity, host, expected) => {
    expect(audit(host, '--fail-on', severity)).toBe(expected);
  });

  test('with --fail-on never is still 2 where nothing can be judged', () => {
    expect(audit('empty', '--fail-on', 'never')).toBe(2);
  });
});

describe('the exit code of bad usage', () => {
  test.each([
    ['no command', [], 'Usage: userns-audit'],
    ['an unknown command', ['nodes'], "unknown command 'nodes'"],
    ['an unknown option', ['node', '--colour'], "unknown option '--colour'"],
    ['an unknown format', ['node', '-o', 'xml'], 'Allowed choices are table, wide, json, yaml'],
    ['an unknown severity', ['node', '--fail-on', 'some'], 'Allowed choices are critical, high'],
    ['an interval that is no number', ['node', '--watch', '--interval', 'soon'], 'a number of seconds'],
    ['an interval of nothing', ['node', '--watch', '--interval', '0'], 'at least 0.1'],
    ['an argument too many', ['node', 'here'], 'too many arguments'],
    ['an unknown rule', ['explain', 'no-such-rule'], 'Allowed choices are docker-userns-remap'],
    ['a missing rule', ['explain'], "missing required argument 'rule'"],
    ['a missing value', ['node', '--host-root'], 'argument missing'],
  ])('of %s is 2, with a reason on stderr', (_, args, reason) => {
    const { exitCode, stdout, stderr } = run(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(reason);
  });

  test.each([[['--help']], [['--version']], [['help', 'node']], [['node', '--help']], [['rules']]])(
    'of %j is 0',
    (args) => {
      expect(run(args)).toMatchObject({ exitCode: 0, stderr: '' });
    },
  );
});
