import type { Toleration, Workload } from '../core/workload.ts';

/** What a manifest does not say and somebody may know: the cluster, or who runs the command. */
export interface AdoptionEvidence {
  /** What stands behind a claim, by `namespace/name` (`/name` without a namespace). */
  readonly claims?: ReadonlyMap<string, StorageName | MissingEvidence>;
  /** What stands behind the claims that a claim template has made so far, by what their names begin with: `shop/data-postgres`. */
  readonly templateClaims?: ReadonlyMap<string, readonly (StorageName | MissingEvidence)[]>;
  /** What a storage class provisions, by name; the empty name is the cluster's default class. */
  readonly storageClasses?: ReadonlyMap<string, StorageName | MissingEvidence>;
  /** What a runtime class runs pods with, by its name. */
  readonly runtimeClasses?: ReadonlyMap<string, RuntimeEvidence>;
  /** The nodes pods may run on; absent where nobody knows. */
  readonly nodes?: readonly NodeStanding[];
  /** Where a cluster was asked: why a name is not in the lists above, or nodes are not judged. It goes on after "Missing: ". */
  readonly missing?: Readonly<Partial<Record<EvidenceKind, string>>>;
  /** Why the API server drops `hostUsers`, where it is known to. */
  readonly dropsHostUsers?: string;
  /** What makes the object, and would undo a change in it: `Rollout shop/web`. */
  readonly makerOf?: (workload: Workload) => string | undefined;
  /** The findings on a workload that a waiver or an exception of the policy accepts. */
  readonly acceptedOf?: (workload: Workload) => readonly Acceptance[];
  /** How many pods a workload has: its share of the adoption. Default 1 for each. */
  readonly podsOf?: (workload: Workload) => number;
}

export type EvidenceKind = 'claims' | 'storageClasses' | 'runtimeClasses' | 'nodes';

/** Evidence that was looked for and could not be had: what it is, as it goes on after "Missing: ". */
export interface MissingEvidence {
  readonly missing: string;
}

/** A finding somebody has accepted: by whom it is not to be told again, and until when. */
export interface Acceptance {
  readonly rule: string;
  readonly by: 'waiver' | 'exception';
  readonly reason: string;
  /** The last day it holds. */
  readonly expires?: string;
  /** It ends soon. */
  readonly expiring?: true;
}

/** A CSI driver, a provisioner of Kubernetes itself, or a file system: `ebs.csi.aws.com`, `kubernetes.io/gce-pd`, `ext4`. */
export type StorageName = string;

export interface RuntimeEvidence {
  /** `runc`, `crun`, `kata-qemu` … */
  readonly handler: string;
  /** `node.status.runtimeHandlers[].features.userNamespaces`, where every node that has the handler says the same. */
  readonly userNamespaces?: boolean;
  /** Which nodes the class asks for, and what it lets its pods tolerate (`scheduling`). */
  readonly scheduling?: {
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly tolerations?: readonly Toleration[];
  };
}

/** `spec.taints[]` of a node. */
export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** Whether a node can run private user namespaces (`UserNamespacesReady` of its NodeAudit). */
export interface NodeStanding {
  readonly name: string;
  readonly status: 'ready' | 'not-ready' | 'unknown';
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly NodeTaint[];
  /** Whether `status.declaredFeatures` has `UserNamespacesHostNetworkSupport`; absent where the node declares nothing at all. */
  readonly declaresHostNetwork?: boolean;
}

/** The key of a claim in `AdoptionEvidence.claims`. */
export function claimKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}
