import { type ApiObject, listAt, objectAt, textAt } from '../cluster/pod-spec.ts';
import { POD_FIELDS } from '../cluster/pod.ts';

/** A resource of the API whose objects make pods. */
export interface WorkloadResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  /** Not every cluster serves it. */
  readonly optional?: true;
}

/** What makes pods in a cluster by itself; other kinds are seen by the objects and pods they own. */
export const WORKLOAD_RESOURCES: readonly WorkloadResource[] = [
  { group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment' },
  { group: 'apps', version: 'v1', resource: 'statefulsets', kind: 'StatefulSet' },
  { group: 'apps', version: 'v1', resource: 'daemonsets', kind: 'DaemonSet' },
  { group: 'apps', version: 'v1', resource: 'replicasets', kind: 'ReplicaSet' },
  { group: '', version: 'v1', resource: 'replicationcontrollers', kind: 'ReplicationController' },
  { group: 'batch', version: 'v1', resource: 'jobs', kind: 'Job' },
  { group: 'batch', version: 'v1', resource: 'cronjobs', kind: 'CronJob' },
  {
    group: 'apps.openshift.io',
    version: 'v1',
    resource: 'deploymentconfigs',
    kind: 'DeploymentConfig',
    optional: true,
  },
];

const OWNER_FIELDS = { controller: true, apiVersion: true, kind: true, name: true, uid: true } as const;
const METADATA_FIELDS = {
  name: true,
  namespace: true,
  uid: true,
  annotations: true,
  ownerReferences: OWNER_FIELDS,
} as const;
const POD_SPEC_FIELDS = {
  ...POD_FIELDS.spec,
  nodeSelector: true,
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: true } },
  tolerations: true,
} as const;
const TEMPLATE_FIELDS = { metadata: { annotations: true }, spec: POD_SPEC_FIELDS } as const;

/** All that is looked at of the objects of `WORKLOAD_RESOURCES`. */
export const WORKLOAD_FIELDS = {
  metadata: METADATA_FIELDS,
  spec: {
    replicas: true,
    template: TEMPLATE_FIELDS,
    jobTemplate: { spec: { template: TEMPLATE_FIELDS } },
    volumeClaimTemplates: { metadata: { name: true }, spec: { storageClassName: true } },
  },
  status: { conditions: { type: true, status: true } },
} as const;

/** All that is looked at of pods. */
export const LIVE_POD_FIELDS = { metadata: METADATA_FIELDS, spec: POD_SPEC_FIELDS, status: { phase: true } } as const;

export interface LiveObjects {
  /** Those of a resource that could not be listed are not there. */
  readonly lists: readonly { readonly resource: WorkloadResource; readonly objects: readonly ApiObject[] }[];
  /** Undefined where they could not be listed. */
  readonly pods: readonly ApiObject[] | undefined;
}

/** What keeps an object as it is. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The owner that manages the object (`controller: true`), if any does. */
export function controllerOf(object: object): Owner | undefined {
  const found = listAt(objectAt(object, 'metadata'), 'ownerReferences').find(({ controller }) => controller === true);
  return (
    found && {
      apiVersion: textAt(found, 'apiVersion') ?? '',
      kind: textAt(found, 'kind') ?? '',
      name: textAt(found, 'name') ?? '',
      uid: textAt(found, 'uid') ?? '',
    }
  );
}

/** `metadata.uid` */
export function uidOf(object: object): string {
  return textAt(objectAt(object, 'metadata'), 'uid') ?? '';
}
