import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

/** Runs the bundle as a user does: another process, in a directory of its own. */

const ROOT = join(import.meta.dirname, '../..');
export const BUNDLE = join(ROOT, 'dist/userns-audit.cjs');
if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is missing: make build`);

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of node itself. */
  readonly node?: readonly string[];
}

export function userns(args: readonly string[], { cwd, input, env, node = [] }: RunOptions): Outcome {
  return run(process.execPath, [...node, BUNDLE, ...args], {
    cwd,
    env: env ?? {},
    ...(input === undefined ? {} : { input }),
  });
}

/** A script of bash in which `userns-audit` and `npx userns-audit` are the bundle. */
export function bash(script: string, { cwd, input, env }: RunOptions): Outcome {
  const path = `${shims()}:${process.env['PATH'] ?? ''}`;
  const options = { cwd, env: { PATH: path, ...env }, ...(input === undefined ? {} : { input }) };
  return run('bash', ['--norc', '-euo', 'pipefail', '-c', script], options);
}

function run(command: string, args: readonly string[], options: RunOptions): Outcome {
  const { cwd, input = '', env = {} } = options;
  const result = spawnSync(command, args, {
    cwd,
    input,
    encoding: 'utf8',
    timeout: 30_000,
    maxBuffer: 64 * 1024 * 1024,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1', ...env },
  });
  if (result.error) throw result.error;
  return { code: result.status ?? -1, stdout: result.stdout, stderr: result.stderr };
}

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** An empty directory that goes away with the tests of the file. */
export function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'userns-audit-test-'));
  made.push(directory);
  return directory;
}

/** A directory with these files. */
export function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = emptyDirectory();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

/** A copy of the repository that the documents and the golden outputs speak of. */
export function sampleRepository(): string {
  const directory = emptyDirectory();
  cpSync(join(ROOT, 'test/fixtures/scan-repository'), directory, { recursive: true });
  return directory;
}

export function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}

let shimDirectory: string | undefined;

function shims(): string {
  if (shimDirectory) return shimDirectory;
  const directory = emptyDirectory();
  const call = `exec '${process.execPath}' '${BUNDLE}' "$@"`;
  for (const [name, script] of [
    ['userns-audit', call],
    [
      'npx',
      `while [ "\${1#-}" != "$1" ]; do shift; done; case $1 in userns-audit*) shift;; *) exit 97;; esac\n${call}`,
    ],
  ] as const) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, name), 0o755);
  }
  shimDirectory = directory;
  return directory;
}
