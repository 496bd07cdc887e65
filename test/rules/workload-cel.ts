/**
 * The workload rules once more, written from the API documentation as a ValidatingAdmissionPolicy would say them: true means that
 * the pod complies. `object` is a Pod as the API server sees it (Kubernetes 1.36).
 */
export const CEL_VARIABLES: Readonly<Record<string, string>> = {
  containers:
    'object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : []) + (has(object.spec.ephemeralContainers) ? object.spec.ephemeralContainers : [])',
  windows: 'has(object.spec.os) && object.spec.os.name == "windows"',
  isolated: 'has(object.spec.hostUsers) && !object.spec.hostUsers',
  podUser:
    'has(object.spec.securityContext) && has(object.spec.securityContext.runAsUser) ? object.spec.securityContext.runAsUser : -1',
  podGroup:
    'has(object.spec.securityContext) && has(object.spec.securityContext.runAsGroup) ? object.spec.securityContext.runAsGroup : -1',
  podNonRoot:
    'has(object.spec.securityContext) && has(object.spec.securityContext.runAsNonRoot) && object.spec.securityContext.runAsNonRoot',
  volumes: 'has(object.spec.volumes) ? object.spec.volumes : []',
};

const setsIn = (container: string, field: string): string =>
  `has(${container}.securityContext) && has(${container}.securityContext.${field})`;

export const CEL_RULES: Readonly<Record<string, string>> = {
  'host-pid-namespace': 'variables.windows || !has(object.spec.hostPID) || !object.spec.hostPID',
  'host-ipc-namespace': 'variables.windows || !has(object.spec.hostIPC) || !object.spec.hostIPC',
  'host-network-namespace': 'variables.windows || !has(object.spec.hostNetwork) || !object.spec.hostNetwork',
  'user-namespace': 'variables.windows || variables.isolated',
  'root-in-host-user-namespace': `variables.windows || variables.isolated || variables.containers.all(c,
    (${setsIn('c', 'runAsNonRoot')} ? c.securityContext.runAsNonRoot : variables.podNonRoot) ||
    (${setsIn('c', 'runAsUser')} ? c.securityContext.runAsUser : variables.podUser) > 0)`,
  'privileged-in-host-user-namespace': `variables.windows || variables.isolated || !variables.containers.exists(c, has(c.securityContext) && (
    (has(c.securityContext.privileged) && c.securityContext.privileged) ||
    (has(c.securityContext.capabilities) && has(c.securityContext.capabilities.add) && c.securityContext.capabilities.add.exists(k,
      k.matches("^(CAP_)?(ALL|SYS_ADMIN|SYS_MODULE|SYS_RAWIO|SYS_PTRACE|SYS_BOOT|BPF|DAC_READ_SEARCH|MAC_ADMIN)$")))))`,
  'user-namespace-conflict': `variables.windows ? !has(object.spec.hostUsers) : !variables.isolated || !(
    (has(object.spec.hostPID) && object.spec.hostPID) ||
    (has(object.spec.hostIPC) && object.spec.hostIPC) ||
    (has(object.spec.hostNetwork) && object.spec.hostNetwork) ||
    variables.containers.exists(c, has(c.volumeDevices) && size(c.volumeDevices) > 0))`,
  'unmasked-proc-mount': `variables.windows || variables.isolated || variables.containers.all(c,
    !(${setsIn('c', 'procMount')}) || c.securityContext.procMount == "Default")`,
  'user-namespace-ids': `variables.windows || !variables.isolated || (variables.containers.all(c,
      (${setsIn('c', 'runAsUser')} ? c.securityContext.runAsUser : variables.podUser) < 65536 &&
      (${setsIn('c', 'runAsGroup')} ? c.securityContext.runAsGroup : variables.podGroup) < 65536) &&
    (!has(object.spec.securityContext) || (
      (!has(object.spec.securityContext.fsGroup) || object.spec.securityContext.fsGroup < 65536) &&
      (!has(object.spec.securityContext.supplementalGroups) || object.spec.securityContext.supplementalGroups.all(g, g < 65536)))))`,
  'user-namespace-volumes': `variables.windows || !variables.isolated || variables.volumes.all(v,
    !has(v.nfs) && !has(v.cephfs) && !has(v.glusterfs) && !has(v.azureFile) && (!has(v.csi) ||
    !v.csi.driver.matches("^(.*[.])?(nfs[.]csi[.]k8s[.]io|efs[.]csi[.]aws[.]com|filestore[.]csi[.]storage[.]gke[.]io|manila[.]csi[.]openstack[.]org|file[.]csi[.]azure[.]com|smb[.]csi[.]k8s[.]io|cephfs[.]csi[.]ceph[.]com)$")))`,
};

const RESTRICTED_USER = `!(${setsIn('object.spec', 'runAsNonRoot')} && !object.spec.securityContext.runAsNonRoot) &&
  !(${setsIn('object.spec', 'runAsUser')} && object.spec.securityContext.runAsUser == 0) &&
  variables.containers.all(c,
    (${setsIn('c', 'runAsNonRoot')} ? c.securityContext.runAsNonRoot : variables.podNonRoot) &&
    !(${setsIn('c', 'runAsUser')} && c.securityContext.runAsUser == 0))`;

const DEFAULT_PROC = `variables.containers.all(c, !(${setsIn('c', 'procMount')}) || c.securityContext.procMount == "Default")`;

/** What the admission of the Pod Security Standards says (kubernetes/pod-security-admission, policy/check_*.go), by level and minor version. */
export const CEL_POD_SECURITY: readonly (readonly [
  rule: string,
  level: 'baseline' | 'restricted',
  minor: number,
  expression: string,
])[] = [
  ['host-network-namespace', 'baseline', 34, '!has(object.spec.hostNetwork) || !object.spec.hostNetwork'],
  ['host-pid-namespace', 'restricted', 36, '!has(object.spec.hostPID) || !object.spec.hostPID'],
  ['root-in-host-user-namespace', 'restricted', 34, RESTRICTED_USER],
  ['root-in-host-user-namespace', 'restricted', 35, `variables.isolated || (${RESTRICTED_USER})`],
  ['unmasked-proc-mount', 'baseline', 34, DEFAULT_PROC],
  ['unmasked-proc-mount', 'baseline', 35, `variables.isolated || ${DEFAULT_PROC}`],
  ['unmasked-proc-mount', 'restricted', 34, DEFAULT_PROC],
  ['unmasked-proc-mount', 'restricted', 35, DEFAULT_PROC],
];
