import type { PodSpecPath } from './manifest.ts';
import { groupOf } from './objects.ts';
import type { Outline } from './yaml/outline.ts';

/** Kinds of Kubernetes itself that describe no pod, by API group. Of these only the grammar is checked. */
const PLAIN_KINDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    '': 'ConfigMap Secret Service ServiceAccount Namespace PersistentVolume PersistentVolumeClaim Endpoints LimitRange ResourceQuota Event Node',
    'apiextensions.k8s.io': 'CustomResourceDefinition',
    'rbac.authorization.k8s.io': 'Role RoleBinding ClusterRole ClusterRoleBinding',
    'networking.k8s.io': 'Ingress IngressClass NetworkPolicy',
    'storage.k8s.io': 'StorageClass CSIDriver CSINode VolumeAttachment',
    autoscaling: 'HorizontalPodAutoscaler',
    policy: 'PodDisruptionBudget PodSecurityPolicy',
    'admissionregistration.k8s.io':
      'ValidatingWebhookConfiguration MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding',
    'apiregistration.k8s.io': 'APIService',
    'scheduling.k8s.io': 'PriorityClass',
    'discovery.k8s.io': 'EndpointSlice',
    'coordination.k8s.io': 'Lease',
  }).map(([group, kinds]) => [group, new Set(kinds.split(' '))] as const),
);

/** False only for a document that is certainly none: by a kind that holds no pods and was not given to `--pod-spec-path`. */
export function mayBeWorkload({ apiVersion, kind }: Outline, custom: readonly PodSpecPath[]): boolean {
  if (PLAIN_KINDS.get(groupOf(apiVersion))?.has(kind) !== true) return true;
  return custom.some((path) => path.kind === kind);
}
