import { isLinux } from '../core/pod-user-namespace.ts';
import type { WorkloadRule } from '../core/rule.ts';
import type { Volume } from '../core/workload.ts';

const NFS = 'NFS, and the NFS client of Linux has no idmapped mounts';
const SMB = 'SMB, which has no idmapped mounts in Linux';
const CEPHFS = 'CephFS, which Linux idmaps only since 6.7 and Red Hat does not support';
const FUSE = 'FUSE, which Linux idmaps only since 6.12 and only for daemons that ask for it';
const FILE_SHARE = 'a file share by SMB or NFS, and neither has idmapped mounts in Linux';

/** Volume sources of a pod spec that can not, or not everywhere, be mounted with mapped ids (mount_setattr(2), "ID-mapped mounts"). */
export const UNMAPPABLE_SOURCES: Readonly<Record<string, string>> = {
  nfs: NFS,
  cephfs: CEPHFS,
  glusterfs: FUSE,
  azureFile: FILE_SHARE,
};

/** The same for CSI drivers, by name; also as the last part of a longer name, as ODF's `openshift-storage.cephfs.csi.ceph.com`. */
export const UNMAPPABLE_DRIVERS: Readonly<Record<string, string>> = {
  'nfs.csi.k8s.io': NFS,
  'efs.csi.aws.com': NFS,
  'filestore.csi.storage.gke.io': NFS,
  'manila.csi.openstack.org': FILE_SHARE,
  'file.csi.azure.com': FILE_SHARE,
  'smb.csi.k8s.io': SMB,
  'cephfs.csi.ceph.com': CEPHFS,
};

export const userNamespaceVolumes: WorkloadRule = {
  kind: 'workload',
  id: 'user-namespace-volumes',
  title: 'Every volume can be mounted with mapped ids',
  severity: 'medium',
  rationale:
    'Files of a volume keep their owners in a pod with hostUsers: false only because the runtime mounts it with mapped ids. A file system that can not do that makes the container fail to start, or its files nobody’s.',
  remediation:
    'Use a volume on a local file system or a block device (ext4, xfs, btrfs), or leave hostUsers: false to pods without the share.',
  references: [
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/#limitations',
    'https://man7.org/linux/man-pages/man2/mount_setattr.2.html',
    'https://docs.redhat.com/en/documentation/openshift_container_platform/4.22/html/storage/persistent-storage-csi',
  ],
  *check(workload) {
    const { podSpec, platform } = workload;
    if (platform !== 'kubernetes' || !isLinux(workload) || podSpec.hostUsers !== false) return;
    for (const [index, volume] of podSpec.volumes.entries()) {
      const why = unmappable(volume);
      if (why === undefined) continue;
      yield {
        path: ['volumes', index],
        message: `mounts volume ${volume.name}, which is ${why}`,
        fix: 'Use another kind of volume, or drop hostUsers: false.',
      };
    }
  },
};

/** Why a volume can not be mounted with mapped ids: "NFS, and …"; undefined where nothing is known against it. */
export function unmappable({ source, driver }: Pick<Volume, 'source' | 'driver'>): string | undefined {
  if (source === undefined) return undefined;
  if (source !== 'csi' || driver === undefined)
    return Object.hasOwn(UNMAPPABLE_SOURCES, source) ? UNMAPPABLE_SOURCES[source] : undefined;
  return Object.entries(UNMAPPABLE_DRIVERS).find(([name]) => driver === name || driver.endsWith(`.${name}`))?.[1];
}
