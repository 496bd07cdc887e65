import { evidenceOf } from '../core/evidence.ts';
import type { NodeFacts } from '../core/facts.ts';
import type { Reading } from '../core/reading.ts';
import { engineOf } from '../core/readiness.ts';
import { fail, type NodeRule, notApplicable, pass, unknown, type Verdict } from '../core/rule.ts';
import { versionAtLeast } from '../core/version.ts';

const UPGRADE = 'Upgrade to containerd 2.0 or later with runc 1.2 or crun 1.9, or to CRI-O 1.25 or later.';

export const runtimeUserNamespaces: NodeRule = {
  kind: 'node',
  id: 'runtime-user-namespaces',
  title: 'The container runtime gives pods the user namespace they ask for',
  severity: 'high',
  readiness: 'kubernetes',
  rationale:
    'containerd 1.6 and older ignores the user namespace a pod asks for without an error: the pod runs as root of the host while its manifest says otherwise. containerd 1.7 supports only Kubernetes 1.25 and 1.26.',
  remediation: UPGRADE,
  references: [
    'https://github.com/containerd/containerd/blob/main/docs/user-namespaces/README.md',
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/#before-you-begin',
  ],
  check(facts) {
    if (engineOf(facts) === 'Docker') return notApplicable('no Kubernetes on this machine, Docker runs its containers');
    const verdicts = [judgeContainerd(facts), judgeCrio(facts), ...judgeOciRuntimes(facts), judgeDocker(facts)].filter(
      (verdict) => verdict !== undefined,
    );
    const worst = (['fail', 'unknown', 'pass'] as const)
      .map((status) => verdicts.find((verdict) => verdict.status === status))
      .find(Boolean);
    const proof = worst?.status === 'unknown' ? privatePods(facts) : 0;
    if (proof > 0)
      return pass(
        `runs ${proof === 1 ? 'a container' : `${proof} containers`} of pods in private user namespaces`,
        worst?.evidence,
      );
    return worst ?? notApplicable('no container runtime of Kubernetes on this machine');
  },
};

/** What runs is proof, whatever the programs do not say of themselves. */
function privatePods({ containers }: NodeFacts): number {
  return containers.filter(
    ({ podUid, nestedIn, sandbox, namespaces }) =>
      podUid !== undefined && nestedIn === undefined && !sandbox && namespaces.user.relation === 'private',
  ).length;
}

function judgeContainerd({ containerd, docker, crio }: NodeFacts): Verdict | undefined {
  const { presence, version, cri, config } = containerd;
  const idle = presence === 'installed' && (docker.presence === 'running' || crio.presence === 'running');
  if (presence === 'absent' || !cri || idle) return undefined;
  const evidence = [versionEvidence('containerd', version)];
  // Docker's package ships containerd with that plugin off.
  if (docker.presence !== 'absent' && !config.ok && config.why !== 'absent')
    return unknown('whether the CRI plugin of containerd is on could not be read', [...evidence, evidenceOf(config)]);
  return version.ok
    ? judgeContainerdVersion(version.value, evidence)
    : unknown('the version of containerd is not known', evidence);
}

function judgeContainerdVersion(version: string, evidence: Verdict['evidence']): Verdict {
  if (versionAtLeast(version, 2, 0)) return pass(`containerd ${version} supports user namespaces`, evidence);
  if (versionAtLeast(version, 1, 7))
    return fail(`containerd ${version} supports user namespaces only for Kubernetes 1.25 and 1.26`, evidence, UPGRADE);
  return fail(
    `containerd ${version} ignores hostUsers: false silently: such a pod runs in the host's user namespace`,
    evidence,
    UPGRADE,
  );
}

function judgeCrio({ crio }: NodeFacts): Verdict | undefined {
  const { presence, version } = crio;
  if (presence === 'absent') return undefined;
  const evidence = [versionEvidence('CRI-O', version)];
  return version.ok
    ? judgeCrioVersion(version.value, evidence)
    : unknown('the version of CRI-O is not known', evidence);
}

function judgeCrioVersion(version: string, evidence: Verdict['evidence']): Verdict {
  if (versionAtLeast(version, 1, 25)) return pass(`CRI-O ${version} supports user namespaces`, evidence);
  return fail(`CRI-O ${version} does not support user namespaces`, evidence, UPGRADE);
}

/**
 * True for a runtime that gives no pod a user namespace of its own, by the name and the version a Node tells of it
 * (`status.nodeInfo.containerRuntimeVersion`). False for whatever is not known here: that is no word on it.
 */
export function isRuntimeTooOld(name: string, version: string | undefined): boolean {
  if (name === 'docker') return true;
  const judge = name === 'containerd' ? judgeContainerdVersion : name === 'cri-o' ? judgeCrioVersion : undefined;
  return version !== undefined && judge?.(version, []).status === 'fail';
}

/** A kubelet with Docker alone: neither cri-dockerd nor the old dockershim knows of user namespaces (Mirantis/cri-dockerd#74). */
function judgeDocker(facts: NodeFacts): Verdict | undefined {
  const { kubelet, docker } = facts;
  const alone = !judgeContainerd(facts) && !judgeCrio(facts);
  if (kubelet.presence === 'absent' || docker.presence === 'absent' || !alone) return undefined;
  return fail(
    'Docker as the runtime of the kubelet gives no pod a user namespace of its own',
    [versionEvidence('Docker', docker.version)],
    UPGRADE,
  );
}

/** Where several are installed the newest may be the one in use, so only a set of too old ones fails. */
function judgeOciRuntimes({ ociRuntimes, containerd, crio }: NodeFacts): readonly Verdict[] {
  if (containerd.presence === 'absent' && crio.presence === 'absent') return [];
  const judged = ociRuntimes.map(({ name, version }) => ({
    name,
    version,
    good: version.ok ? isGood(name, version.value) : undefined,
  }));
  if (judged.length === 0 || judged.some(({ good }) => good !== false)) return [];
  const names = judged.map(({ name, version }) => `${name} ${version.ok ? version.value : ''}`).join(' and ');
  return [
    fail(
      `${names} can not idmap mounts (runc 1.2, crun 1.9)`,
      judged.map(({ name, version }) => versionEvidence(name, version)),
      UPGRADE,
    ),
  ];
}

function isGood(name: string, version: string): boolean {
  return name === 'crun' ? versionAtLeast(version, 1, 9) : versionAtLeast(version, 1, 2);
}

function versionEvidence(name: string, version: Reading<string>): Verdict['evidence'][number] {
  return evidenceOf(version, (value) => `${name} ${value}`);
}
