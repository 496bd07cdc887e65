/** The distribution a kernel release names in its suffix, as far as the audit has to tell them apart. */
export type KernelFamily =
  | 'rhel'
  | 'oracle-uek'
  | 'elrepo'
  | 'fedora'
  | 'amazon'
  | 'ubuntu'
  | 'debian'
  | 'suse'
  | 'alpine'
  | 'arch'
  | 'talos'
  | 'flatcar'
  | 'azure-linux'
  | 'photon'
  | 'wsl'
  | 'other';

/** A kernel release (`uname -r`) taken apart. */
export interface KernelRelease {
  /** As the kernel says it: `3.10.0-1160.el7.x86_64`. */
  readonly raw: string;
  /** Upstream version: `[3, 10, 0]`. */
  readonly version: readonly [number, number, number];
  /** The release candidate number of `6.9-rc2`, Fedora's `6.9.0-0.rc2.20.fc41`; such a kernel sorts before 6.9. */
  readonly candidate?: number;
  /** The distribution's build numbers after the first dash: `[1160]`, `[427, 13, 1]`. */
  readonly build: readonly number[];
  readonly family: KernelFamily;
  /** Major of the distribution where the suffix says it: 7 for `el7`, 2023 for `amzn2023`. */
  readonly familyMajor?: number;
}

const FAMILIES: readonly (readonly [RegExp, KernelFamily])[] = [
  [/\.el(\d+)uek/, 'oracle-uek'],
  [/\.el(\d+)(?:_\d+)?\.elrepo/, 'elrepo'],
  [/[.-]el(\d+)a?(?:_\d+)?(?:[._+-]|$)/, 'rhel'],
  [/\.fc(\d+)/, 'fedora'],
  [/\.amzn(\d+)/, 'amazon'],
  [/\.azl(\d+)|\.cm(\d+)/, 'azure-linux'],
  [/\.ph(\d+)/, 'photon'],
  [/-talos/, 'talos'],
  [/-flatcar/, 'flatcar'],
  [/microsoft/i, 'wsl'],
  [/-(?:arch|zen|hardened)\d/, 'arch'],
  [/[+.]deb(\d+)|-(?:rt-|cloud-)?(?:amd64|arm64|686(?:-pae)?|armmp(?:-lpae)?|powerpc64le|s390x|riscv64)$/, 'debian'],
  [/-\d+-(?:generic|aws|azure|gcp|gke|kvm|lowlatency|realtime|oem|oracle|raspi|ibm|nvidia|intel|xilinx)/, 'ubuntu'],
  [/-(?:default|preempt|azure|rt)$/, 'suse'],
  [/-\d+-(?:lts|virt|edge|rpi)$/, 'alpine'],
];

/** Takes a kernel release apart; `undefined` when it does not start with a version. */
export function parseKernelRelease(text: string): KernelRelease | undefined {
  const raw = text.trim();
  const match = /^(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?(?:\.\d+)*(?=$|[^\d])(.*)$/s.exec(raw);
  if (!match || /\s/.test(raw)) return undefined;
  const suffix = match[4] ?? '';
  const candidate = /^-(?:0\.)?rc(\d+)/.exec(suffix);
  const build = /^-(?:(?:0\.)?rc\d+[.-])?(\d+(?:\.\d+)*)/.exec(suffix);
  const found = FAMILIES.map(([pattern, family]) => ({ family, match: pattern.exec(raw) })).find((it) => it.match);
  const major = found?.match?.slice(1).find(Boolean);
  return {
    raw,
    version: [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)],
    ...(candidate ? { candidate: Number(candidate[1]) } : {}),
    build: build?.[1]?.split('.').map(Number) ?? [],
    family: found?.family ?? 'other',
    ...(major === undefined ? {} : { familyMajor: Number(major) }),
  };
}

/**
 * Orders releases: upstream version, then release candidate (before its release), then build numbers. Across distributions
 * builds say nothing, so there the name of the distribution decides: arbitrary, but an order.
 */
export function compareKernelReleases(a: KernelRelease, b: KernelRelease): number {
  return (
    compareNumbers(a.version, b.version) ||
    compareNumbers([a.candidate ?? Infinity], [b.candidate ?? Infinity]) ||
    compareNumbers([familyRank(a)], [familyRank(b)]) ||
    compareNumbers([a.familyMajor ?? 0], [b.familyMajor ?? 0]) ||
    compareNumbers(a.build, b.build)
  );
}

function familyRank({ family }: KernelRelease): number {
  return FAMILIES.findIndex(([, name]) => name === family);
}

/** True when the upstream version is at least `major.minor`; says nothing of what a distribution has backported. */
export function isAtLeast(release: KernelRelease, major: number, minor: number): boolean {
  const order = compareNumbers(release.version, [major, minor, 0]);
  return order > 0 || (order === 0 && release.candidate === undefined);
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i] ?? 0, b[i] ?? 0];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** The first kernel build of each RHEL 7 minor (Red Hat, "Red Hat Enterprise Linux Release Dates"). */
const RHEL7_BUILDS: readonly (readonly [build: number, minor: number])[] = [
  [1160, 9],
  [1127, 8],
  [1062, 7],
  [957, 6],
  [862, 5],
  [693, 4],
  [514, 3],
  [327, 2],
  [229, 1],
  [123, 0],
];

/** The RHEL/CentOS 7 minor of a `3.10.0-….el7` kernel, or `undefined` for any other kernel (also kernel-alt, UEK, ELRepo). */
export function rhel7Minor(release: KernelRelease): number | undefined {
  const [major, minor] = release.version;
  if (release.family !== 'rhel' || release.familyMajor !== 7 || major !== 3 || minor !== 10) return undefined;
  return RHEL7_BUILDS.find(([build]) => (release.build[0] ?? 0) >= build)?.[1];
}
