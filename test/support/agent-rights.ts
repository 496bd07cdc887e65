/** All that the design lets an agent do, given to the service account `agent` in `default`. */
export const AGENT_RIGHTS = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: agent }
rules: [{ apiGroups: [userns-audit.dev], resources: [nodeaudits/status], verbs: [get, patch] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: agent }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: agent }
subjects: [{ kind: ServiceAccount, name: agent, namespace: default }]
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: agent, namespace: default }
`;
