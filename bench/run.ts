// Budgets beside their alternatives, in one run, as ratios of medians: `make bench` (docs/benchmarks.md).
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createHostFs } from '../src/host/host-fs.ts';
import { createProcFs } from '../src/host/procfs.ts';
import { collectFacts, runInSlices } from '../src/probes/collect.ts';
import { isSkipped, requireLab } from '../test/lab/lab.ts';

const CLI = join(import.meta.dirname, '../dist/userns-audit.cjs');
const ROUNDS = 9;
const CONTAINERS = 1000;
const PROCESSES_EACH = 3;
/** What the agent will use: long enough to be cheap, short enough for probes and metrics to stay live. */
const SLICE_MS = 5;

interface Measure {
  readonly wall: number;
  readonly rss: number;
}

/** Wall milliseconds and peak resident megabytes of a command, by the rusage of its process. */
function measureCommand(command: string, args: readonly string[]): Measure {
  const script =
    'import resource,subprocess,sys,time;t=time.monotonic();p=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL);w=time.monotonic()-t;print(w*1000,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024)';
  const { stdout, status, stderr } = spawnSync('python3', ['-c', script, command, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  const [wall = NaN, rss = NaN] = stdout.trim().split(' ').map(Number);
  return { wall, rss };
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

/** One full audit as the agent runs it: in slices, with other work waiting for its turn of the event loop. */
async function measureScan(): Promise<{ readonly wall: number; readonly stall: number; readonly containers: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  const facts = await runInSlices(collectFacts(createHostFs(), createProcFs()), SLICE_MS, () => performance.now());
  const wall = performance.now() - start;
  delay.disable();
  return { wall, stall: delay.max / 1e6, containers: facts.containers.length };
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
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  try {
    for await (const line of createInterface(spawner.stdout)) if (line.startsWith('ready')) break;
    const scans: number[] = [];
    const stalls: number[] = [];
    const peers: number[] = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const scan = await measureScan();
      const peer = measureCommand('lsns', ['-o', 'NS,TYPE,PID']);
      if (scan.containers < CONTAINERS)
        throw new Error(`only ${scan.containers} of ${CONTAINERS} containers were seen`);
      if (i === 0) continue;
      scans.push(scan.wall);
      stalls.push(scan.stall);
      peers.push(peer.wall);
    }
    const [own, other] = [median(scans), median(peers)];
    print(
      `full scan, ${CONTAINERS * PROCESSES_EACH} processes in ${CONTAINERS} containers (${ROUNDS} rounds, interleaved, medians)`,
    );
    print(`  userns-audit ${round(own)} ms, lsns ${round(other)} ms: 1/${round(other / own)} of lsns (budget 1/8)`);
    print(
      `  longest stall of the event loop ${round(median(stalls))} ms, worst round ${round(Math.max(...stalls))} ms (budget 20 ms)`,
    );
    const node = measureCommand(process.execPath, [CLI, 'node']);
    print(`  userns-audit node on all of it: ${round(node.wall, 0)} ms, peak ${round(node.rss, 0)} MB`);
  } finally {
    spawner.stdin.end();
    await new Promise((resolve) => spawner.once('exit', resolve));
  }
}

function benchStart(): void {
  const empty: Measure[] = [];
  const audit: Measure[] = [];
  for (let i = 0; i <= ROUNDS * 2; i++) {
    const [a, b] = [measureCommand(process.execPath, ['-e', '0']), measureCommand(process.execPath, [CLI, 'node'])];
    if (i === 0) continue;
    empty.push(a);
    audit.push(b);
  }
  const walls = [empty, audit].map((measures) => median(measures.map(({ wall }) => wall)));
  const [base = NaN, own = NaN] = walls;
  print(`userns-audit node on a quiet machine (${ROUNDS * 2} rounds, interleaved, medians)`);
  print(`  ${round(own)} ms, an empty node process ${round(base)} ms: ${round(own / base, 2)} times (budget 3)`);
  print(
    `  peak resident memory ${round(Math.max(...audit.map(({ rss }) => rss)))} MB, an empty node process ${round(Math.max(...empty.map(({ rss }) => rss)))} MB (budget 80 MB)`,
  );
}

benchStart();
await benchScan();
