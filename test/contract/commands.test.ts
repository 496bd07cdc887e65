// Every command of this project in README and docs is run as it is written there. The fixes in docs/rules are for other hosts:
// they change them, and what rules print of them is compared in test/rules.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CLI } from '../support/audit.ts';
import { commandsOf, DOCUMENTS, inlineCommandsOf, MACHINE_COMMAND } from '../support/documentation.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Commands that end with another code than 0 or 1 on any machine, and why. */
const EXPECTED: Readonly<Record<string, readonly number[]>> = {
  // The tree that stands for it has no procfs, so what runs there could not be judged.
  'userns-audit node --host-root /host': [2],
  // Runs until it is interrupted; here timeout(1) does it.
  'userns-audit node --watch': [124],
  // Serves until it is ended.
  'userns-audit serve': [124],
};

/** It is what runs this file. */
const NOT_RUN = new Set(['make test']);

/** The machine mounted at /host in the documentation. */
const MOUNTED = join(ROOT, 'test/fixtures/hosts/flatcar');

function here(command: string): string {
  return command.replace(/--host-root \/host$/, `--host-root ${MOUNTED}`);
}

/** Those of scan, fix, plan and report need files of their own (test/cli), those of helm and kubectl a cluster (documentation-commands.test.ts). */
const commands = DOCUMENTS.flatMap((file) =>
  [...commandsOf(file).map(({ command }) => command), ...inlineCommandsOf(file, 'source')]
    .filter((command) => MACHINE_COMMAND.test(command))
    .map((command) => [file, command] as const),
);

describe('the commands of the documentation', () => {
  let bin: string;
  beforeAll(() => {
    bin = mkdtempSync(join(tmpdir(), 'userns-audit-bin-'));
    chmodSync(CLI, 0o755);
    symlinkSync(CLI, join(bin, 'userns-audit'));
  });
  afterAll(() => {
    rmSync(bin, { recursive: true });
  });

  test('there are some', () => {
    expect(commands.map(([, command]) => command)).toEqual(
      expect.arrayContaining(['make run', 'make test', 'userns-audit node']),
    );
  });

  test.each(commands.filter(([, command]) => !NOT_RUN.has(command)))('%s: %s', (_, command) => {
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
    const { status, stderr } = spawnSync(
      'timeout',
      [/--watch|serve/.test(command) ? '3' : '60', 'bash', '-c', here(command)],
      {
        cwd: ROOT,
        env,
        encoding: 'utf8',
        // A machine may run hundreds of containers.
        maxBuffer: 64 << 20,
      },
    );
    expect(stderr).toBe('');
    expect(EXPECTED[command] ?? [0, 1]).toContain(status);
  });
});
