import { type AdoptionEvidence, claimKey, type MissingEvidence, type StorageName } from './adoption-evidence.ts';
import { BLOCK_SOURCES, isMappable } from './adoption-volumes.ts';
import { type Listed, missingOf, nameOf, objectsOf } from './listed.ts';
import { type ApiObject, objectAt, textAt } from './pod-spec.ts';

export interface StorageObjects {
  readonly claims: Listed;
  readonly volumes: Listed;
  readonly classes: Listed;
}

/** What a list of claims tells of storage. */
export type StorageEvidence = Required<Pick<AdoptionEvidence, 'claims' | 'templateClaims' | 'storageClasses'>> & {
  readonly missing: Required<Pick<NonNullable<AdoptionEvidence['missing']>, 'claims' | 'storageClasses'>>;
};

/** All that `storageEvidence` looks at. */
export const CLAIM_FIELDS = {
  metadata: { name: true, namespace: true },
  spec: { volumeName: true, storageClassName: true },
} as const;
export const CLASS_FIELDS = {
  metadata: {
    name: true,
    annotations: { 'storageclass.kubernetes.io/is-default-class': true },
    creationTimestamp: true,
  },
  provisioner: true,
  parameters: { fsType: true, fstype: true, 'csi.storage.k8s.io/fstype': true },
} as const;

/**
 * What stands behind every claim of a cluster: the volume it is bound to; where it is not bound yet, what its class provisions.
 * @see https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 */
export function storageEvidence({ claims, volumes, classes }: StorageObjects): StorageEvidence {
  const storageClasses = classEvidence(classes);
  const classesMissing = missingOf(classes, 'the storage class: the cluster has none of this name');
  const volumesMissing = missingOf(volumes, 'the cluster has none of this name');
  const byName = new Map(objectsOf(volumes).map((volume) => [nameOf(volume), objectAt(volume, 'spec')]));
  const found = new Map<string, StorageName | MissingEvidence>();
  const templates = new Map<string, (StorageName | MissingEvidence)[]>();
  for (const claim of objectsOf(claims)) {
    const spec = objectAt(claim, 'spec');
    const volume = textAt(spec, 'volumeName') ?? '';
    const storage =
      volume === ''
        ? unboundStorage(textAt(spec, 'storageClassName'), storageClasses, classesMissing)
        : (volumeStorage(volume, byName.get(volume)) ?? {
            missing: `the volume ${volume} behind it: ${volumesMissing}`,
          });
    const name = nameOf(claim);
    const namespace = textAt(objectAt(claim, 'metadata'), 'namespace');
    found.set(claimKey(namespace, name), storage);
    const made = /^(.+)-\d+$/.exec(name)?.[1];
    if (made === undefined) continue;
    const key = claimKey(namespace, made);
    templates.set(key, [...(templates.get(key) ?? []), storage]);
  }
  return {
    claims: found,
    templateClaims: templates,
    storageClasses,
    missing: {
      claims: missingOf(claims, 'the claim: the cluster has none of this name'),
      storageClasses: classesMissing,
    },
  };
}

/** Without a class name the default decides; the empty name asks for a volume somebody makes by hand. */
function unboundStorage(
  storageClass: string | undefined,
  classes: StorageEvidence['storageClasses'],
  classesMissing: string,
): StorageName | MissingEvidence {
  if (storageClass === '') return { missing: 'a volume: the claim has none yet, and asks for no class' };
  return classes.get(storageClass ?? '') ?? { missing: classesMissing };
}

/** In-tree sources whose file systems are those of another name. */
const SHARED_SOURCES: Readonly<Record<string, StorageName>> = {
  nfs: 'nfs',
  cephfs: 'ceph',
  glusterfs: 'kubernetes.io/glusterfs',
  azureFile: 'kubernetes.io/azure-file',
};

/** Fields of a PersistentVolumeSpec that are no source. */
const NO_SOURCES = [
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
];

function volumeStorage(name: string, spec: ApiObject | undefined): StorageName | MissingEvidence | undefined {
  if (spec === undefined) return undefined;
  const source = Object.keys(spec).find((key) => !NO_SOURCES.includes(key)) ?? '';
  const details = objectAt(spec, source);
  const fileSystem = textAt(details, 'fsType') ?? '';
  if (source === 'csi' || source === 'flexVolume') return driverStorage(textAt(details, 'driver') ?? '', fileSystem);
  if (Object.hasOwn(SHARED_SOURCES, source)) return SHARED_SOURCES[source] ?? source;
  if (source === 'hostPath' || (source === 'local' && fileSystem === ''))
    return { missing: `the file system under ${textAt(details, 'path') ?? '?'} on the node of volume ${name}` };
  if (BLOCK_SOURCES.includes(source)) return fileSystem === '' ? 'ext4' : fileSystem;
  return { missing: `whether volume ${name} of type ${source || 'unknown'} can be mounted with mapped ids` };
}

/** A driver that is known to mount block devices says nothing of a file system that Linux can not map. */
function driverStorage(driver: string, fileSystem: string): StorageName {
  return isMappable(driver) && fileSystem !== '' && !isMappable(fileSystem) ? fileSystem : driver;
}

const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class';

function classEvidence(classes: Listed): StorageEvidence['storageClasses'] {
  const found = new Map<string, StorageName | MissingEvidence>();
  const defaults: ApiObject[] = [];
  for (const one of objectsOf(classes)) {
    const parameters = objectAt(one, 'parameters');
    const fileSystem =
      textAt(parameters, 'csi.storage.k8s.io/fstype') ?? textAt(parameters, 'fsType') ?? textAt(parameters, 'fstype');
    const provisioner = textAt(one, 'provisioner') ?? '';
    found.set(
      nameOf(one),
      provisioner === 'kubernetes.io/no-provisioner'
        ? { missing: `a volume: class ${nameOf(one)} provisions none by itself` }
        : driverStorage(provisioner, fileSystem ?? ''),
    );
    if (objectAt(objectAt(one, 'metadata'), 'annotations')[IS_DEFAULT] === 'true') defaults.push(one);
  }
  // Of several defaults the newest is taken (kubernetes.io, "Storage Classes", default StorageClass).
  const [newest] = defaults.toSorted((a, b) => createdAt(b) - createdAt(a));
  if (!('missing' in classes))
    found.set(
      '',
      (newest && found.get(nameOf(newest))) ?? { missing: 'a default storage class: the cluster has none' },
    );
  return found;
}

function createdAt(object: ApiObject): number {
  return Date.parse(textAt(objectAt(object, 'metadata'), 'creationTimestamp') ?? '') || 0;
}
