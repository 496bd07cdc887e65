/** A path of keys and indexes in a document: `['spec', 'containers', 0, 'image']`. */
export type FieldPath = readonly (string | number)[];

/** A span of text in a file; lines and columns count from 1, the end is exclusive. All are 0 where there is no text. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface Capabilities {
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
}

/** The fields of a SecurityContext the rules read (k8s.io/api/core/v1). */
export interface SecurityContext {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly capabilities?: Capabilities;
  readonly procMount?: string;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
}

export interface PodSecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly fsGroup?: number;
  readonly supplementalGroups?: readonly number[];
}

export interface ContainerSpec {
  readonly name: string;
  readonly image?: string;
  readonly securityContext?: SecurityContext;
  /** Raw block devices, which hostUsers: false excludes. */
  readonly volumeDevices?: readonly unknown[];
  /** Only where the pod has a hostPath volume: nothing else asks who writes. */
  readonly volumeMounts?: readonly VolumeMount[];
  /** Names of the extended resources among its limits and requests, which device plugins serve: `nvidia.com/gpu`. */
  readonly extendedResources?: readonly string[];
}

export interface VolumeMount {
  readonly name: string;
  readonly readOnly: boolean;
}

/** A volume by its name and the key of its source: `nfs`, `emptyDir`, `persistentVolumeClaim` … */
export interface Volume {
  readonly name: string;
  readonly source: string | undefined;
  /** Of `csi` and `flexVolume`. */
  readonly driver?: string;
  /** Of `hostPath`: the path on the node. */
  readonly hostPath?: string;
  /** Of `persistentVolumeClaim`. */
  readonly claimName?: string;
  /** Of `ephemeral`: the class its claim names; absent where the cluster's default decides. */
  readonly storageClass?: string;
  /** Of `emptyDir`: `Memory`, `HugePages`, `HugePages-2Mi` … */
  readonly medium?: string;
}

/** A claim that a StatefulSet makes for each of its pods. */
export interface ClaimTemplate {
  readonly name: string;
  /** Absent where the cluster's default decides. */
  readonly storageClass?: string;
}

/** One requirement of node affinity: `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`. */
export interface NodeRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** Requirements that must hold together, over labels and over the fields of a node. */
export interface NodeSelectorTerm {
  readonly matchExpressions: readonly NodeRequirement[];
  readonly matchFields: readonly NodeRequirement[];
}

/** What is left out is the empty text: any key, any effect, operator `Equal`. */
export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

/**
 * The fields of a PodSpec the rules read, every one of the type the API server asks for: the reader (src/manifests) leaves
 * out a field of a wrong type and reports it. A compose service or a `docker inspect` record is translated into the same
 * words, with `hostUTS`, which Kubernetes has no field for.
 */
export interface PodSpec {
  readonly hostUsers?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostUTS?: boolean;
  readonly shareProcessNamespace?: boolean;
  readonly osName?: string;
  readonly runtimeClassName?: string;
  readonly securityContext?: PodSecurityContext;
  readonly containers: readonly ContainerSpec[];
  readonly initContainers: readonly ContainerSpec[];
  readonly ephemeralContainers: readonly ContainerSpec[];
  readonly volumes: readonly Volume[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** `affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms` */
  readonly requiredNodeTerms?: readonly NodeSelectorTerm[];
  readonly tolerations?: readonly Toleration[];
  /** Names of the devices it claims by dynamic resource allocation. */
  readonly resourceClaims?: readonly string[];
  /** Stand beside the pod template, and are volumes of its pods all the same. */
  readonly volumeClaimTemplates?: readonly ClaimTemplate[];
}

/** A pod template wherever it was written down. */
export interface Workload {
  readonly platform: 'kubernetes' | 'docker';
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly podSpec: PodSpec;
  /**
   * The pod is made from another object too (an injected sidecar, the steps of a Tekton task): of its pod-level fields only what
   * is there can be judged, what is missing says nothing.
   */
  readonly containersOnly?: boolean;
  /** Built by a tool from files that may be judged themselves: a finding that is told there already is not told again. */
  readonly derived?: boolean;
  /** Annotations of the object and of its pod template, the template's winning: they carry waivers. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Text path of a field for people: `spec.template.spec.hostPID`, `services.web.pid`. */
  fieldName(path: FieldPath): string;
  /** Where a field of `podSpec` stands in its file; where it is missing, the place of the nearest parent that is there. */
  locate(path: FieldPath): Place;
  /** Where an annotation stands; without it remarks on an annotation point to the pod spec. */
  locateAnnotation?(key: string): Place;
}

/** A container with its place in the pod spec. */
export interface PlacedContainer {
  readonly container: ContainerSpec;
  readonly path: FieldPath;
}

/** Init, regular and ephemeral containers, in this order: every rule over containers asks all three. */
export function containersOf({ initContainers, containers, ephemeralContainers }: PodSpec): readonly PlacedContainer[] {
  return [
    ...initContainers.map((container, index) => ({ container, path: ['initContainers', index] })),
    ...containers.map((container, index) => ({ container, path: ['containers', index] })),
    ...ephemeralContainers.map((container, index) => ({ container, path: ['ephemeralContainers', index] })),
  ];
}

/** An OpenShift SecurityContextConstraints, as far as the rules read it. */
export interface SecurityContextConstraints {
  readonly name: string;
  readonly allowHostPID?: boolean;
  readonly allowHostIPC?: boolean;
  readonly allowHostNetwork?: boolean;
  readonly userNamespaceLevel?: string;
  /** They carry waivers, as a workload's do. */
  readonly annotations?: Readonly<Record<string, string>>;
  fieldName(path: FieldPath): string;
  locate(path: FieldPath): Place;
  locateAnnotation?(key: string): Place;
}

/** Kubernetes minor version the manifests are judged for: `{ major: 1, minor: 36 }`. */
export interface KubernetesVersion {
  readonly major: number;
  readonly minor: number;
}
