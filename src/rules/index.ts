import type {
  AuditRule,
  EffectiveRule,
  ManifestRule,
  NodeRule,
  Rule,
  RuleMeta,
  SccRule,
  WorkloadRule,
} from '../core/rule.ts';
import { dockerUsernsRemap } from './docker-userns-remap.ts';
import { hardeningConflict } from './hardening-conflict.ts';
import { hostIpcNamespace } from './host-ipc-namespace.ts';
import { hostNetworkNamespace } from './host-network-namespace.ts';
import { hostPidNamespace } from './host-pid-namespace.ts';
import { hostUtsNamespace } from './host-uts-namespace.ts';
import { idRangeHostIds } from './id-range-host-ids.ts';
import { idRangeOverlap } from './id-range-overlap.ts';
import { idRangeShort } from './id-range-short.ts';
import { idmappedMounts } from './idmapped-mounts.ts';
import { kernelNamespaces } from './kernel-namespaces.ts';
import { kernelUserNamespaces } from './kernel-user-namespaces.ts';
import { kubeletUserNamespaces } from './kubelet-user-namespaces.ts';
import { privilegedInHostUserNamespace } from './privileged-in-host-user-namespace.ts';
import { rootInHostUserNamespace } from './root-in-host-user-namespace.ts';
import { runtimeUserNamespaces } from './runtime-user-namespaces.ts';
import { sccHostNamespaces } from './scc-host-namespaces.ts';
import { sccUserNamespaceLevel } from './scc-user-namespace-level.ts';
import { subordinateIds } from './subordinate-ids.ts';
import { undeclaredHostNamespace } from './undeclared-host-namespace.ts';
import { unmanagedContainer } from './unmanaged-container.ts';
import { unmaskedProcMount } from './unmasked-proc-mount.ts';
import { userNamespace } from './user-namespace.ts';
import { userNamespaceBootParameter } from './user-namespace-boot-parameter.ts';
import { userNamespaceConflict } from './user-namespace-conflict.ts';
import { userNamespaceIds } from './user-namespace-ids.ts';
import { userNamespaceLimit } from './user-namespace-limit.ts';
import { userNamespaceNotEffective } from './user-namespace-not-effective.ts';
import { userNamespaceVolumes } from './user-namespace-volumes.ts';

/** Rules over a node's facts. */
export const NODE_RULES: readonly NodeRule[] = [
  dockerUsernsRemap,
  hardeningConflict,
  idmappedMounts,
  kernelNamespaces,
  kernelUserNamespaces,
  kubeletUserNamespaces,
  runtimeUserNamespaces,
  subordinateIds,
  userNamespaceBootParameter,
  userNamespaceLimit,
];

/** Rules over what the kernel shows of one container. */
export const EFFECTIVE_RULES: readonly EffectiveRule[] = [
  hostUtsNamespace,
  idRangeHostIds,
  idRangeOverlap,
  idRangeShort,
  undeclaredHostNamespace,
  unmanagedContainer,
  userNamespaceNotEffective,
];

/** The rules over a machine, sorted by id: what `userns-audit node` judges by. */
export const AUDIT_RULES: readonly AuditRule[] = /* @__PURE__ */ sorted<AuditRule>(NODE_RULES, EFFECTIVE_RULES);

/** Rules over what a manifest of a workload declares. */
const WORKLOAD_RULES: readonly WorkloadRule[] = [
  hostIpcNamespace,
  hostNetworkNamespace,
  hostPidNamespace,
  privilegedInHostUserNamespace,
  rootInHostUserNamespace,
  unmaskedProcMount,
  userNamespace,
  userNamespaceConflict,
  userNamespaceIds,
  userNamespaceVolumes,
];

/** Rules over OpenShift's SecurityContextConstraints. */
const SCC_RULES: readonly SccRule[] = [sccHostNamespaces, sccUserNamespaceLevel];

/** The rules over manifests, sorted by id; among them those that judge the same condition in what the kernel shows. */
export const MANIFEST_RULES: readonly ManifestRule[] = /* @__PURE__ */ sorted<ManifestRule>(
  WORKLOAD_RULES,
  EFFECTIVE_RULES.flatMap(declaredPart),
  SCC_RULES,
);

/** The whole catalogue, sorted by id: the only registry. */
export const RULES: readonly Rule[] = /* @__PURE__ */ sorted<Rule>(
  NODE_RULES,
  EFFECTIVE_RULES,
  WORKLOAD_RULES,
  SCC_RULES,
);

function declaredPart({ checkDeclared, ...meta }: EffectiveRule): readonly WorkloadRule[] {
  return checkDeclared ? [{ ...meta, kind: 'workload', check: checkDeclared }] : [];
}

/** Marked as pure where it is called, so that the bundler leaves out the lists a command does not judge by; it keeps spreads. */
function sorted<Some extends RuleMeta>(...lists: readonly (readonly Some[])[]): readonly Some[] {
  return lists.flat().toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
