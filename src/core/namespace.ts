/** The eight Linux namespace types, named as in /proc/PID/ns (namespaces(7)). */
export const NAMESPACE_TYPES = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup', 'time'] as const;
export type NamespaceType = (typeof NAMESPACE_TYPES)[number];

/** The option letter of each type in unshare(1) and nsenter(1). */
export const NAMESPACE_LETTERS: Readonly<Record<NamespaceType, string>> = {
  user: 'U',
  pid: 'p',
  net: 'n',
  ipc: 'i',
  uts: 'u',
  mnt: 'm',
  cgroup: 'C',
  time: 'T',
};

/**
 * Inode numbers the kernel gives the initial namespaces (include/uapi/linux/nsfs.h, `enum init_ns_ino`).
 * Network and mount namespaces have fixed numbers only in new kernels, so they are left out: compare, never assume.
 */
export const INITIAL_NAMESPACE_INODES: Readonly<Partial<Record<NamespaceType, number>>> = {
  ipc: 0xefffffff,
  uts: 0xeffffffe,
  user: 0xeffffffd,
  pid: 0xeffffffc,
  cgroup: 0xeffffffb,
  time: 0xeffffffa,
};

/** What a namespace was recognized by, strongest first. */
export type NamespaceBasis = 'inode' | 'uid_map' | 'NSpid' | 'net/dev';

/**
 * How a process stands to the host's namespace of one type.
 * - `host`: it is in the host's namespace.
 * - `private`: it is in another one.
 * - `unsupported`: this kernel has no namespaces of this type, so everything shares.
 * - `unknown`: it could not be seen; `reason` says why.
 */
export type NamespaceState =
  | { readonly relation: 'host' | 'private'; readonly basis: NamespaceBasis; readonly inode?: number }
  | { readonly relation: 'unsupported' }
  | { readonly relation: 'unknown'; readonly reason: string };

export type NamespaceStates = Readonly<Record<NamespaceType, NamespaceState>>;

/**
 * The compact vector of one process: the letter of unshare(1) where the namespace is its own, `-` where it is the host's
 * (or the kernel has none), `?` where unknown. Example: `Upnium--`.
 */
export function namespaceVector(states: NamespaceStates): string {
  return NAMESPACE_TYPES.map((type) => {
    const { relation } = states[type];
    if (relation === 'private') return NAMESPACE_LETTERS[type];
    return relation === 'unknown' ? '?' : '-';
  }).join('');
}

/** Reads the inode out of a namespace link such as `user:[4026531837]`; `undefined` when it is not one. */
export function parseNamespaceLink(link: string): { readonly type: string; readonly inode: number } | undefined {
  const match = /^([a-z_]+):\[(\d{1,19})\]$/.exec(link);
  return match ? { type: match[1] ?? '', inode: Number(match[2]) } : undefined;
}
