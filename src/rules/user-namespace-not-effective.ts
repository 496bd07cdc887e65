import type { Container } from '../core/container.ts';
import { evidenceOf } from '../core/evidence.ts';
import { formatIdMap, type IdMap } from '../core/id-map.ts';
import {
  type EffectiveContext,
  type EffectiveRule,
  fail,
  notApplicable,
  pass,
  unknown,
  type Verdict,
} from '../core/rule.ts';
import { usernsRemapOf } from '../core/userns-remap.ts';
import { insideAnother, namespaceEvidence, outOfScope } from '../core/container-scope.ts';

export const userNamespaceNotEffective: EffectiveRule = {
  kind: 'effective',
  id: 'user-namespace-not-effective',
  title: 'A declared private user namespace is really in force',
  severity: 'critical',
  rationale:
    'hostUsers: false can be ignored without an error: by containerd 1.6 and older, by old kubelets, by an API server that drops the field. The pod then counts as isolated while its root is root of the host.',
  remediation:
    'Upgrade the runtime and the kubelet of this node (see runtime-user-namespaces, kubelet-user-namespaces), then recreate the pod.',
  references: [
    'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces#version-skew-strategy',
    'https://github.com/containerd/containerd/blob/main/docs/user-namespaces/README.md',
  ],
  check(container, context) {
    const excluded = outOfScope(container) ?? insideAnother(container);
    if (excluded) return excluded;
    const declared = declaredMap(container, context);
    if ('verdict' in declared) return declared.verdict;
    const { user } = container.namespaces;
    const evidence = [
      declared.evidence,
      namespaceEvidence(container, 'user'),
      evidenceOf(container.uidMap, formatIdMap),
    ];
    if (user.relation === 'unknown') return unknown(`user namespace not visible: ${user.reason}`, evidence);
    if (user.relation !== 'private')
      return fail(
        `declared a private user namespace and runs in the host's: root inside is root on the host`,
        evidence,
      );
    const { uidMap } = container;
    if (!uidMap.ok) return unknown('uid_map could not be read', evidence);
    if (declared.map && formatIdMap(declared.map) !== formatIdMap(uidMap.value)) {
      return fail(
        `runs with other ids (${formatIdMap(uidMap.value)}) than were allocated for it (${formatIdMap(declared.map)})`,
        evidence,
      );
    }
    return pass('runs in the private user namespace it declared', evidence);
  },
};

type Declared =
  { readonly verdict: Verdict } | { readonly map?: IdMap; readonly evidence: Verdict['evidence'][number] };

/** Declared private: by the pod itself, by the kubelet's record of it, or by a Docker daemon that remaps. */
function declaredMap({ podUid, pod: spec, docker }: Container, context: EffectiveContext): Declared {
  if (spec) {
    if (spec.hostUsers !== false) return { verdict: notApplicable('its pod declares no private user namespace') };
    return { evidence: { source: 'spec.hostUsers', value: 'false' } };
  }
  if (docker) {
    const daemon = context.docker;
    const setting = daemon?.usernsRemap[0];
    if (docker.usernsMode === 'host' || (daemon && usernsRemapOf(daemon).state === 'off'))
      return { verdict: notApplicable('declares no private user namespace') };
    if (!setting) return { verdict: unknown("whether dockerd's userns-remap is set could not be read") };
    return { evidence: { source: setting.source, value: `userns-remap: ${setting.value}` } };
  }
  if (podUid === undefined) return { verdict: unknown('what it was started with is not known on this machine') };
  const { kubeletPods } = context;
  const pod = kubeletPods.ok ? kubeletPods.value.find(({ uid }) => uid === podUid) : undefined;
  if (!pod) return { verdict: unknown('what its pod declares is not known on this machine') };
  const record = pod.userNamespace;
  if (record.ok) {
    const map = record.value.map(({ containerId, hostId, length }) => ({
      inside: containerId,
      outside: hostId,
      length,
    }));
    return { map, evidence: { source: record.source, value: formatIdMap(map) } };
  }
  if (record.why === 'absent') return { verdict: notApplicable('its pod declares no private user namespace') };
  return {
    verdict: unknown(`the kubelet's record of its pod could not be read: ${record.detail}`, [evidenceOf(record)]),
  };
}
