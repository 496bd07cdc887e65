import { gunzipSync } from 'node:zlib';
import {
  KERNEL_OPTIONS,
  type KernelConfigFacts,
  type KernelConfigFile,
  type KernelOption,
  type KernelOptionValue,
} from '../core/facts.ts';
import type { KernelRelease } from '../core/kernel-version.ts';
import { type Reading, read, type Unread, unread } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';

/** The largest configs of distributions are below 400 KiB; a gzip that unpacks to more is not one. */
const MAX_BYTES = 4 << 20;

/** A kernel config file taken apart. */
export interface KernelConfig {
  /** `full`: written by the kernel's build, so an option it does not name is not on. `fragment`: silence says nothing. */
  readonly kind: 'full' | 'fragment';
  /** Kernel version in the header, where there is one. */
  readonly version?: string;
  /** What the file says of each option the audit asks for. */
  readonly options: ReadonlyMap<KernelOption, Reading<Exclude<KernelOptionValue, 'absent'>>>;
}

/**
 * Parses a kernel config, plain or gzip. Refuses (`malformed`) what is none: other projects that use Kconfig, text without
 * assignments, binaries, truncated gzip.
 */
export function parseKernelConfig(bytes: Uint8Array, source: string): Reading<KernelConfig> {
  const plain = unzip(bytes, source);
  if (!plain.ok) return plain;
  if (plain.value.includes(0)) return unread(source, 'malformed', 'binary data, not a kernel config');
  const { header, said, assignments, foreignLines } = scan(new TextDecoder().decode(plain.value));
  const refusal = reasonToRefuse(header, assignments, foreignLines);
  if (refusal) return unread(source, 'malformed', refusal);
  const linux = header.map((line) => LINUX_HEADER.exec(line)).find(Boolean);
  const version = linux?.slice(1).find(Boolean);
  const kind = isFull(said, Boolean(linux)) ? 'full' : 'fragment';
  return read(source, { kind, ...(version ? { version } : {}), options: readOptions(said, source) });
}

function unzip(bytes: Uint8Array, source: string): Reading<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return read(source, bytes);
  try {
    return read(source, gunzipSync(bytes, { maxOutputLength: MAX_BYTES }));
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    if (code === 'ERR_BUFFER_TOO_LARGE') return unread(source, 'too-large', `unpacks to more than ${MAX_BYTES} bytes`);
    return unread(source, 'malformed', `broken gzip (${code || String(error)})`);
  }
}

/** What the lines of a file hold. */
interface Scan {
  /** The comments above the first option. */
  readonly header: readonly string[];
  /** All values each option is given, in order; `n` where it "is not set". */
  readonly said: ReadonlyMap<string, readonly string[]>;
  readonly assignments: number;
  /** Lines that are neither an option, nor a comment, nor blank. */
  readonly foreignLines: number;
}

/** The two lines that scripts/kconfig/confdata.c reads; it, too, takes them only at the start of a line. */
const OPTION_LINE = /^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$/;

function scan(text: string): Scan {
  const header: string[] = [];
  const said = new Map<string, string[]>();
  let [assignments, foreignLines] = [0, 0];
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd();
    if (line === '') continue;
    const option = OPTION_LINE.exec(line);
    if (option) {
      const [name, value] = [option[1] ?? option[3] ?? '', option[2] ?? 'n'];
      assignments += 1;
      const before = said.get(name);
      if (before) before.push(value);
      else said.set(name, [value]);
    } else if (/^\s*#/.test(line)) {
      if (assignments === 0) header.push(line);
    } else {
      foreignLines += 1;
    }
  }
  return { header, said, assignments, foreignLines };
}

/** Written at the head of every config by the kernel's own build (scripts/kconfig/confdata.c), since 2.6. */
const LINUX_HEADER = /^#\s*(?:Linux(?:\/\S+)?\s+(?:(\d\S*)|\S+)\s+Kernel Configuration|Linux kernel version:\s*(\S+))/;

/** The same place in the config of another project: "# Busybox version: 1.36", "# U-Boot 2023.01 Configuration". */
const FOREIGN_HEADER = /^# ?(\w.*?) (?:Configuration|version:.*)$/i;

function reasonToRefuse(header: readonly string[], assignments: number, foreignLines: number): string | undefined {
  if (assignments === 0) return 'no CONFIG_… line, not a kernel config';
  if (assignments < foreignLines) return 'most lines are no CONFIG_… lines, not a kernel config';
  const project = foreignProject(header);
  return project && `a config of ${project}, not of a Linux kernel`;
}

function foreignProject(header: readonly string[]): string | undefined {
  if (header.some((line) => LINUX_HEADER.test(line))) return undefined;
  if (!header.some((line) => /Automatically generated/i.test(line))) return undefined;
  const named = header.map((line) => FOREIGN_HEADER.exec(line)?.[1]).find(Boolean);
  return named === undefined || /\b(?:linux|kernel)\b/i.test(named) ? undefined : named.slice(0, 80);
}

/**
 * INIT_ENV_ARG_LIMIT has no prompt (init/Kconfig), so every full config has it and no savedefconfig or overlay does; a header
 * is written by the kernel's build alone. Neither is enough: the first half of a full config has both. So the file must also
 * name what stands last in the menu of the namespaces, or NET, which stands below it in every full config.
 */
function isFull(said: Scan['said'], hasLinuxHeader: boolean): boolean {
  if (!hasLinuxHeader && !said.has('INIT_ENV_ARG_LIMIT')) return false;
  return said.has('NET_NS') || said.has('NET') || said.get('NAMESPACES')?.join() === 'n';
}

const VALUES: ReadonlyMap<string, Exclude<KernelOptionValue, 'absent'>> = new Map([
  ['y', 'y'],
  ['m', 'm'],
  ['n', 'not-set'],
]);

function readOptions(said: Scan['said'], source: string): KernelConfig['options'] {
  return new Map(
    KERNEL_OPTIONS.flatMap((name) => {
      const values = [...new Set(said.get(name))];
      return values.length === 0 ? [] : [[name, readOption(name, values, source)] as const];
    }),
  );
}

/** The kernel's build writes every option once; what says two things of one is no record of a kernel. */
function readOption(
  name: KernelOption,
  values: readonly string[],
  source: string,
): Reading<Exclude<KernelOptionValue, 'absent'>> {
  const shown = values
    .slice(0, 2)
    .map((value) => value.slice(0, 40))
    .join(' and ');
  if (values.length > 1) return unread(source, 'malformed', `CONFIG_${name} is set twice and differently: ${shown}`);
  const value = VALUES.get(values[0] ?? '');
  return value ? read(source, value) : unread(source, 'malformed', `CONFIG_${name}=${shown} is no y, m or n`);
}

/** What a config says of an option, with the answer `absent` where the file is complete. */
export function optionIn(config: KernelConfig, name: KernelOption, source: string): Reading<KernelOptionValue> {
  const said = config.options.get(name);
  if (said) return said;
  if (config.kind === 'full') return read(source, 'absent');
  return unread(source, 'absent', `CONFIG_${name} is not named, and the file is only a fragment of a config`);
}

interface Candidate {
  readonly path: string;
  /**
   * `running`: the kernel's own copy. `named`: the path carries the running release. `flavor`: only its last part, as
   * Alpine's /boot/config-lts does whatever the version. `other`: it does not.
   */
  readonly match: 'running' | 'named' | 'flavor' | 'other';
}

interface Parsed extends Candidate {
  readonly config: Reading<KernelConfig>;
}

/**
 * The config of the running kernel from every place distributions keep one (docs/probes.md lists them). The kernel's own
 * copy outranks files named after its release, those outrank files whose header has its version, a full config outranks a
 * fragment; files of one rank that disagree answer `malformed`.
 */
export function readKernelConfig(host: HostFs, release: Reading<KernelRelease>): KernelConfigFacts {
  const raw = release.ok ? release.value.raw : undefined;
  const parsed = findCandidates(host, raw).flatMap((candidate): Parsed[] => {
    const bytes = host.readBytes(candidate.path, MAX_BYTES);
    if (!bytes.ok && bytes.why === 'absent') return [];
    return [{ ...candidate, config: bytes.ok ? parseKernelConfig(bytes.value, candidate.path) : bytes }];
  });
  const ranked = rank(parsed, release.ok ? release.value : undefined);
  const closed = closedPlace(host);
  const options = Object.fromEntries(KERNEL_OPTIONS.map((name) => [name, answer(name, ranked, parsed, closed)]));
  return {
    options: options as Record<KernelOption, Reading<KernelOptionValue>>,
    files: parsed.map((file) => describeFile(file, ranked)),
  };
}

function findCandidates(host: HostFs, release: string | undefined): readonly Candidate[] {
  const paths = [
    ...named(host, '/boot', /^config(?:-(.+?))?(?:\.gz)?$/, ''),
    ...named(host, '/usr/lib/modules', /^(.+)$/, '/config'),
    // Where /lib is a link to /usr/lib these are the files above.
    ...(host.readLink('/lib').ok ? [] : named(host, '/lib/modules', /^(.+)$/, '/config')),
    ...named(host, '/usr/lib/ostree-boot', /^config-(.+)$/, ''),
    ...named(host, '/usr/lib/kernel', /^config-(.+)$/, ''),
    ...named(host, '/lib/modules', /^(.+)$/, '/build/.config'),
    ...named(host, '/usr/src', /^linux(?:-rt)?(?:-headers)?-?(.*)$/, '/.config'),
    ...named(host, '/usr/src/kernels', /^(.+)$/, '/.config'),
  ].map(({ path, name }): Candidate => ({ path, match: matchName(name, release) }));
  const all: readonly Candidate[] = [{ path: '/proc/config.gz', match: 'running' }, ...paths];
  return [...new Map(all.map((candidate) => [candidate.path, candidate])).values()];
}

function matchName(name: string, release: string | undefined): Candidate['match'] {
  if (release === undefined || name === '') return 'other';
  if (name === release) return 'named';
  return release.endsWith(`-${name}`) ? 'flavor' : 'other';
}

function named(
  host: HostFs,
  directory: string,
  pattern: RegExp,
  suffix: string,
): readonly { readonly path: string; readonly name: string }[] {
  const entries = host.list(directory);
  if (!entries.ok) return [];
  return entries.value.flatMap((entry) => {
    const match = pattern.exec(entry);
    if (!match) return [];
    return [{ path: `${directory}/${entry}${suffix}`, name: match[1] ?? '' }];
  });
}

interface Ranked {
  readonly file: Parsed;
  readonly config: KernelConfig;
  /** Lower is stronger. */
  readonly rank: number;
}

function rank(files: readonly Parsed[], release: KernelRelease | undefined): readonly Ranked[] {
  const usable = files.flatMap((file) => (file.config.ok ? [{ file, config: file.config.value }] : []));
  return usable
    .flatMap(({ file, config }): Ranked[] => {
      const base = baseRank(file.match, config, release);
      return base === undefined ? [] : [{ file, config, rank: base + (config.kind === 'full' ? 0 : 10) }];
    })
    .toSorted((a, b) => a.rank - b.rank);
}

function baseRank(
  match: Candidate['match'],
  config: KernelConfig,
  release: KernelRelease | undefined,
): number | undefined {
  if (match === 'running') return 0;
  if (match === 'named') return 1;
  // Without a running kernel (an image, a mounted disk) whatever is installed speaks; with one, only its own version does.
  if (release === undefined) return 4;
  if (config.version === undefined || !isVersionOf(config.version, release)) return undefined;
  return match === 'flavor' ? 2 : 3;
}

/** Distributions add to the version in the header what their build adds to the release: 6.6.32 and 6.6.32-0-lts. */
function isVersionOf(version: string, { raw, version: numbers, candidate }: KernelRelease): boolean {
  if (version === raw) return true;
  if (candidate !== undefined && !version.includes('-rc')) return false;
  return version === numbers.join('.') || (raw.startsWith(version) && /^[^\d.]/.test(raw.slice(version.length)));
}

/** A place where the running kernel's config may be, and which can not be looked into. */
function closedPlace(host: HostFs): Unread | undefined {
  const boot = host.list('/boot');
  return boot.ok || boot.why === 'absent' ? undefined : boot;
}

function answer(
  name: KernelOption,
  ranked: readonly Ranked[],
  all: readonly Parsed[],
  closed: Unread | undefined,
): Reading<KernelOptionValue> {
  const [best] = ranked;
  if (!best) return noConfig(all, closed);
  const first = optionIn(best.config, name, best.file.path);
  const rivals = ranked
    .filter((other) => other.rank === best.rank)
    .map((other) => optionIn(other.config, name, other.file.path));
  if (!first.ok) return first;
  const rival = rivals.filter((other) => other.ok).find(({ value }) => value !== first.value);
  if (!rival) return first;
  return unread(
    first.source,
    'malformed',
    `says ${first.value}, but ${rival.source} says ${rival.value}: which is the running kernel's is not known`,
  );
}

function noConfig(all: readonly Parsed[], closed: Unread | undefined): Unread {
  const failed = all.map((file) => file.config).find((config) => !config.ok);
  if (failed) return failed;
  if (closed) return closed;
  if (all.length > 0)
    return unread('/boot/config-*', 'absent', `${all.length} kernel configs found, none of the running kernel`);
  return unread('/boot/config-*', 'absent', 'no kernel config in /proc/config.gz, /boot, /lib/modules or /usr/src');
}

function describeFile(file: Parsed, ranked: readonly Ranked[]): KernelConfigFile {
  const { path, config } = file;
  if (!config.ok) return { path, kind: 'refused', role: 'none', detail: `${config.why}: ${config.detail}` };
  const mine = ranked.find((entry) => entry.file === file);
  const [best] = ranked;
  const version = config.value.version ? `Linux ${config.value.version}` : 'no version in its header';
  if (!mine || !best) return { path, kind: config.value.kind, role: 'other-kernel', detail: version };
  if (mine === best) return { path, kind: config.value.kind, role: 'used', detail: version };
  const differs = KERNEL_OPTIONS.filter((name) => {
    const [a, b] = [optionIn(best.config, name, path), optionIn(mine.config, name, path)];
    return a.ok && b.ok && a.value !== b.value;
  });
  if (differs.length === 0) return { path, kind: config.value.kind, role: 'agrees', detail: version };
  return {
    path,
    kind: config.value.kind,
    role: 'contradicts',
    detail: `differs in ${differs.map((name) => `CONFIG_${name}`).join(', ')}`,
  };
}
