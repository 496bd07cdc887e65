import { type Reading, read, unread } from '../core/reading.ts';
import { cleanVersion } from '../core/version.ts';
import { readGoBuildInfo } from '../host/go-build-info.ts';
import type { HostFs } from '../host/host-fs.ts';
import type { Daemon } from './daemons.ts';

/** How to learn the version of a program without running it. */
export interface Program {
  readonly name: string;
  /** Packages that ship it: Debian, Alpine. */
  readonly packages: readonly string[];
  /** Go module of the program, `undefined` for other languages. */
  readonly module?: RegExp;
  /** The variable the linker sets to the version: `-X …gitVersion=v1.36.3`. */
  readonly linkerVariable?: RegExp;
}

/** Where distributions install daemons. */
const DIRECTORIES = [
  '/usr/bin',
  '/usr/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/opt/bin',
  '/opt/cni/bin',
  '/bin',
  '/sbin',
];

/** Debian's database grows with the machine: 3 MB for 3,000 packages. */
const MAX_DATABASE = 32 << 20;

/** The installed file of a program, if any. */
export function findProgram(host: HostFs, name: string): string | undefined {
  return DIRECTORIES.map((directory) => `${directory}/${name}`).find((path) => host.exists(path));
}

/** Whether a program is installed; unread where it was not found and a place it may be in can not be seen. */
export function hasProgram(host: HostFs, name: string): Reading<boolean> {
  const places = DIRECTORIES.map((directory) => host.presence(`${directory}/${name}`));
  const found = places.find((place) => place.ok && place.value);
  return found ?? places.find((place) => !place.ok) ?? read(`/usr/bin/${name}`, false);
}

/**
 * The version of a program: what the running (else the installed) binary says of itself, then the package that ships it.
 * Nothing is executed.
 */
export function readVersion(host: HostFs, program: Program, daemon?: Daemon): Reading<string> {
  const installed = findProgram(host, program.name);
  const path = daemon ? `/proc/${daemon.pid}/exe` : installed;
  if (path === undefined) return unread(`/usr/bin/${program.name}`, 'absent', 'not installed');
  const own = program.module
    ? ownVersion(host, path, program)
    : unread(path, 'malformed', 'the program does not carry its version');
  if (own.ok) return own;
  const target = daemon ? host.readLink(path) : read(path, path);
  const packaged = !target.ok || /^\/(?:usr\/)?s?bin\//.test(target.value) ? packageVersion(host, program) : undefined;
  if (packaged) return packaged;
  // Without CAP_SYS_PTRACE the running binary is closed, but the installed one is not.
  const standIn = target.ok || installed === undefined || !program.module ? own : ownVersion(host, installed, program);
  return standIn.ok ? standIn : own;
}

function ownVersion(host: HostFs, path: string, program: Program): Reading<string> {
  const info = readGoBuildInfo(host, path);
  if (!info.ok) return info;
  const version = parseGoVersion(info.value, program);
  return version ? read(path, version) : unread(path, 'absent', 'its Go build information names no version');
}

/** The version in Go build information: the linker's variable, else the main module's. */
export function parseGoVersion(info: string, { module, linkerVariable }: Program): string | undefined {
  const flags = /^build\t-ldflags=(.*)$/m.exec(info)?.[1];
  const linked = flags && linkerVariable ? linkerVariable.exec(flags)?.[1] : undefined;
  const main = /^mod\t(\S+)\t(\S+)/m.exec(info);
  const own = main && module?.test(main[1] ?? '') ? main[2] : undefined;
  return [linked, own].map((text) => text && cleanVersion(text)).find(Boolean);
}

function packageVersion(host: HostFs, program: Program): Reading<string> | undefined {
  const databases = [
    { path: '/var/lib/dpkg/status', name: 'Package: ', version: 'Version: ' },
    { path: '/lib/apk/db/installed', name: 'P:', version: 'V:' },
  ];
  for (const database of databases) {
    const text = host.readText(database.path, MAX_DATABASE);
    if (!text.ok) continue;
    const version = program.packages
      .map((name) => packageField(text.value, `${database.name}${name}`, database.version))
      .map((raw) => raw && cleanVersion(raw))
      .find(Boolean);
    if (version) return read(database.path, version);
  }
  return undefined;
}

/** A field of one paragraph of a package database; Debian's removed packages keep a paragraph that is not `installed`. */
export function packageField(database: string, nameLine: string, field: string): string | undefined {
  const at = database.startsWith(`${nameLine}\n`) ? 0 : database.indexOf(`\n${nameLine}\n`) + 1;
  if (at === 0 && !database.startsWith(`${nameLine}\n`)) return undefined;
  const end = database.indexOf('\n\n', at);
  const paragraph = database.slice(at, end === -1 ? undefined : end).split('\n');
  const status = paragraph.find((line) => line.startsWith('Status: '));
  if (status && !status.endsWith(' installed')) return undefined;
  return paragraph.find((line) => line.startsWith(field))?.slice(field.length);
}
