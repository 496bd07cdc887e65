import { type ClaimTemplate, containersOf, type PodSpec, type Volume, type Workload } from '../core/workload.ts';
import { unmappable } from '../rules/user-namespace-volumes.ts';
import { type AdoptionEvidence, claimKey, type MissingEvidence, type StorageName } from './adoption-evidence.ts';
import type { AdoptionObstacle } from './adoption-obstacles.ts';

const ID_MAPPED = 'https://man7.org/linux/man-pages/man2/mount_setattr.2.html';
const LIMITATIONS = 'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/#limitations';

/** Made by the kubelet for the pod, in a tmpfs or on its own disk, and gone with it. */
const OF_THE_POD = ['configMap', 'secret', 'downwardAPI', 'projected', 'emptyDir', 'gitRepo'];

/** Block devices, which Kubernetes formats with ext4 unless the volume says otherwise. */
export const BLOCK_SOURCES: readonly string[] = [
  'awsElasticBlockStore',
  'azureDisk',
  'cinder',
  'fc',
  'gcePersistentDisk',
  'iscsi',
  'local',
  'rbd',
  'vsphereVolume',
];

/** Drivers and provisioners that give a file system Linux mounts with mapped ids: block devices with ext4 or xfs, and tmpfs. */
const MAPPABLE_DRIVERS = new Set([
  'block.csi.ibm.com',
  'cinder.csi.openstack.org',
  'csi.hetzner.cloud',
  'disk.csi.azure.com',
  'disk.csi.cloud.com',
  'dobs.csi.digitalocean.com',
  'ebs.csi.aws.com',
  'ebs.csi.eks.amazonaws.com',
  'kubernetes.io/aws-ebs',
  'kubernetes.io/azure-disk',
  'kubernetes.io/cinder',
  'kubernetes.io/gce-pd',
  'kubernetes.io/rbd',
  'kubernetes.io/vsphere-volume',
  'linodebs.csi.linode.com',
  'local.csi.openebs.io',
  'pd.csi.storage.gke.io',
  'rbd.csi.ceph.com',
  'secrets-store.csi.k8s.io',
  'topolvm.io',
  'csi.cert-manager.io',
]);

/** File systems with mapped mounts since the kernel that user-namespaced pods need, 6.3 (mount_setattr(2), "ID-mapped mounts"). */
const MAPPABLE_FILE_SYSTEMS = new Set(['btrfs', 'erofs', 'ext4', 'f2fs', 'ntfs3', 'overlay', 'tmpfs', 'vfat', 'xfs']);

const SHARES: Readonly<Record<string, string>> = {
  ceph: 'cephfs',
  cifs: 'azureFile',
  nfs: 'nfs',
  nfs4: 'nfs',
  smb3: 'azureFile',
  'kubernetes.io/azure-file': 'azureFile',
  'kubernetes.io/glusterfs': 'glusterfs',
};

/** True where files outlive the pod, or belong to others: everything but configuration and scratch space. */
export function isStateful({ volumes, volumeClaimTemplates = [] }: PodSpec): boolean {
  return volumeClaimTemplates.length > 0 || volumes.some(({ source }) => !OF_THE_POD.includes(source ?? ''));
}

/** What is not known of a workload's volumes, and hostPath; what is known of the others the rule user-namespace-volumes says. */
export function volumeObstacles(workload: Workload, evidence: AdoptionEvidence): readonly AdoptionObstacle[] {
  const { volumes, volumeClaimTemplates = [] } = workload.podSpec;
  return [
    ...volumes.flatMap((volume, index) => judgeVolume(volume, ['volumes', index], workload, evidence)),
    ...volumeClaimTemplates.flatMap((template, index) =>
      judgeTemplate(template, ['volumeClaimTemplates', index], workload, evidence),
    ),
  ];
}

type Path = AdoptionObstacle['path'];

function judgeVolume(
  volume: Volume,
  path: Path,
  { namespace, podSpec }: Workload,
  evidence: AdoptionEvidence,
): readonly AdoptionObstacle[] {
  const { source, name } = volume;
  if (unmappable(volume) !== undefined || BLOCK_SOURCES.includes(source ?? '')) return [];
  switch (source ?? '') {
    case 'hostPath':
      return judgeHostPath(volume, path, podSpec);
    case 'persistentVolumeClaim': {
      const claim = volume.claimName ?? '';
      const storage =
        evidence.claims?.get(claimKey(namespace, claim)) ?? evidence.claims?.get(claimKey(undefined, claim));
      return judgeStorage(
        `claim ${claim}`,
        storage ?? missingOf(evidence.missing?.claims),
        path,
        `--claim ${claim}=DRIVER`,
      );
    }
    case 'ephemeral':
      return judgeClass(`ephemeral volume ${name}`, volume.storageClass, path, evidence);
    case 'csi':
      return judgeStorage(`volume ${name}`, volume.driver ?? '', path, '');
    default:
      return judgeOther(volume, path);
  }
}

function judgeOther({ name, source, medium }: Volume, path: Path): readonly AdoptionObstacle[] {
  if (medium?.startsWith('HugePages') === true)
    return [
      missing('volume', path, `has huge pages in volume ${name}`, 'whether hugetlbfs can be mounted with mapped ids'),
    ];
  if (OF_THE_POD.includes(source ?? '')) return [];
  const what = source === undefined ? `does not say what volume ${name} is` : `mounts volume ${name} of type ${source}`;
  return [missing('volume', path, what, 'whether its file system can be mounted with mapped ids')];
}

function judgeClass(
  what: string,
  storageClass: string | undefined,
  path: Path,
  { storageClasses, missing: reasons }: AdoptionEvidence,
): readonly AdoptionObstacle[] {
  const named = storageClass === undefined ? 'the default storage class' : `storage class ${storageClass}`;
  const option = `--storage-class ${storageClass ?? ''}=DRIVER`;
  const storage = storageClasses?.get(storageClass ?? '') ?? missingOf(reasons?.storageClasses);
  return judgeStorage(`${what} of ${named}`, storage, path, option);
}

/** The claims there are say more than the class, which may have been another when they were made; of none, the class decides. */
function judgeTemplate(
  { name, storageClass }: ClaimTemplate,
  path: Path,
  workload: Workload,
  evidence: AdoptionEvidence,
): readonly AdoptionObstacle[] {
  const made = `${name}-${workload.name}`;
  const claims = evidence.templateClaims?.get(claimKey(workload.namespace, made)) ?? [];
  if (claims.length === 0) return judgeClass(`claim template ${name}`, storageClass, path, evidence);
  const judged = claims.flatMap((storage) => judgeStorage(`claims ${made}-…`, storage, path, ''));
  return [...new Map(judged.map((obstacle) => [obstacle.message + obstacle.remedy, obstacle])).values()];
}

function missingOf(evidence: string | undefined): MissingEvidence | undefined {
  return evidence === undefined ? undefined : { missing: evidence };
}

/** True for drivers and file systems that Linux mounts with mapped ids. */
export function isMappable(storage: StorageName): boolean {
  return MAPPABLE_DRIVERS.has(storage) || MAPPABLE_FILE_SYSTEMS.has(storage);
}

function judgeStorage(
  what: string,
  storage: StorageName | MissingEvidence | undefined,
  path: Path,
  option: string,
): readonly AdoptionObstacle[] {
  const hint = option === '' ? '' : ` (${option})`;
  if (typeof storage !== 'string') {
    const evidence = storage?.missing ?? 'which driver or file system stands behind it';
    return [missing('claim', path, `mounts ${what}`, `${evidence}${hint}`)];
  }
  if (isMappable(storage)) return [];
  const why = unmappable(
    Object.hasOwn(SHARES, storage) ? { source: SHARES[storage] } : { source: 'csi', driver: storage },
  );
  if (why === undefined)
    return [
      missing(
        'claim',
        path,
        `mounts ${what}, by ${storage || 'a driver without a name'}`,
        `the file system it mounts${hint}`,
      ),
    ];
  return [
    {
      cause: 'volume',
      effect: 'blocked',
      path,
      message: `mounts ${what}, which is ${why}`,
      remedy: 'Use a volume on a block device or a local file system.',
      reference: LIMITATIONS,
    },
  ];
}

/** procfs, sysfs and devtmpfs refuse mapped mounts (measured on Linux 6.18, docs/plan.md). */
const KERNEL_TREES = /^\/(?:proc|sys|dev(?!\/shm(?:\/|$)))(?:\/|$)/;

function judgeHostPath({ name, hostPath }: Volume, path: Path, podSpec: PodSpec): readonly AdoptionObstacle[] {
  const mounts = containersOf(podSpec).flatMap(({ container }) =>
    (container.volumeMounts ?? []).filter((mount) => mount.name === name),
  );
  if (mounts.length === 0) return [];
  const at = [...path, 'hostPath'];
  if (hostPath === undefined)
    return [missing('host-path', at, `mounts volume ${name}, a hostPath without a path`, 'the path on the node')];
  const file = hostPath.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
  if (KERNEL_TREES.test(file) || file === '/')
    return [
      hostPathBlock(
        at,
        `mounts ${file} of the node${file === '/' ? ', with /proc, /sys and /dev in it' : ''}: the kernel refuses to map the ids there`,
        'Take what it reads from an interface of the pod, or leave it in the host’s user namespace.',
      ),
    ];
  const isSocket = file.endsWith('.sock');
  if (isSocket || mounts.some(({ readOnly }) => !readOnly))
    return [
      hostPathBlock(
        at,
        isSocket
          ? `speaks to ${file} of the node: who listens there acts for it with the rights of the node`
          : `writes to ${file} of the node: mapped back, its files are those of the node’s users, root among them`,
        isSocket
          ? 'Leave it, or reach what it needs through the API server.'
          : 'Mount it read-only, or keep the files in a volume of the pod.',
      ),
    ];
  return [missing('host-path', at, `reads ${file} of the node`, `the file system under ${file} on every node`)];
}

function hostPathBlock(path: Path, message: string, remedy: string): AdoptionObstacle {
  return { cause: 'host-path', effect: 'blocked', path, message, remedy, reference: ID_MAPPED };
}

function missing(cause: AdoptionObstacle['cause'], path: Path, message: string, evidence: string): AdoptionObstacle {
  return { cause, effect: 'unknown', path, message, remedy: `Missing: ${evidence}.`, reference: ID_MAPPED };
}
