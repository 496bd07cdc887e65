import type { Container } from './container.ts';
import type { KernelRelease } from './kernel-version.ts';
import type { NamespaceType } from './namespace.ts';
import type { Reading, Unread } from './reading.ts';

/** The kernel options the audit asks for, without `CONFIG_` (init/Kconfig). */
export const KERNEL_OPTIONS = [
  'NAMESPACES',
  'USER_NS',
  'PID_NS',
  'NET_NS',
  'IPC_NS',
  'UTS_NS',
  'TIME_NS',
  'CGROUPS',
  'USER_NS_UNPRIVILEGED',
] as const;
export type KernelOption = (typeof KERNEL_OPTIONS)[number];

/** What a kernel config says of an option. `absent` is an answer only of a full config: the option can not be on. */
export type KernelOptionValue = 'y' | 'm' | 'not-set' | 'absent';

/** A kernel config file that was found, whether or not its word counts. */
export interface KernelConfigFile {
  readonly path: string;
  /** `full` lists every option; a `fragment` (savedefconfig, overlay) lists some; `refused` could not be used. */
  readonly kind: 'full' | 'fragment' | 'refused';
  /** `used` answered; `agrees` and `contradicts` compare with it; `other-kernel` is not the running one's. */
  readonly role: 'used' | 'agrees' | 'contradicts' | 'other-kernel' | 'none';
  readonly detail: string;
}

export interface KernelConfigFacts {
  readonly options: Readonly<Record<KernelOption, Reading<KernelOptionValue>>>;
  readonly files: readonly KernelConfigFile[];
}

/** The kernel command line, in order: a name may stand more than once, a flag has no value. */
export type BootParameters = readonly { readonly name: string; readonly value?: string }[];

/** Sysctls that decide who may create namespaces (kernel admin-guide/sysctl/user, and the distributions' own). */
export const NAMESPACE_SYSCTLS = [
  'user.max_user_namespaces',
  'user.max_pid_namespaces',
  'user.max_net_namespaces',
  'user.max_ipc_namespaces',
  'user.max_uts_namespaces',
  'user.max_mnt_namespaces',
  'user.max_cgroup_namespaces',
  'user.max_time_namespaces',
  'kernel.unprivileged_userns_clone',
  'kernel.userns_max_level',
  'kernel.apparmor_restrict_unprivileged_userns',
  'kernel.apparmor_restrict_unprivileged_unconfined',
] as const;
export type NamespaceSysctl = (typeof NAMESPACE_SYSCTLS)[number];

/** The two module parameters of RHEL 7 kernels: /sys/module/…/parameters, `true` for `Y`. */
export interface ModuleSwitches {
  readonly userNamespaceEnable: Reading<boolean>;
  readonly namespaceUnprivEnable: Reading<boolean>;
}

export interface OsRelease {
  readonly id: string;
  readonly versionId?: string;
  readonly prettyName: string;
}

/** One range of /etc/subuid or /etc/subgid (subuid(5)). */
export interface SubordinateRange {
  /** Login name or numeric uid. */
  readonly owner: string;
  readonly start: number;
  readonly count: number;
  /** Line in the file, from 1. */
  readonly line: number;
}

/** A line that is not a usable range, and why. */
export interface RefusedLine {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

export interface SubordinateIdFile {
  readonly ranges: readonly SubordinateRange[];
  readonly refused: readonly RefusedLine[];
}

export interface SubordinateIds {
  readonly uid: Reading<SubordinateIdFile>;
  readonly gid: Reading<SubordinateIdFile>;
}

/** A setting and the place that set it: a file, or a command line. */
export interface Setting<T> {
  readonly value: T;
  readonly source: string;
}

/** Version of an installed program, and what told it. */
export type VersionReading = Reading<string>;

export interface DockerFacts {
  /** Whether a daemon runs, is only installed or configured, or is not there. */
  readonly presence: 'running' | 'installed' | 'absent';
  readonly version: VersionReading;
  /** `userns-remap` as each place sets it, strongest first: command line of the running daemon, daemon.json, service defaults. */
  readonly usernsRemap: readonly Setting<string>[];
  /** Places that could set it and could not be read. */
  readonly unread: readonly Unread[];
  readonly dataRoot: string;
  /** Whether the running daemon is itself in a user namespace (rootless mode). */
  readonly rootless: boolean;
}

export interface ContainerdFacts {
  readonly presence: 'running' | 'installed' | 'absent';
  readonly version: VersionReading;
  /** True when its CRI plugin is switched on and it is not the private containerd of a Docker daemon. */
  readonly cri: boolean;
  /** `overlayfs` snapshotter's `slow_chown`, when configured. */
  readonly slowChown?: Setting<boolean>;
  readonly config: Reading<string>;
}

export interface CrioFacts {
  readonly presence: 'running' | 'installed' | 'absent';
  readonly version: VersionReading;
  /** Host-wide `uid_mappings`, deprecated; used only where the kubelet asks for nothing. */
  readonly uidMappings?: Setting<string>;
  readonly config: Reading<string>;
}

/** Kubelet's own record of a pod's user namespace: `<root-dir>/pods/<uid>/userns`. */
export interface KubeletPod {
  readonly uid: string;
  /** The id ranges kubelet allocated; absent for a pod without a user namespace. */
  readonly userNamespace: Reading<
    readonly { readonly hostId: number; readonly containerId: number; readonly length: number }[]
  >;
}

export interface KubeletFacts {
  readonly presence: 'running' | 'installed' | 'absent';
  readonly version: VersionReading;
  readonly config: Reading<string>;
  readonly rootDir: string;
  readonly maxPods: Setting<number>;
  readonly idsPerPod: Setting<number>;
  /** Feature gate `UserNamespacesSupport` (or its older name) where it is set. */
  readonly featureGate?: Setting<boolean>;
  readonly pods: Reading<readonly KubeletPod[]>;
  /** Whether a user named `kubelet` exists in /etc/passwd: without it kubelet ignores /etc/subuid. */
  readonly userExists: Reading<boolean>;
  /** Whether `getsubids` is installed: without it, too. */
  readonly hasGetsubids: Reading<boolean>;
}

/** A named network namespace of ip-netns(8). */
export interface NamedNetworkNamespace {
  readonly name: string;
  readonly inode: Reading<number>;
}

/** What the reader could see, tested on itself before anything is concluded from what it did not see. */
export interface Sight {
  /** `host`: the machine's own procfs; `child`: the view of one PID namespace (a container); `absent`: no procfs. */
  readonly procfs: 'host' | 'child' | 'absent';
  /** Whether the reader itself runs in the initial user namespace: elsewhere ids and limits are its own, not the host's. */
  readonly userNamespace: 'initial' | 'child' | 'unknown';
  /** Whether links of processes it does not own can be read: needs CAP_SYS_PTRACE (ptrace(2), PTRACE_MODE_READ). */
  readonly namespaceLinks: 'readable' | 'denied' | 'unknown';
  /** The process that stands for the host. */
  readonly reference: string;
  readonly complete: boolean;
  /** What it can not see, one sentence each; empty when complete. */
  readonly reasons: readonly string[];
}

/** Everything the probes read on one node; the rules judge it and nothing else. */
export interface NodeFacts {
  readonly osRelease: Reading<OsRelease>;
  readonly kernelRelease: Reading<KernelRelease>;
  readonly kernelConfig: KernelConfigFacts;
  readonly bootParameters: Reading<BootParameters>;
  /** Namespace types the running kernel shows in /proc/self/ns: its own word on what is built in. */
  readonly namespaceFiles: Reading<readonly NamespaceType[]>;
  readonly sysctls: Readonly<Record<NamespaceSysctl, Reading<number>>>;
  readonly moduleSwitches: ModuleSwitches;
  readonly subordinateIds: SubordinateIds;
  readonly docker: DockerFacts;
  readonly containerd: ContainerdFacts;
  readonly crio: CrioFacts;
  readonly kubelet: KubeletFacts;
  readonly ociRuntimes: readonly { readonly name: string; readonly version: VersionReading }[];
  readonly networkNamespaces: Reading<readonly NamedNetworkNamespace[]>;
  readonly sight: Sight;
  readonly containers: readonly Container[];
}
