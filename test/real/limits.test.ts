// A node whose kernel refuses user namespaces, made in a child user namespace: the limit there binds nobody else.
import { spawnSync } from 'node:child_process';
import { CLI, parseReport } from '../support/audit.ts';

/** Runs a script as root of a new user namespace. */
function inUserNamespace(script: string): {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const { status, stdout, stderr } = spawnSync('unshare', ['-Ur', 'sh', '-c', script, 'sh', process.execPath, CLI], {
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

const allowed = inUserNamespace('true').code === 0;
if (!allowed && process.env['CI']) throw new Error('this test needs unshare(1) and user namespaces');

(allowed ? describe : describe.skip)(
  `user.max_user_namespaces${allowed ? '' : ' (skipped, because unshare -Ur does not work here)'}`,
  () => {
    test('a limit of 0 means not ready, as the kernel says with ENOSPC', () => {
      const zero = 'echo 0 > /proc/sys/user/max_user_namespaces';
      const kernel = inUserNamespace(`${zero}; unshare -U true`);
      expect(kernel.stderr).toContain('No space left on device');
      const { stdout, code } = inUserNamespace(`${zero}; "$1" "$2" node -o json`);
      const report = parseReport(stdout);
      expect(code).toBe(1);
      expect(report.readiness.status).toBe('NOT READY');
      expect(report.readiness.reasons).toMatchObject([
        {
          rule: 'user-namespace-limit',
          fix: "echo 'user.max_user_namespaces = 15076' > /etc/sysctl.d/99-user-namespaces.conf && sysctl --system",
        },
      ]);
    });

    test('any other limit is only that of the reader, so the verdict is unknown', () => {
      const { stdout, code } = inUserNamespace('"$1" "$2" node -o json --fail-on never');
      expect(parseReport(stdout)).toMatchObject({
        readiness: { status: 'UNKNOWN' },
        facts: { sight: { userNamespace: 'child', complete: false } },
      });
      expect(code).toBe(2);
    });
  },
);
