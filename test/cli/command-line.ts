import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The bundled program, as users get it. */
export const BUNDLE = `${ROOT}dist/userns-audit.cjs`;

/** The root file system of a committed host. */
export function hostRoot(host: string): string {
  return `${ROOT}test/fixtures/hosts/${host}/root`;
}

/** Builds the bundle when it is missing or older than a source. Under a lock, for test files run at the same time. */
export function buildWhenStale(): void {
  const isFresh = 'test -e "$0" && test -z "$(find src package.json tools/build.js -newer "$0")"';
  const script = `mkdir -p dist; (${isFresh}) || "$1" tools/build.js`;
  execFileSync('flock', ['/tmp/userns-audit-build.lock', 'sh', '-c', script, BUNDLE, process.execPath], { cwd: ROOT });
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An environment of its own: jest's asks for colors. */
export const PLAIN_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: `${ROOT}tools/node/node_modules/.bin:${process.env['PATH'] ?? ''}`,
  HOME: '/',
  TERM: 'xterm-256color',
  LC_ALL: 'C.UTF-8',
};

/** Runs the bundle to its end, with pipes in place of a terminal. */
export function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Outcome {
  return capture([process.execPath, BUNDLE, ...args], environment);
}

/** The same on a pseudo terminal, which merges both streams and ends lines in CR LF. */
export function runOnTerminal(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Outcome {
  const command = [process.execPath, BUNDLE, ...args].map(quote).join(' ');
  return capture(['script', '--quiet', '--return', '--command', command, '/dev/null'], environment);
}

/** Runs a line of bash, in which `userns-audit` is the bundle. */
export function runInBash(line: string): Outcome {
  const program = `userns-audit() { ${quote(process.execPath)} ${quote(BUNDLE)} "$@"; }`;
  return capture(['bash', '-c', `${program}\n${line}`], {});
}

function capture([file = '', ...args]: readonly string[], environment: Readonly<Record<string, string>>): Outcome {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...PLAIN_ENVIRONMENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
    timeout: 50_000,
  });
  if (error) throw error;
  return { exitCode: status, stdout, stderr };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
