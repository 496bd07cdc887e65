// The controller at 150,000 pods on 5,000 nodes, beside the informer of @kubernetes/client-node: CPU, memory, and the cost of one event.
// usage: node bench/controller.ts [PODS] [NODES]     (after `make build`)
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { selfSignedCertificate } from '../src/http/self-signed.ts';

const PODS = Number(process.argv[2] ?? 150_000);
const NODES = Number(process.argv[3] ?? 5000);
const EVENTS = 5000;
const PORT = 19_443;
/** Parts not to measure: `WITHOUT=stream,informer`. */
const WITHOUT = (process.env['WITHOUT'] ?? '').split(',');
const TICKS_PER_SECOND = 100;
const SERVICE_ACCOUNT = '/run/secrets/kubernetes.io/serviceaccount';
/** As the chart starts it. */
const FLAGS = (process.env['FLAGS'] ?? '--max-old-space-size=400 --max-semi-space-size=8').split(' ');

interface Usage {
  readonly cpuSeconds: number;
  readonly peakMb: number;
  readonly rssMb: number;
}

/** What a process has used so far, threads included (proc_pid_stat(5), proc_pid_status(5)). */
function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? NaN);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    peakMb: kilobytes('VmHWM') / 1024,
    rssMb: kilobytes('VmRSS') / 1024,
  };
}

async function get(path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port: PORT, path }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (part: string) => (body += part));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body });
      });
    });
    request.on('error', () => {
      resolve({ status: 0, body: '' });
    });
  });
}

function kubeconfig(port: number, cert: string): string {
  const data = Buffer.from(cert).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bench', cluster: { server: `https://localhost:${port}`, 'certificate-authority-data': data } }],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no standard output');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return line;
}

function counted(body: string): number {
  return [...body.matchAll(/^userns_audit_pods\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** As in a pod: flags of the chart, and a service account where the kubelet mounts it, in a mount namespace of its own. */
async function measureController(name: string, port: number, server: ChildProcess): Promise<void> {
  const mount = `mount -t tmpfs none /run && mkdir -p ${SERVICE_ACCOUNT} && mount --bind ${serviceAccount} ${SERVICE_ACCOUNT} && exec "$@"`;
  const controller = spawn(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'sh', '-c', mount, 'sh'],
      ...[process.execPath, ...FLAGS, 'dist/userns-audit.cjs', 'controller', '--no-leader-elect', '--insecure'],
      ...['--listen', `127.0.0.1:${PORT}`, '--log-level', 'error'],
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, KUBERNETES_SERVICE_HOST: 'localhost', KUBERNETES_SERVICE_PORT: String(port) },
    },
  );
  const pid = controller.pid ?? 0;
  const start = Date.now();
  while ((await get('/readyz')).status !== 200) await sleep(200);
  const synced = usageOf(pid);
  const wall = (Date.now() - start) / 1000;
  const body = await get('/metrics');
  print(`${name}, initial sync`, synced, `${wall.toFixed(1)} s wall, ${counted(body.body)} pods counted`);
  // Its first writes, and whatever else was waiting.
  let before = usageOf(pid);
  for (let quiet = 0; quiet < 3;) {
    await sleep(1000);
    const now = usageOf(pid);
    quiet = now.cpuSeconds - before.cpuSeconds < 0.05 ? quiet + 1 : 0;
    before = now;
  }
  print(`${name}, at rest`, before, 'namespaces and policy written');
  server.stdin?.write(`${EVENTS}\n`);
  await sleep(6000);
  const after = usageOf(pid);
  const milliseconds = ((after.cpuSeconds - before.cpuSeconds) / EVENTS) * 1000;
  print(
    `${name}, after events`,
    after,
    `${milliseconds.toFixed(3)} ms CPU for one pod event, JSON parsed and statuses written`,
  );
  controller.kill();
  await once(controller, 'exit');
}

async function measureInformer(config: string): Promise<void> {
  const informer = spawn(
    process.execPath,
    ['--max-old-space-size=8192', '--no-warnings', 'bench/informer.ts', config],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const start = Date.now();
  await firstLine(informer);
  print(
    'client-node informer, pods alone',
    usageOf(informer.pid ?? 0),
    `${((Date.now() - start) / 1000).toFixed(1)} s wall`,
  );
  informer.kill();
  await once(informer, 'exit');
}

function print(what: string, { cpuSeconds, peakMb, rssMb }: Usage, note: string): void {
  process.stdout.write(
    `${what.padEnd(34)} ${cpuSeconds.toFixed(1).padStart(6)} s CPU  ${rssMb.toFixed(0).padStart(5)} MB RSS  ${peakMb.toFixed(0).padStart(5)} MB peak   ${note}\n`,
  );
}

const directory = mkdtempSync(join(tmpdir(), 'userns-audit-bench-'));
const { cert, key } = selfSignedCertificate(['localhost'], Date.now());
writeFileSync(join(directory, 'cert'), cert);
writeFileSync(join(directory, 'key'), key);
const serviceAccount = join(directory, 'service-account');
mkdirSync(serviceAccount);
for (const [name, content] of Object.entries({ 'ca.crt': cert, token: 'bench', namespace: 'bench' }))
  writeFileSync(join(serviceAccount, name), content);

async function withServer(mode: string, use: (port: number, server: ChildProcess) => Promise<void>): Promise<void> {
  const inputs = [String(PODS), String(NODES), join(directory, 'cert'), join(directory, 'key'), mode];
  const server = spawn(process.execPath, ['--no-warnings', 'bench/pod-server.ts', ...inputs], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await use(Number(await firstLine(server)), server);
  } finally {
    server.kill();
  }
}

process.stdout.write(`${PODS} pods on ${NODES} nodes\n`);
for (const [mode, name] of Object.entries({ stream: 'controller', pages: 'controller by pages' }))
  if (!WITHOUT.includes(mode)) await withServer(mode, (port, server) => measureController(name, port, server));
if (!WITHOUT.includes('informer'))
  await withServer('pages', async (port) => {
    writeFileSync(join(directory, 'config'), kubeconfig(port, cert));
    await measureInformer(join(directory, 'config'));
  });
rmSync(directory, { recursive: true });
