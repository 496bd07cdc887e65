/**
 * SecurityContextConstraints that OpenShift ships with host namespaces open, and tells not to edit
 * (openshift/cluster-kube-apiserver-operator, bindata/assets/kube-apiserver/scc-*.yaml).
 */
const SHIPPED: ReadonlySet<string> = new Set([
  'anyuid',
  'hostaccess',
  'hostmount-anyuid',
  'hostmount-anyuid-v2',
  'hostnetwork',
  'hostnetwork-v2',
  'nonroot',
  'nonroot-v2',
  'privileged',
  'restricted',
  'restricted-v2',
]);

/** True for an SCC that belongs to OpenShift itself. */
export function isShippedScc(name: string): boolean {
  return SHIPPED.has(name);
}
