// The network of a cluster: a namespace without a name, held by a file, that nothing outside is connected to but by a forwarder.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';

/** The address of the node, on the bridge of the pods: a kubelet takes no loopback address. */
export const NODE_ADDRESS = '10.88.0.1';
/** The address of the service `kubernetes.default`. Loopback carries it, so that pods need no kube-proxy. */
export const SERVICE_ADDRESS = '10.96.0.1';

const BRIDGE = 'cni0';
const LINKS = [
  'link set lo up',
  `address add ${SERVICE_ADDRESS}/32 dev lo`,
  `link add ${BRIDGE} type bridge`,
  `address add ${NODE_ADDRESS}/16 dev ${BRIDGE}`,
  `link set ${BRIDGE} up`,
];

/** Makes the namespace. The command that is returned, put before another, runs that one in it. */
export function makeNetwork(dir: string): readonly string[] {
  const file = join(dir, 'netns');
  writeFileSync(file, '');
  run(['unshare', `--net=${file}`, 'true']);
  const enter = ['nsenter', `--net=${file}`];
  run([...enter, 'ip', '-batch', '-'], LINKS.join('\n'));
  return enter;
}

/** The pods' network for CNI, with the addresses given away noted in `dir`. */
export function podNetwork(dir: string): object {
  const ipam = {
    type: 'host-local',
    dataDir: dir,
    ranges: [[{ subnet: '10.88.0.0/16', gateway: NODE_ADDRESS }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'bridge', bridge: BRIDGE, isGateway: true, ipam }] };
}

/** Connects a free port of the machine's loopback address with a port of the namespace's. */
export async function forward(dir: string, enter: readonly string[], port: number) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const outside = (server.address() as AddressInfo).port;
  const script = join(import.meta.dirname, 'forward.ts');
  const daemon: Daemon = startDaemon(
    dir,
    enter,
    [process.execPath, '--no-warnings', script, '127.0.0.1', String(port), `${dir}/`],
    { name: 'forward', channel: true },
  );
  daemon.process.send('listen', server);
  await Promise.race([once(daemon.process, 'message'), once(daemon.process, 'exit')]);
  server.close();
  if (!daemon.isRunning()) throw new Error(`the forwarder ended: ${daemon.lastWords()}`);
  return { port: outside, daemon };
}

function run([program = '', ...args]: readonly string[], input = ''): void {
  const done = spawnSync(program, args, { encoding: 'utf8', input });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.error?.message ?? done.stderr.trim()}`);
}
