import { evidenceOf, evidenceOfSetting } from '../core/evidence.ts';
import type { KubeletFacts } from '../core/facts.ts';
import { fail, type NodeRule, notApplicable, pass, unknown, type Verdict } from '../core/rule.ts';
import { versionAtLeast } from '../core/version.ts';

const GATE = 'UserNamespacesSupport';

export const kubeletUserNamespaces: NodeRule = {
  kind: 'node',
  id: 'kubelet-user-namespaces',
  title: 'The kubelet honors hostUsers: false',
  severity: 'medium',
  readiness: 'kubernetes',
  rationale:
    'The kubelet passes hostUsers: false on to the runtime by default since 1.33, from 1.30 on with the feature gate UserNamespacesSupport. Older kubelets run such a pod in the host user namespace without an error.',
  remediation:
    'Upgrade the kubelet to 1.33 or later; from 1.30 on the feature gate UserNamespacesSupport: true will do.',
  references: [
    'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces',
    'https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/',
  ],
  check({ kubelet }) {
    if (kubelet.presence === 'absent') return notApplicable('no kubelet on this machine');
    const { version, featureGate: gate, config } = kubelet;
    const evidence = [
      evidenceOf(version, (value) => `kubelet ${value}`),
      ...(gate ? [evidenceOfSetting(gate, GATE)] : []),
    ];
    const recorded = recordedPods(kubelet);
    if (version.ok && versionAtLeast(version.value, 1, 36))
      return pass(`kubelet ${version.value} always honors hostUsers: false`, evidence);
    if (gate && !gate.value)
      return fail(
        `the feature gate ${GATE} is off`,
        evidence,
        `Remove ${GATE}: false from ${gate.source} and restart the kubelet.`,
      );
    if (recorded > 0) {
      return pass(`kubelet has allocated user namespaces for ${recorded} pods`, [
        ...evidence,
        { source: `${kubelet.rootDir}/pods/*/userns`, value: `${recorded} files` },
      ]);
    }
    if (!version.ok) return unknown('the version of the kubelet is not known', evidence);
    if (!gate && !config.ok && config.why !== 'absent')
      return unknown(`whether the feature gate ${GATE} is set could not be read`, [...evidence, evidenceOf(config)]);
    return judgeVersion(version.value, gate?.value === true, evidence);
  },
};

function recordedPods({ pods }: KubeletFacts): number {
  return pods.ok ? pods.value.filter(({ userNamespace }) => userNamespace.ok).length : 0;
}

/** True for a version that no feature gate helps: all a Node tells of its kubelet (`status.nodeInfo.kubeletVersion`). */
export function isKubeletTooOld(version: string): boolean {
  return judgeVersion(version, true, []).status === 'fail';
}

function judgeVersion(version: string, gate: boolean, evidence: Verdict['evidence']): Verdict {
  if (versionAtLeast(version, 1, 33)) return pass(`kubelet ${version} honors hostUsers: false by default`, evidence);
  if (versionAtLeast(version, 1, 25) && gate)
    return pass(`kubelet ${version} honors hostUsers: false: the feature gate is on`, evidence);
  if (versionAtLeast(version, 1, 30)) {
    return fail(
      `kubelet ${version} has ${GATE} off by default`,
      evidence,
      `Set featureGates: {${GATE}: true} in the KubeletConfiguration and restart the kubelet, or upgrade to 1.33.`,
    );
  }
  return fail(
    `kubelet ${version} ignores hostUsers: false or runs it as an alpha feature`,
    evidence,
    'Upgrade the kubelet to 1.33 or later.',
  );
}
