// The scan beside kubeconform on the same files, and its start beside an empty node process: `node bench/scan.ts [megabytes]`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCorpus } from './scan-corpus.ts';

const CLI = join(import.meta.dirname, '../dist/userns-audit.cjs');
const ROUNDS = 7;
const START_ROUNDS = 25;

interface Measure {
  readonly wall: number;
  readonly cpu: number;
  readonly rss: number;
}

/** Wall and CPU milliseconds and peak resident megabytes of a command, by the rusage of its process; it writes into a pipe, as in a pipeline. */
function measure(command: string, args: readonly string[], allowed: readonly number[]): Measure {
  const script =
    'import resource,subprocess,sys,time;t=time.monotonic();p=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE);w=time.monotonic()-t;u=resource.getrusage(resource.RUSAGE_CHILDREN);print(w*1000,(u.ru_utime+u.ru_stime)*1000,u.ru_maxrss/1024,p.returncode)';
  const { stdout, stderr } = spawnSync('python3', ['-c', script, command, ...args], { encoding: 'utf8' });
  const [wall = NaN, cpu = NaN, rss = NaN, status = NaN] = stdout.trim().split(' ').map(Number);
  if (!allowed.includes(status)) throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${stderr}`);
  return { wall, cpu, rss };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function wallOf(measures: readonly Measure[]): number {
  return median(measures.map(({ wall }) => wall));
}

function cpuOf(measures: readonly Measure[]): number {
  return median(measures.map(({ cpu }) => cpu));
}

function peakOf(measures: readonly Measure[]): number {
  return Math.max(...measures.map(({ rss }) => rss));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Built once into a cache; undefined where it can not be. */
function kubeconform(): string | undefined {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'userns-audit-bench');
  const program = join(cache, 'kubeconform');
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const args = ['install', 'github.com/yannh/kubeconform/cmd/kubeconform@latest'];
  const { status } = spawnSync('go', args, { env: { ...process.env, GOBIN: cache }, stdio: 'inherit' });
  return status === 0 ? program : undefined;
}

/** Runs the commands in turn, round after round, so that a noisy minute hits all of them; the first round warms the caches. */
function interleave(rounds: number, commands: readonly (() => Measure)[]): readonly (readonly Measure[])[] {
  const all = commands.map((): Measure[] => []);
  for (let i = 0; i <= rounds; i++) {
    for (const [index, run] of commands.entries()) {
      const result = run();
      if (i > 0) all[index]?.push(result);
    }
  }
  return all;
}

function benchCorpus(directory: string, megabytes: number): void {
  const { bytes, files, documents, workloads } = writeCorpus(join(directory, 'corpus'), megabytes);
  print(
    `scan of ${(bytes / 1e6).toFixed(1)} MB: ${files} files, ${documents} documents, ${workloads} workloads (${ROUNDS} rounds, interleaved, medians)`,
  );
  const corpus = join(directory, 'corpus');
  const program = kubeconform();
  const own = (): Measure => measure(process.execPath, [CLI, 'scan', corpus], [0, 1]);
  // No schema is found, so it does nothing but read, split and parse.
  const schemas = join(directory, 'none', '{{.ResourceKind}}.json');
  const args = ['-schema-location', schemas, '-ignore-missing-schemas', corpus];
  const [ours = [], theirs = []] = interleave(ROUNDS, [own, ...(program ? [() => measure(program, args, [0])] : [])]);
  const rate = bytes / 1000 / wallOf(ours);
  print(
    `  userns-audit ${wallOf(ours).toFixed(0)} ms, ${rate.toFixed(0)} MB/s, peak ${peakOf(ours).toFixed(0)} MB (budget 200 MB)`,
  );
  if (theirs.length === 0) {
    print('  kubeconform could not be built: no comparison');
    return;
  }
  const ratio = wallOf(theirs) / wallOf(ours);
  print(
    `  kubeconform ${wallOf(theirs).toFixed(0)} ms, peak ${peakOf(theirs).toFixed(0)} MB: ${ratio.toFixed(1)} times as long (budget 3)`,
  );
  // It parses on several processors at once, so that the wall clock depends on how many are idle.
  const work = cpuOf(theirs) / cpuOf(ours);
  print(
    `  of CPU time ${cpuOf(ours).toFixed(0)} ms, kubeconform ${cpuOf(theirs).toFixed(0)} ms: ${work.toFixed(1)} times as much`,
  );
}

const SMALL = `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: agent
spec:
  template:
    spec:
      hostPID: true
      containers:
        - name: agent
          image: agent:1
`;

function benchStart(directory: string): void {
  const file = join(directory, 'small.yaml');
  writeFileSync(file, SMALL);
  const [empty = [], ours = []] = interleave(START_ROUNDS, [
    () => measure(process.execPath, ['-e', '0'], [0]),
    () => measure(process.execPath, [CLI, 'scan', file], [1]),
  ]);
  const ratio = wallOf(ours) / wallOf(empty);
  print(`scan of one small file (${START_ROUNDS} rounds, interleaved, medians)`);
  print(
    `  ${wallOf(ours).toFixed(1)} ms, an empty node process ${wallOf(empty).toFixed(1)} ms: ${ratio.toFixed(2)} times (budget 2); peak ${peakOf(ours).toFixed(0)} MB`,
  );
}

const directory = mkdtempSync(join(tmpdir(), 'userns-audit-bench-'));
try {
  benchStart(directory);
  benchCorpus(directory, Number(process.argv[2] ?? 40));
} finally {
  rmSync(directory, { recursive: true });
}
