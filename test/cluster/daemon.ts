// Long-running programs: started with a log, watched while one waits for them, ended by their pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that runs until it is told to end. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  readonly process: ChildProcess;
  isRunning(): boolean;
  /** The end of its log. */
  lastWords(): string;
  /** Ends it, and returns when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** What a daemon is started with. */
export interface DaemonOptions {
  /** Default: that of the program. */
  readonly name?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Gives the child a channel for messages and handles. */
  readonly channel?: boolean;
}

const WAIT_MS = 60_000;

/** Starts a program, after the words that put it into other namespaces. Its output goes to `dir/NAME.log`. */
export function startDaemon(
  dir: string,
  enter: readonly string[],
  command: readonly [program: string, ...args: string[]],
  { name = basename(command[0]), env, channel = false }: DaemonOptions = {},
): Daemon {
  const logFile = join(dir, `${name}.log`);
  const log = openSync(logFile, 'a');
  const [program = '', ...args] = [...enter, ...command];
  const child = spawn(program, args, {
    stdio: ['ignore', log, log, ...(channel ? (['ipc'] as const) : [])],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    for (const event of ['exit', 'error'])
      child.once(event, () => {
        resolve();
      });
  });
  return {
    name,
    pid: child.pid ?? 0,
    process: child,
    isRunning: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    lastWords: () => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8).join('\n'),
    stop: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
  };
}

/** Asks until there is an answer; throws the last words of a daemon that ended meanwhile, or of all when time is up. */
export async function waitFor<Answer>(
  what: string,
  daemons: readonly Daemon[],
  ask: () => Promise<Answer | undefined>,
): Promise<Answer> {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    const dead = daemons.filter((daemon) => !daemon.isRunning());
    const late = Date.now() > end;
    if (late || dead.length > 0) {
      const words = (late ? daemons : dead).map((daemon) => `${daemon.name}: ${daemon.lastWords()}`).join('\n');
      throw new Error(`no ${what}${late ? ` after ${WAIT_MS} ms` : ''}; the logs end with\n${words}`);
    }
    await sleep(25);
  }
}
