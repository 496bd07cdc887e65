import type { KubernetesVersion } from '../core/workload.ts';
import { parseKubernetesVersion } from '../core/pod-user-namespace.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { KubernetesStatus } from './write-policy.ts';

export interface ClusterEvidence {
  readonly version: KubernetesVersion | undefined;
  readonly status: KubernetesStatus;
}

/** A server that is well sends its /metrics within a second or two. Without an answer nothing is written. */
const PATIENCE_MS = 30_000;

const GATE = /^kubernetes_feature_enabled\{[^}]*name="UserNamespacesSupport"[^}]*\} ([01])/m;

/**
 * Whether the API server keeps `spec.hostUsers`: where the gate is off it drops the field without a word (KEP-127). Its /metrics
 * tell; where they are closed, its version. @throws KubeError when it does not even tell its version.
 */
export async function readClusterEvidence(
  client: Pick<KubeClient, 'get' | 'stream'>,
  signal: AbortSignal,
  patienceMs = PATIENCE_MS,
): Promise<ClusterEvidence> {
  const { gitVersion } = await client.get<{ readonly gitVersion: string }>('/version', {}, signal);
  const version = parseKubernetesVersion(gitVersion.replace(/[-+].*$/, ''));
  const gate = await readGate(client, signal, patienceMs);
  const kept = typeof gate === 'boolean' ? gate : undefined;
  const byVersion = judgeVersion(version);
  return {
    version,
    status:
      kept === undefined
        ? { version: gitVersion, ...byVersion, reason: `${byVersion.reason}; its /metrics: ${String(gate)}` }
        : {
            version: gitVersion,
            keepsHostUsers: kept ? 'True' : 'False',
            reason: `kubernetes_feature_enabled{name="UserNamespacesSupport"} is ${Number(kept)}`,
          },
  };
}

/** The gate, or why it is not known. The answer is megabytes long: reading ends where the line is found. */
async function readGate(
  client: Pick<KubeClient, 'stream'>,
  signal: AbortSignal,
  patienceMs: number,
): Promise<boolean | string> {
  const enough = new AbortController();
  const late = AbortSignal.timeout(patienceMs);
  let tail = '';
  try {
    for await (const chunk of client.stream('/metrics', {}, AbortSignal.any([signal, enough.signal, late]))) {
      const text = tail + chunk.toString('latin1');
      const found = GATE.exec(text);
      if (found) return found[1] === '1';
      tail = text.slice(text.lastIndexOf('\n') + 1);
    }
    return 'say nothing of the gate';
  } catch (error) {
    if (error instanceof KubeError && error.status > 0) return `answered ${error.status}`;
    if (late.aborted && !signal.aborted) return `did not end within ${patienceMs / 1000} s`;
    throw error;
  } finally {
    enough.abort();
  }
}

/** KEP-127: alpha in 1.25, beta and off in 1.30, on by default in 1.33, locked on in 1.36. */
function judgeVersion(version: KubernetesVersion | undefined): Pick<KubernetesStatus, 'keepsHostUsers' | 'reason'> {
  if (!version) return { keepsHostUsers: 'Unknown', reason: 'its version can not be read' };
  const { major, minor } = version;
  const since = (first: number): boolean => major > 1 || minor >= first;
  if (since(36)) return { keepsHostUsers: 'True', reason: 'the gate is locked on from 1.36' };
  if (since(33)) return { keepsHostUsers: 'Unknown', reason: 'the gate is on by default from 1.33, and can be off' };
  if (since(25)) return { keepsHostUsers: 'Unknown', reason: 'the gate is off by default before 1.33' };
  return { keepsHostUsers: 'False', reason: 'the field came with 1.25' };
}
