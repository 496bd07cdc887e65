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
  const text = new TextDecoder().decode(plain.value);
  const header = text.slice(0, 2048);
  const foreign = foreignProject(header);
  if (foreign) return unread(source, 'malformed', `a config of ${foreign}, not of a Linux kernel`);
  const assignments = text.match(/^(?:CONFIG_\w+=|# CONFIG_\w+ is not set)/gm)?.length ?? 0;
  if (assignments === 0) return unread(source, 'malformed', 'no CONFIG_… line, not a kernel config');
  if (assignments < countForeignLines(text))
    return unread(source, 'malformed', 'most lines are no CONFIG_… lines, not a kernel config');
  const version = headerVersion(header);
  const kind = isFull(text, header) ? 'full' : 'fragment';
  return read(source, { kind, ...(version ? { version } : {}), options: parseOptions(text, source) });
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

/** Written at the head of every config by the kernel's own build (scripts/kconfig/confdata.c), since 2.6. */
const LINUX_HEADER = /^#\s*(?:Linux(?:\/\S+)?\s+(\S+)\s+Kernel Configuration|Linux kernel version:\s*(\S+))/m;

/** The same place in the config of another project: "# Busybox version: 1.36", "# U-Boot 2023.01 Configuration". */
const FOREIGN_HEADER = /^#\s*(?!Linux\b)(\S[^\n]*?)\s+(?:Configuration|version:.*)\s*$/im;

function foreignProject(header: string): string | undefined {
  if (LINUX_HEADER.test(header)) return undefined;
  // Only comments before the first option are the header; section titles ("# Hypervisor Configuration") come later.
  const head = header.split(/^(?:CONFIG_|# CONFIG_)/m)[0] ?? '';
  const named = /^#\s*Automatically generated/im.test(head) ? FOREIGN_HEADER.exec(head)?.[1] : undefined;
  return named === undefined || /\b(?:linux|kernel)\b/i.test(named) ? undefined : named;
}

function headerVersion(header: string): string | undefined {
  const match = LINUX_HEADER.exec(header);
  return match?.[1] ?? match?.[2];
}

/** Lines that are neither an assignment, nor a comment, nor blank. */
function countForeignLines(text: string): number {
  return text.match(/^(?!\s*(?:#|$)|CONFIG_\w+=).+$/gm)?.length ?? 0;
}

/**
 * INIT_ENV_ARG_LIMIT has no prompt (init/Kconfig), so every full config has it and no savedefconfig or overlay does; a header
 * is written by the kernel's build alone. Neither is enough: the first half of a full config has both. So the file must name
 * NAMESPACES, or BLOCK, which stands in every full config and below the section of the namespaces.
 */
function isFull(text: string, header: string): boolean {
  if (!LINUX_HEADER.test(header) && !/^CONFIG_INIT_ENV_ARG_LIMIT=/m.test(text)) return false;
  return /^(?:CONFIG_(?:NAMESPACES|BLOCK)=|# CONFIG_(?:NAMESPACES|BLOCK) is not set)/m.test(text);
}

const OPTION_LINE = new RegExp(
  `^(?:CONFIG_(${KERNEL_OPTIONS.join('|')})=(.*?)|# CONFIG_(${KERNEL_OPTIONS.join('|')}) is not set)[ \\t\\r]*$`,
  'gm',
);

const VALUES: Readonly<Record<string, Exclude<KernelOptionValue, 'absent'>>> = { y: 'y', m: 'm', n: 'not-set' };

function parseOptions(text: string, source: string): KernelConfig['options'] {
  const options = new Map<KernelOption, Reading<Exclude<KernelOptionValue, 'absent'>>>();
  for (const match of text.matchAll(OPTION_LINE)) {
    const name = (match[1] ?? match[3]) as KernelOption;
    const said = match[3] ? 'not-set' : VALUES[match[2] ?? ''];
    const value: Reading<Exclude<KernelOptionValue, 'absent'>> = said
      ? read(source, said)
      : unread(source, 'malformed', `CONFIG_${name}=${(match[2] ?? '').slice(0, 40)} is no y, m or n`);
    const before = options.get(name);
    options.set(name, before && !same(before, value) ? contradiction(name, before, value, source) : value);
  }
  return options;
}

function same(a: Reading<KernelOptionValue>, b: Reading<KernelOptionValue>): boolean {
  return a.ok && b.ok && a.value === b.value;
}

function contradiction(name: KernelOption, a: Reading<string>, b: Reading<string>, source: string): Unread {
  const said = [a, b].map((reading) => (reading.ok ? reading.value : reading.detail)).join(' and ');
  return unread(source, 'malformed', `CONFIG_${name} is set twice and differently: ${said}`);
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
  /** `running`: the kernel's own copy. `named`: the path carries the running release. `other`: it does not. */
  readonly match: 'running' | 'named' | 'other';
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
  const options = Object.fromEntries(KERNEL_OPTIONS.map((name) => [name, answer(name, ranked, parsed)]));
  return {
    options: options as Record<KernelOption, Reading<KernelOptionValue>>,
    files: parsed.map((file) => describeFile(file, ranked)),
  };
}

function findCandidates(host: HostFs, release: string | undefined): readonly Candidate[] {
  const paths = [
    ...named(host, '/boot', /^config-(.+)$/, ''),
    ...named(host, '/usr/lib/modules', /^(.+)$/, '/config'),
    // Where /lib is a link to /usr/lib these are the files above.
    ...(host.readLink('/lib').ok ? [] : named(host, '/lib/modules', /^(.+)$/, '/config')),
    ...named(host, '/usr/lib/ostree-boot', /^config-(.+)$/, ''),
    ...named(host, '/usr/lib/kernel', /^config-(.+)$/, ''),
    ...named(host, '/lib/modules', /^(.+)$/, '/build/.config'),
    ...named(host, '/usr/src', /^linux(?:-rt)?(?:-headers)?-?(.*)$/, '/.config'),
  ].map(({ path, name }): Candidate => ({
    path,
    match: release !== undefined && name === release ? 'named' : 'other',
  }));
  const all: readonly Candidate[] = [{ path: '/proc/config.gz', match: 'running' }, ...paths];
  return [...new Map(all.map((candidate) => [candidate.path, candidate])).values()];
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
  if (release === undefined) return 3;
  const version = config.version;
  if (version === undefined) return undefined;
  return version === release.raw || version === release.version.join('.') ? 2 : undefined;
}

function answer(name: KernelOption, ranked: readonly Ranked[], all: readonly Parsed[]): Reading<KernelOptionValue> {
  const [best] = ranked;
  if (!best) return noConfig(all);
  const first = optionIn(best.config, name, best.file.path);
  const rivals = ranked
    .filter((other) => other.rank === best.rank)
    .map((other) => optionIn(other.config, name, other.file.path));
  const rival = rivals.find((other) => !same(first, other) && other.ok && first.ok);
  if (!rival?.ok || !first.ok) return first;
  return unread(
    first.source,
    'malformed',
    `says ${first.value}, but ${rival.source} says ${rival.value}: which is the running kernel's is not known`,
  );
}

function noConfig(all: readonly Parsed[]): Unread {
  const failed = all.map((file) => file.config).find((config) => !config.ok);
  if (failed) return failed;
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
