import type { SccRule } from '../core/rule.ts';
import { isShippedScc } from '../core/scc-shipped.ts';

const FIELDS = { allowHostPID: 'PID', allowHostIPC: 'IPC', allowHostNetwork: 'network' } as const;

export const sccHostNamespaces: SccRule = {
  kind: 'scc',
  id: 'scc-host-namespaces',
  title: 'The SecurityContextConstraints opens no host namespace',
  severity: 'high',
  rationale:
    'Whoever may use an SCC with allowHostPID, allowHostIPC or allowHostNetwork may run pods in that namespace of the node. On OpenShift this is the door, and no pod spec behind it can be trusted to be modest.',
  remediation:
    'Set the field to false. Where a workload needs the namespace, use the SCC OpenShift ships for it (hostnetwork-v2, hostaccess) bound to that one service account, or record an exception.',
  references: [
    'https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/authentication_and_authorization/managing-pod-security-policies',
    'ComplianceAsCode scc_limit_process_id_namespace, scc_limit_ipc_namespace, scc_limit_network_namespace',
    'DISA STIG CNTR-OS-000660',
  ],
  *check(scc) {
    if (isShippedScc(scc.name)) return;
    for (const field of ['allowHostPID', 'allowHostIPC', 'allowHostNetwork'] as const) {
      if (scc[field] !== true) continue;
      yield {
        path: [field],
        message: `lets its users run pods in the host's ${FIELDS[field]} namespace`,
        fix: `Set ${field}: false.`,
      };
    }
  },
};
