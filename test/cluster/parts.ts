// Where the programs of a cluster come from, or why there is none here.
import { spawnSync } from 'node:child_process';
import { buildControlPlane, controlPlaneDirectory } from '../control-plane/control-plane.ts';
import { isSkipped, type Lab, type NoLab, requireLab } from '../lab/lab.ts';
import { lackOf } from '../support/cached-programs.ts';

/** The programs of a cluster. */
export interface ClusterParts {
  readonly lab: Lab;
  /** The directory of etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kubectl. */
  readonly bin: string;
}

const TOOLS = ['ip', 'nsenter', 'unshare', 'openssl'];

/**
 * The programs of a cluster, built and unpacked first when needed (five minutes, once), or why they cannot be here. In CI
 * what is missing is an error: tests that silently skip there prove nothing.
 */
export function requireCluster(): ClusterParts | NoLab {
  const lab = requireLab();
  if (isSkipped(lab)) return lab;
  const bin = controlPlaneDirectory();
  const reason = missingTool() ?? buildControlPlane(bin);
  return reason === undefined ? { lab, bin } : lackOf('The test cluster', reason);
}

function missingTool(): string | undefined {
  const missing = TOOLS.find((tool) => spawnSync(tool, ['--version']).error !== undefined);
  return missing === undefined ? undefined : `the program ${missing} is missing`;
}
