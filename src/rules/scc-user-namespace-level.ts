import type { SccRule } from '../core/rule.ts';
import { isShippedScc } from '../core/scc-shipped.ts';

export const sccUserNamespaceLevel: SccRule = {
  kind: 'scc',
  id: 'scc-user-namespace-level',
  title: 'The SecurityContextConstraints demands a user namespace of every pod',
  severity: 'medium',
  rationale:
    'userNamespaceLevel: RequirePodLevel makes OpenShift refuse every pod under the SCC that does not set hostUsers: false, so that isolation no longer depends on each pod spec. Without it, AllowHostLevel, both are admitted.',
  remediation:
    'Set userNamespaceLevel: RequirePodLevel, or move workloads to the restricted-v3 SCC that ships with OpenShift 4.20.',
  references: [
    'https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/nodes/working-with-pods',
    'https://github.com/openshift/api/blob/master/security/v1/types.go',
  ],
  *check(scc) {
    if (isShippedScc(scc.name) || scc.userNamespaceLevel === 'RequirePodLevel') return;
    // Pods in a host namespace can not have hostUsers: false: scc-host-namespaces speaks of such an SCC.
    if (scc.allowHostPID === true || scc.allowHostIPC === true || scc.allowHostNetwork === true) return;
    yield {
      path: ['userNamespaceLevel'],
      message: "admits pods in the host's user namespace",
      fix: 'Set userNamespaceLevel: RequirePodLevel.',
    };
  },
};
