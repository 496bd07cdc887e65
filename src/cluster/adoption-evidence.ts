import type { Workload } from '../core/workload.ts';

/** What a manifest does not say and somebody may know: the cluster, or who runs the command. */
export interface AdoptionEvidence {
  /** What stands behind a claim, by `namespace/name` (`/name` without a namespace). */
  readonly claims?: ReadonlyMap<string, StorageName>;
  /** What a storage class provisions, by name; the empty name is the cluster's default class. */
  readonly storageClasses?: ReadonlyMap<string, StorageName>;
  /** What a runtime class runs pods with, by its name. */
  readonly runtimeClasses?: ReadonlyMap<string, RuntimeEvidence>;
  /** The nodes pods may run on; absent where nobody knows. */
  readonly nodes?: readonly NodeStanding[];
  /** How many pods a workload has: its share of the adoption. Default 1 for each. */
  readonly podsOf?: (workload: Workload) => number;
}

/** A CSI driver, a provisioner of Kubernetes itself, or a file system: `ebs.csi.aws.com`, `kubernetes.io/gce-pd`, `ext4`. */
export type StorageName = string;

export interface RuntimeEvidence {
  /** `runc`, `crun`, `kata-qemu` … */
  readonly handler: string;
  /** `node.status.runtimeHandlers[].features.userNamespaces`, where every node that has the handler says the same. */
  readonly userNamespaces?: boolean;
}

/** Whether a node can run private user namespaces (`UserNamespacesReady` of its NodeAudit). */
export interface NodeStanding {
  readonly name: string;
  readonly status: 'ready' | 'not-ready' | 'unknown';
  readonly labels?: Readonly<Record<string, string>>;
}

/** The key of a claim in `AdoptionEvidence.claims`. */
export function claimKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}
