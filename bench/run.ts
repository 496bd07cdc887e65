// Budgets beside their alternatives, in one run, as ratios of medians: `make bench` (docs/benchmarks.md).
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createHostFs } from '../src/host/host-fs.ts';
import { createProcFs } from '../src/host/procfs.ts';
import { collectFacts, runInSlices } from '../src/probes/collect.ts';
import { inspectContainers } from '../src/probes/containers.ts';
import { sortProcesses } from '../src/probes/processes.ts';
import { testSight } from '../src/probes/sight.ts';
import { isSkipped, requireLab } from '../test/lab/lab.ts';

const CLI = join(import.meta.dirname, '../dist/userns-audit.cjs');
const ROUNDS = 9;
const CONTAINERS = 1000;
const PROCESSES_EACH = 3;
/** What the agent will use: long enough to be cheap, short enough for probes and metrics to stay live. */
const SLICE_MS = 5;

interface Measure {
  readonly wall: number;
  readonly cpu: number;
  readonly rss: number;
}

/** Wall and CPU milliseconds and peak resident megabytes of a command, by the rusage of its process. */
function measureCommand(command: string, args: readonly string[]): Measure {
  const script =
    'import resource,subprocess,sys,time;t=time.monotonic();p=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL);w=time.monotonic()-t;r=resource.getrusage(resource.RUSAGE_CHILDREN);print(w*1000,(r.ru_utime+r.ru_stime)*1000,r.ru_maxrss/1024)';
  const { stdout, status, stderr } = spawnSync('python3', ['-c', script, command, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  const [wall = NaN, cpu = NaN, rss = NaN] = stdout.trim().split(' ').map(Number);
  return { wall, cpu, rss };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function round(value: number, digits = 1): string {
  return value.toFixed(digits);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The scan alone: which processes are in which container, and in which namespaces each container is. What lsns does, and more. */
function* scan(): Generator<undefined, number> {
  const host = createHostFs();
  const procfs = createProcFs();
  const pids = procfs.pids();
  const reference = testSight(host, procfs, pids);
  const table = yield* sortProcesses(procfs, pids.ok ? pids.value : []);
  const containers = yield* inspectContainers(procfs, table.groups, reference);
  return containers.length;
}

/** The whole audit: the scan, the names of containers, and every other probe. */
function* audit(): Generator<undefined, number> {
  const { containers } = yield* collectFacts(createHostFs(), createProcFs());
  return containers.length;
}

interface Timed {
  readonly wall: number;
  readonly cpu: number;
  /** Longest time the event loop had to wait. */
  readonly stall: number;
  readonly containers: number;
}

/** Runs it as the agent does: in slices, with other work waiting for its turn of the event loop. */
async function timed(steps: Generator<undefined, number>): Promise<Timed> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.cpuUsage();
  const start = performance.now();
  const containers = await runInSlices(steps, SLICE_MS, () => performance.now());
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  delay.disable();
  return { wall, cpu: (user + system) / 1000, stall: delay.max / 1e6, containers };
}

async function benchScan(): Promise<void> {
  const lab = requireLab();
  if (isSkipped(lab)) {
    print(`full scan: skipped, because ${lab.skipped}`);
    return;
  }
  const spawner = spawn(
    'python3',
    [
      join(import.meta.dirname, '../test/lab/spawn-processes.py'),
      `--containers=${CONTAINERS}`,
      `--processes=${PROCESSES_EACH}`,
      `--prefix=/bench-${process.pid}`,
      `--program=${lab.busybox}`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  try {
    for await (const line of createInterface(spawner.stdout)) if (line.startsWith('ready')) break;
    const scans: Timed[] = [];
    const audits: Timed[] = [];
    const peers: Measure[] = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const round = [await timed(scan()), await timed(audit()), measureCommand('lsns', ['-o', 'NS,TYPE,PID'])] as const;
      if (round[0].containers < CONTAINERS)
        throw new Error(`only ${round[0].containers} of ${CONTAINERS} containers were seen`);
      if (i === 0) continue;
      scans.push(round[0]);
      audits.push(round[1]);
      peers.push(round[2]);
    }
    const peer = medianOf(peers);
    print(
      `${CONTAINERS * PROCESSES_EACH} processes in ${CONTAINERS} containers (${ROUNDS} rounds, interleaved, medians)`,
    );
    print(`  lsns              ${round(peer.wall)} ms wall, ${round(peer.cpu)} ms CPU`);
    for (const [name, runs] of [
      ['scan', scans],
      ['whole audit', audits],
    ] as const) {
      const own = medianOf(runs);
      const ratios = `1/${round(peer.wall / own.wall)} of lsns (wall), 1/${round(peer.cpu / own.cpu)} (CPU)`;
      print(
        `  ${name.padEnd(12)}      ${round(own.wall)} ms wall, ${round(own.cpu)} ms CPU: ${ratios}${name === 'scan' ? ', budget 1/8' : ''}`,
      );
      const stalls = runs.map(({ stall }) => stall);
      print(
        `    longest stall of the event loop ${round(median(stalls))} ms, in the worst round ${round(Math.max(...stalls))} ms (budget 20 ms)`,
      );
    }
  } finally {
    spawner.stdin.end();
    await new Promise((resolve) => spawner.once('exit', resolve));
  }
}

function medianOf(runs: readonly { readonly wall: number; readonly cpu: number }[]): {
  readonly wall: number;
  readonly cpu: number;
} {
  return { wall: median(runs.map(({ wall }) => wall)), cpu: median(runs.map(({ cpu }) => cpu)) };
}

function benchStart(): void {
  const empty: Measure[] = [];
  const own: Measure[] = [];
  for (let i = 0; i <= ROUNDS * 2; i++) {
    const [a, b] = [measureCommand(process.execPath, ['-e', '0']), measureCommand(process.execPath, [CLI, 'node'])];
    if (i === 0) continue;
    empty.push(a);
    own.push(b);
  }
  const [base, node] = [medianOf(empty), medianOf(own)];
  const peak = (runs: readonly Measure[]): string => round(Math.max(...runs.map(({ rss }) => rss)));
  print(`userns-audit node on this machine (${ROUNDS * 2} rounds, interleaved, medians)`);
  print(`  an empty node process ${round(base.wall)} ms wall, ${round(base.cpu)} ms CPU, peak ${peak(empty)} MB`);
  print(
    `  userns-audit node     ${round(node.wall)} ms wall, ${round(node.cpu)} ms CPU, peak ${peak(own)} MB (budget 80 MB)`,
  );
  print(`  ${round(node.wall / base.wall, 2)} times (wall), ${round(node.cpu / base.cpu, 2)} times (CPU), budget 3`);
}

benchStart();
await benchScan();
