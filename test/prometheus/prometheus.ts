// A real Prometheus for the tests: found in the cache, or unpacked there by setup.sh the first time.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kill, makeRunDirectory, removeRunDirectory } from '../lab/run-directory.ts';
import { cachedFrom, fill, lackOf } from '../support/cached-programs.ts';

/** The programs. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

/** Why there is no Prometheus on this machine. */
export interface NoPrometheus {
  readonly skipped: string;
}

const SETUP = join(import.meta.dirname, 'setup.sh');
const SETUP_TIMEOUT_MS = 300_000;
const START_TIMEOUT_MS = 30_000;

/** Prometheus and promtool, unpacked first when needed (seconds, once), or why they cannot be here. In CI their lack is an error. */
export function requirePrometheus(): PrometheusPrograms | NoPrometheus {
  const dir = cachedFrom('prometheus', [SETUP]);
  const reason = fill(SETUP, [dir], SETUP_TIMEOUT_MS);
  return reason === undefined
    ? { prometheus: join(dir, 'prometheus'), promtool: join(dir, 'promtool') }
    : lackOf('Prometheus', reason);
}

/** One series of an answer: its labels, and the value of an instant query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** What is scraped: `static_configs` of one job. */
export interface ScrapeJob {
  readonly job: string;
  readonly targets: readonly { readonly address: string; readonly labels?: Readonly<Record<string, string>> }[];
}

/** One series of an answer over a time. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [time: number, value: string])[];
}

export interface Prometheus {
  readonly url: string;
  /** @param at seconds since 1970; now where it is not given */
  query(expression: string, at?: number): Promise<readonly Sample[]>;
  /** From, to and step in seconds. */
  queryRange(expression: string, from: number, to: number, step: number): Promise<readonly Series[]>;
  stop(): Promise<void>;
}

/** Writes samples with their times, in the format of OpenMetrics, into the database of a Prometheus that is not started. */
function backfill({ promtool }: PrometheusPrograms, dir: string, samples: string): void {
  const file = join(dir, 'samples.om');
  writeFileSync(file, samples);
  const week = ['--max-block-duration=168h'];
  const { status, stderr } = spawnSync(
    promtool,
    ['tsdb', 'create-blocks-from', 'openmetrics', ...week, '--quiet', file, join(dir, 'data')],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`promtool takes no samples: ${stderr}`);
}

/**
 * Starts a Prometheus on a free port that scrapes every second. Call `stop` in `afterAll`.
 * @param past what it has scraped before, in the format of OpenMetrics
 */
export async function startPrometheus(
  programs: PrometheusPrograms,
  jobs: readonly ScrapeJob[],
  rules?: string,
  past?: string,
): Promise<Prometheus> {
  const dir = makeRunDirectory('prometheus');
  if (past !== undefined) backfill(programs, dir, past);
  const port = await freePort();
  if (rules !== undefined) writeFileSync(join(dir, 'rules.json'), rules);
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    ...(rules === undefined ? {} : { rule_files: ['rules.json'] }),
    scrape_configs: jobs.map(({ job, targets }) => ({
      job_name: job,
      static_configs: targets.map(({ address, labels }) => ({ targets: [address], ...(labels ? { labels } : {}) })),
    })),
  };
  // JSON is YAML.
  writeFileSync(join(dir, 'prometheus.json'), JSON.stringify(config));
  const log = join(dir, 'prometheus.log');
  const fd = openSync(log, 'a');
  const child = spawn(
    programs.prometheus,
    [
      `--config.file=${join(dir, 'prometheus.json')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', fd, fd], cwd: dir },
  );
  closeSync(fd);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    kill(child.pid ?? 0, 'SIGKILL');
    await ended;
    removeRunDirectory(dir);
  };
  const url = `http://127.0.0.1:${port}`;
  const end = Date.now() + START_TIMEOUT_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() > end) {
      const said = readFileSync(log, 'utf8');
      await stop();
      throw new Error(`no Prometheus: ${said}`);
    }
    await sleep(50);
  }
  const ask = async (path: string, parameters: Readonly<Record<string, string>>): Promise<QueryAnswer['data']> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const answer = (await response.json()) as QueryAnswer;
    if (answer.status !== 'success') throw new Error(`${answer.error ?? ''}: ${parameters['query'] ?? ''}`);
    return answer.data;
  };
  return {
    url,
    stop,
    async query(expression, at) {
      const time = at === undefined ? {} : { time: String(at) };
      const { resultType, result } = await ask('query', { query: expression, ...time });
      return resultType === 'vector' ? (result as readonly Sample[]) : [];
    },
    async queryRange(expression, from, to, step) {
      const range = { start: String(from), end: String(to), step: String(step) };
      return (await ask('query_range', { query: expression, ...range })).result as readonly Series[];
    },
  };
}

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly resultType: string; readonly result: unknown };
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
