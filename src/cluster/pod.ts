import type { PodSpec } from '../core/workload.ts';
import type { Group } from './namespace-state.ts';
import type { Judgement } from './judgement.ts';
import { type ApiObject, listAt, objectAt, podSpecOf, textAt } from './pod-spec.ts';

/** What pods made from one template share: the fields rules read, kept once. */
export interface PodShape {
  /** From 1, in the order they were met. */
  readonly id: number;
  readonly spec: PodSpec;
}

/** A pod as the controller keeps it: 150,000 of them fit into memory. */
export interface SlimPod {
  readonly uid: string;
  /** The uid its cgroups carry: of a static pod the hash of its manifest, which its mirror has as an annotation. */
  readonly cgroupUid: string;
  readonly namespace: string;
  readonly name: string;
  /** The node it was bound to, or empty. */
  readonly node: string;
  readonly phase: 'Pending' | 'Running' | 'Ended';
  /** Kind/name of what it belongs to. */
  readonly workload: string;
  readonly shape: PodShape;
  /** Where it is counted now; kept by the model alone. */
  counted?: { readonly group: Group; readonly judgement: Judgement };
}

/** Keeps texts and shapes once, however many pods have them. */
export interface PodInterner {
  text(value: string): string;
  shape(spec: ApiObject): PodShape;
}

/** Texts kept in one generation: names of short-lived jobs must not pile up for ever. */
const GENERATION = 100_000;

export function createPodInterner(): PodInterner {
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  // Shapes live as long as a pod has them.
  const shapes = new Map<string, WeakRef<PodShape>>();
  const unused = new FinalizationRegistry<string>((key) => {
    if (shapes.get(key)?.deref() === undefined) shapes.delete(key);
  });
  let lastId = 0;
  return {
    text(value) {
      const known = young.get(value);
      if (known !== undefined) return known;
      // A part of a parsed answer would keep the whole of it in memory.
      const own = old.get(value) ?? Buffer.from(value).toString();
      if (young.size >= GENERATION) {
        old = young;
        young = new Map();
      }
      young.set(own, own);
      return own;
    },
    shape(spec) {
      const key = JSON.stringify(podSpecOf(spec));
      const known = shapes.get(key)?.deref();
      if (known) return known;
      const shape = { id: ++lastId, spec: JSON.parse(key) as PodSpec };
      shapes.set(key, new WeakRef(shape));
      unused.register(shape, key);
      return shape;
    },
  };
}

const SECURITY_FIELDS = {
  privileged: true,
  allowPrivilegeEscalation: true,
  procMount: true,
  runAsUser: true,
  runAsGroup: true,
  runAsNonRoot: true,
  capabilities: true,
} as const;
const CONTAINER_FIELDS = {
  name: true,
  securityContext: SECURITY_FIELDS,
  volumeDevices: { name: true },
  volumeMounts: { name: true, readOnly: true },
  resources: true,
} as const;

/** Of most sources the name says it all. */
const NOTHING = {} as const;
const VOLUME_FIELDS = {
  name: true,
  hostPath: { path: true },
  persistentVolumeClaim: { claimName: true },
  emptyDir: { medium: true },
  ephemeral: { volumeClaimTemplate: { spec: { storageClassName: true } } },
  csi: { driver: true },
  flexVolume: { driver: true },
  configMap: NOTHING,
  secret: NOTHING,
  projected: NOTHING,
  downwardAPI: NOTHING,
  image: NOTHING,
  nfs: NOTHING,
  iscsi: NOTHING,
  fc: NOTHING,
  rbd: NOTHING,
  cephfs: NOTHING,
  glusterfs: NOTHING,
  gitRepo: NOTHING,
  gcePersistentDisk: NOTHING,
  awsElasticBlockStore: NOTHING,
  azureDisk: NOTHING,
  azureFile: NOTHING,
  cinder: NOTHING,
  flocker: NOTHING,
  photonPersistentDisk: NOTHING,
  portworxVolume: NOTHING,
  quobyte: NOTHING,
  scaleIO: NOTHING,
  storageos: NOTHING,
  vsphereVolume: NOTHING,
} as const;

/** All that `slimPod` looks at. */
export const POD_FIELDS = {
  metadata: {
    name: true,
    namespace: true,
    uid: true,
    labels: { 'pod-template-hash': true },
    annotations: { 'kubernetes.io/config.hash': true, 'kubernetes.io/config.mirror': true },
    ownerReferences: { controller: true, kind: true, name: true },
  },
  spec: {
    nodeName: true,
    hostUsers: true,
    hostPID: true,
    hostIPC: true,
    hostNetwork: true,
    shareProcessNamespace: true,
    runtimeClassName: true,
    os: true,
    securityContext: true,
    containers: CONTAINER_FIELDS,
    initContainers: CONTAINER_FIELDS,
    ephemeralContainers: CONTAINER_FIELDS,
    volumes: VOLUME_FIELDS,
    resourceClaims: { name: true },
  },
  status: { phase: true },
} as const;

/** The slim record of a pod as the API server sends it; `undefined` for what is no pod. */
export function slimPod(object: ApiObject, interner: PodInterner): SlimPod | undefined {
  const metadata = objectAt(object, 'metadata');
  const spec = objectAt(object, 'spec');
  const uid = textAt(metadata, 'uid');
  const name = textAt(metadata, 'name');
  const namespace = textAt(metadata, 'namespace');
  if (uid === undefined || name === undefined || namespace === undefined) return undefined;
  const annotations = objectAt(metadata, 'annotations');
  const isMirror = annotations['kubernetes.io/config.mirror'] !== undefined;
  return {
    uid,
    cgroupUid: (isMirror ? textAt(annotations, 'kubernetes.io/config.hash') : undefined) ?? uid,
    namespace: interner.text(namespace),
    name,
    node: interner.text(textAt(spec, 'nodeName') ?? ''),
    phase: phaseOf(textAt(objectAt(object, 'status'), 'phase')),
    workload: interner.text(workloadOf(metadata, name)),
    shape: interner.shape(spec),
  };
}

/** True when nothing that is judged differs, whatever else has changed of the pod. */
export function isSamePod(a: SlimPod, b: SlimPod): boolean {
  return (
    a.uid === b.uid &&
    a.phase === b.phase &&
    a.node === b.node &&
    a.shape === b.shape &&
    a.cgroupUid === b.cgroupUid &&
    a.workload === b.workload
  );
}

function phaseOf(phase: string | undefined): SlimPod['phase'] {
  if (phase === 'Running') return 'Running';
  return phase === 'Succeeded' || phase === 'Failed' ? 'Ended' : 'Pending';
}

/**
 * The workload people know, from the pod alone: a ReplicaSet named after its Deployment and the template's hash stands for the
 * Deployment, a Job named after a CronJob and the minute of its schedule for the CronJob; else the owner itself, else the pod.
 */
function workloadOf(metadata: ApiObject, name: string): string {
  const owner = listAt(metadata, 'ownerReferences').find(({ controller }) => controller === true);
  const kind = owner && textAt(owner, 'kind');
  const ownerName = owner && textAt(owner, 'name');
  // The owner of a mirror pod is its node.
  if (kind === undefined || ownerName === undefined || kind === 'Node') return `Pod/${name}`;
  if (kind === 'ReplicaSet') {
    const hash = textAt(objectAt(metadata, 'labels'), 'pod-template-hash');
    const suffix = `-${hash ?? ''}`;
    if (hash !== undefined && ownerName.endsWith(suffix)) return `Deployment/${ownerName.slice(0, -suffix.length)}`;
  }
  if (kind === 'Job' && /-\d{8}$/.test(ownerName)) return `CronJob/${ownerName.slice(0, -9)}`;
  return `${kind}/${ownerName}`;
}
