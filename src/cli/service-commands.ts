import { Command, InvalidArgumentError, Option } from 'commander';

/** Where a process listens: `host` may be empty for all addresses. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** How the endpoints of a process are protected. */
export interface EndpointOptions {
  readonly listen: Listen;
  /** PEM files of the serving certificate; without them the process makes one for itself. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Plain HTTP without authentication, whatever the address. */
  readonly insecure: boolean;
}

export interface AgentOptions extends EndpointOptions {
  readonly nodeName?: string;
  readonly hostRoot: string;
  /** Seconds. */
  readonly interval: number;
  /** Seconds. */
  readonly heartbeat: number;
  readonly kubeconfig?: string;
}

export interface ControllerOptions extends EndpointOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly leaderElect: boolean;
  /** Seconds after which evidence is too old to count. */
  readonly staleAfter: number;
  readonly logLevel: string;
}

export interface ServeOptions extends EndpointOptions {
  readonly hostRoot: string;
  /** Seconds. */
  readonly interval: number;
}

export interface ServiceActions {
  readonly agent: (options: AgentOptions) => Promise<void>;
  readonly controller: (options: ControllerOptions) => Promise<void>;
  readonly serve: (options: ServeOptions) => Promise<void>;
}

/** The program that runs the long-running processes, without what only other commands need. */
export function createServiceProgram(actions: ServiceActions): Command {
  const program = new Command('userns-audit').helpOption('-h, --help', 'print help');
  addServiceCommands(program, actions);
  return program;
}

export function addServiceCommands(program: Command, actions: ServiceActions): void {
  addEndpointOptions(
    program
      .command('agent')
      .description("report this node's evidence to the cluster: the process of the DaemonSet")
      .option('--node-name <name>', 'the name of this node (default: $NODE_NAME)')
      .option('--host-root <dir>', 'where the root of the node is mounted', '/')
      .option('--interval <seconds>', 'seconds between two audits', seconds, 60)
      .option('--heartbeat <seconds>', 'seconds between two signs of life when nothing changes', seconds, 300)
      .option('--kubeconfig <file>', 'how to reach the API server, instead of the service account of the pod'),
    ':9464',
  ).action((options: AgentOptions) => actions.agent(options));
  addEndpointOptions(
    program
      .command('controller')
      .description('join what pods declare with what is in force: custom resources, metrics, page')
      .option('--kubeconfig <file>', 'how to reach the API server, instead of the service account of the pod')
      .option('--namespace <name>', 'namespace of the leader election (default: that of the service account)')
      .option('--no-leader-elect', 'work without leader election: there is one controller only')
      .option('--stale-after <seconds>', 'evidence older than this counts as unknown', seconds, 900)
      .addOption(
        new Option('--log-level <level>', 'what is logged').choices(['error', 'warn', 'info', 'debug']).default('info'),
      ),
    ':8443',
  ).action((options: ControllerOptions) => actions.controller(options));
  addEndpointOptions(
    program
      .command('serve')
      .description('audit this machine again and again: a page and /metrics in one process, without a cluster')
      .option('--host-root <dir>', 'audit the machine whose root is mounted here', '/')
      .option('--interval <seconds>', 'seconds between two audits', seconds, 15),
    '127.0.0.1:9465',
  ).action((options: ServeOptions) => actions.serve(options));
}

function addEndpointOptions(command: Command, listen: string): Command {
  return command
    .addOption(
      new Option('--listen <host:port>', 'where to serve /metrics, /healthz and /readyz')
        .argParser(parseListen)
        .default(parseListen(listen), listen),
    )
    .option('--tls-cert <file>', 'certificate to serve with (default: one made at start)')
    .option('--tls-key <file>', 'its private key')
    .option('--insecure', 'plain HTTP without authentication also beyond loopback', false);
}

function parseListen(text: string): Listen {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) throw new InvalidArgumentError('an address and a port, such as :8443 or 127.0.0.1:8080.');
  return { host: match[1] ?? match[2] ?? '', port };
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0.1) throw new InvalidArgumentError('a number of seconds, at least 0.1.');
  return value;
}
