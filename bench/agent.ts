// The agent's memory and CPU on a node with many containers, as a DaemonSet runs it, by the kernel's account of its process. One
// agent for each set of V8 flags, all at once, on one real API server (docs/benchmarks.md). `node bench/agent.ts [seconds [containers]]`
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../test/control-plane/control-plane.ts';
import { isSkipped as isLabSkipped, type Lab, requireLab } from '../test/lab/lab.ts';
import { bind, type Container, nodeMounts, startContainer, stopAll } from '../test/lab/runc.ts';
import { AGENT_RIGHTS } from '../test/support/agent-rights.ts';

const CONTAINERS = Number(process.argv[3] ?? 250);
const FIRST_PORT = 19_464;
/** Start, first audits and the heap's growth to its working size. */
const SETTLE_SECONDS = 70;

/** Bounds for the collector; then without compilers for hot code, whose own pages cost more than they save; then with no compiler at all. */
const BOUNDED = ['--max-old-space-size=64', '--max-semi-space-size=1'];
const COLD = [...BOUNDED, '--v8-pool-size=0', '--optimize-for-size'];
const FLAG_SETS: readonly (readonly string[])[] = [
  [],
  BOUNDED,
  [...COLD, '--no-opt', '--no-maglev'],
  [...COLD, '--jitless'],
];

interface Sample {
  readonly cpuSeconds: number;
  readonly scans: number;
  readonly lastScanMs: number;
  readonly containers: number;
  readonly published: number;
}

function sample(port: number): Promise<Sample> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/metrics', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => {
        const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
        resolve({
          cpuSeconds: value('process_cpu_seconds_total'),
          scans: value('userns_audit_agent_scan_duration_seconds_count'),
          lastScanMs: value('userns_audit_agent_last_scan_duration_seconds') * 1000,
          containers: value('userns_audit_agent_containers'),
          published: value('userns_audit_agent_publishes_total{result="written"}'.replace(/[{}]/g, '\\$&')),
        });
      });
    }).on('error', reject);
  });
}

/** Kilobytes of one field of /proc/PID/status. */
function memory(pid: number, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

async function startAgent(lab: Lab, api: ApiServer, directory: string, index: number): Promise<Container> {
  const name = `node-${index}`;
  const object = { apiVersion: 'userns-audit.dev/v1alpha1', kind: 'NodeAudit', metadata: { name } };
  await api.kubectlWith(JSON.stringify(object), 'create', '-f', '-');
  return startContainer(lab, {
    uid: 65_532,
    capabilities: [],
    ambientCapabilities: ['CAP_SYS_PTRACE'],
    namespaces: { network: 'host' },
    mounts: [
      ...nodeMounts(process.execPath, join(directory, 'program')),
      bind('/proc', '/host/proc'),
      bind('/etc', '/host/etc'),
      bind('/boot', '/host/boot'),
      bind('/usr/lib', '/host/usr/lib'),
      bind(join(directory, 'account'), '/var/run/secrets/kubernetes.io/serviceaccount'),
    ],
    env: [`NODE_NAME=${name}`, 'KUBERNETES_SERVICE_HOST=127.0.0.1', `KUBERNETES_SERVICE_PORT=${new URL(api.url).port}`],
    args: [
      '/opt/node',
      ...(FLAG_SETS[index] ?? []),
      '/agent/userns-audit.cjs',
      'agent',
      '--host-root=/host',
      `--listen=127.0.0.1:${FIRST_PORT + index}`,
    ],
  });
}

async function prepare(api: ApiServer): Promise<string> {
  const root = join(import.meta.dirname, '..');
  await api.kubectl('apply', '-f', join(root, 'charts/userns-audit/crds'));
  await api.kubectlWith(AGENT_RIGHTS, 'apply', '-f', '-');
  await api.kubectl('wait', '--for=condition=Established', 'crd/nodeaudits.userns-audit.dev');
  const directory = mkdtempSync(join(tmpdir(), 'agent-bench-'));
  chmodSync(directory, 0o755);
  cpSync(join(root, 'dist'), join(directory, 'program'), { recursive: true });
  const account = {
    token: await api.createToken({ namespace: 'default', serviceAccount: 'agent' }),
    'ca.crt': api.ca,
    namespace: 'default',
  };
  mkdirSync(join(directory, 'account'));
  for (const [name, text] of Object.entries(account)) writeFileSync(join(directory, 'account', name), text);
  return directory;
}

function nameOf(index: number): string {
  const flags = FLAG_SETS[index] ?? [];
  return flags.length > 0 ? flags.join(' ') : 'no flags';
}

async function measure(lab: Lab, api: ApiServer, directory: string, seconds: number): Promise<void> {
  const agents = await Promise.all(FLAG_SETS.map((_, index) => startAgent(lab, api, directory, index)));
  await sleep(SETTLE_SECONDS * 1000);
  const before = await Promise.all(agents.map((_, index) => sample(FIRST_PORT + index)));
  await sleep(seconds * 1000);
  const after = await Promise.all(agents.map((_, index) => sample(FIRST_PORT + index)));
  for (const [index, { pid }] of agents.entries()) {
    const [first, last] = [before[index], after[index]];
    if (!first || !last) continue;
    const kilobytes = ['VmRSS', 'VmHWM', 'RssAnon', 'RssFile'].map((field) => memory(pid, field));
    const [rss = 0, peak = 0, anon = 0, file = 0] = kilobytes.map((value) => (value * 1024) / 1e6);
    const millicores = ((last.cpuSeconds - first.cpuSeconds) / seconds) * 1000;
    process.stdout.write(
      `${nameOf(index)}\n` +
        `  RSS ${rss.toFixed(1)} MB (anonymous ${anon.toFixed(1)}, of files ${file.toFixed(1)}; peak ${peak.toFixed(1)}), ` +
        `${millicores.toFixed(2)} millicores over ${seconds} s with ${last.scans - first.scans} audits ` +
        `(the last: ${last.containers} containers, ${last.lastScanMs.toFixed(0)} ms), ${last.published - first.published} writes\n`,
    );
  }
}

async function main(seconds: number): Promise<void> {
  const [lab, programs] = [requireLab(), requireControlPlane()];
  if (isLabSkipped(lab) || isSkipped(programs)) {
    const why = [lab, programs].map((found) => ('skipped' in found ? found.skipped : '')).join(' ');
    process.stdout.write(`agent: not measured, because ${why}\n`);
    return;
  }
  const spawner = spawn(
    'python3',
    [
      join(import.meta.dirname, '../test/lab/spawn-processes.py'),
      `--containers=${CONTAINERS}`,
      `--prefix=/bench-${process.pid}`,
      `--program=${lab.busybox}`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const areReady = new Promise<boolean>((resolve) => {
    const lines = createInterface(spawner.stdout);
    lines.on('line', (line) => {
      if (line.startsWith('ready')) resolve(true);
    });
    lines.on('close', () => {
      resolve(false);
    });
  });
  const api = await startApiServer(programs);
  let directory: string | undefined;
  try {
    if (!(await areReady)) throw new Error('the containers could not be made');
    directory = await prepare(api);
    await measure(lab, api, directory, seconds);
  } finally {
    stopAll();
    spawner.kill('SIGTERM');
    await api.stop();
    if (directory) rmSync(directory, { recursive: true });
  }
}

await main(Number(process.argv[2] ?? 120));
