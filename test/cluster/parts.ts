// Where the programs of a cluster come from, or why there is none here.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { controlPlaneDirectory } from '../control-plane/control-plane.ts';
import { isSkipped, type Lab, type NoLab, requireLab } from '../lab/lab.ts';

/** The programs of a cluster. */
export interface ClusterParts {
  readonly lab: Lab;
  /** The directory of etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kubectl. */
  readonly bin: string;
}

const SOURCE = join(import.meta.dirname, '../control-plane');
const TOOLS = ['ip', 'nsenter', 'unshare', 'openssl'];

/**
 * The programs of a cluster, built and unpacked first when needed (five minutes, once), or why they cannot be here. In CI
 * what is missing is an error: tests that silently skip there prove nothing.
 */
export function requireCluster(): ClusterParts | NoLab {
  const lab = requireLab();
  if (isSkipped(lab)) return lab;
  const bin = controlPlaneDirectory();
  const reason = missingTool() ?? build(bin);
  if (reason === undefined) return { lab, bin };
  if (process.env['CI']) throw new Error(`The test cluster is required in CI: ${reason}`);
  return { skipped: reason };
}

function missingTool(): string | undefined {
  const missing = TOOLS.find((tool) => spawnSync(tool, ['--version']).error !== undefined);
  return missing === undefined ? undefined : `the program ${missing} is missing`;
}

function build(dir: string): string | undefined {
  const built = spawnSync(join(SOURCE, 'build.sh'), [dir], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 1_800_000,
  });
  if (built.status === 0) return undefined;
  return built.error?.message ?? (built.stderr.trim() || `build.sh ended with ${String(built.status ?? built.signal)}`);
}
