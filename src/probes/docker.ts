import type { DockerFacts, Setting } from '../core/facts.ts';
import { isIdentityMap } from '../core/id-map.ts';
import { andThen, type Reading, read, unread } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';
import { type Daemon, flagValue } from './daemons.ts';
import { parseIdMap } from './id-maps.ts';
import { findProgram, type Program, readVersion } from './versions.ts';

const DOCKERD: Program = {
  name: 'dockerd',
  packages: ['docker-ce', 'docker.io', 'docker-engine', 'moby-engine', 'docker'],
  module: /^github\.com\/(?:docker\/docker|moby\/moby)(?:\/v\d+)?$/,
  linkerVariable: /dockerversion\.Version=([^\s"']+)/,
};

/** Files a service manager takes dockerd's flags from: Debian's and Red Hat's. */
const DEFAULTS = [
  { path: '/etc/default/docker', variable: 'DOCKER_OPTS' },
  { path: '/etc/sysconfig/docker', variable: 'OPTIONS' },
] as const;

/** Docker's daemon and its userns-remap (docs.docker.com/engine/security/userns-remap). */
export function readDocker(host: HostFs, daemon: Daemon | undefined): DockerFacts {
  const configPath = (daemon && flagValue(daemon.args, '--config-file')) ?? '/etc/docker/daemon.json';
  const config = andThen(host.readText(configPath), parseDaemonJson);
  const defaults = DEFAULTS.map(({ path, variable }) =>
    andThen(host.readText(path, 65_536), (text, source) => read(source, parseServiceFlags(text, variable))),
  );
  const commandLine: readonly Setting<string>[] = daemon
    ? remapOf(daemon.args, `/proc/${daemon.pid}/cmdline`)
    : defaults.flatMap((flags) => (flags.ok ? remapOf(flags.value, flags.source) : []));
  const inFile =
    config.ok && config.value.usernsRemap !== undefined
      ? [{ value: config.value.usernsRemap, source: config.source }]
      : [];
  const unreadable = [config, ...defaults].filter((reading) => !reading.ok).filter(({ why }) => why !== 'absent');
  const dataRoot = daemon ? flagValue(daemon.args, '--data-root', '--graph', '-g') : undefined;
  return {
    presence: daemon ? 'running' : isInstalled(host) ? 'installed' : 'absent',
    version: readVersion(host, DOCKERD, daemon),
    usernsRemap: [...commandLine, ...inFile],
    unread: unreadable,
    rootless: daemon !== undefined && isMapped(host, daemon.pid),
    dataRoot: dataRoot ?? (config.ok ? config.value.dataRoot : undefined) ?? '/var/lib/docker',
  };
}

/** By its program or by what it leaves: the client alone is no daemon. */
function isInstalled(host: HostFs): boolean {
  const program = findProgram(host, 'dockerd') ?? findProgram(host, 'dockerd-current');
  const traces = [
    '/etc/docker/daemon.json',
    '/etc/sysconfig/docker',
    '/etc/default/docker',
    '/var/lib/docker/containers',
  ];
  return program !== undefined || traces.some((path) => host.exists(path));
}

function isMapped(host: HostFs, pid: number): boolean {
  const map = andThen(host.readText(`/proc/${pid}/uid_map`, 65_536), parseIdMap);
  return map.ok && !isIdentityMap(map.value);
}

function remapOf(args: readonly string[], source: string): readonly Setting<string>[] {
  const value = flagValue(args, '--userns-remap');
  return value === undefined ? [] : [{ value, source }];
}

/** The settings of daemon.json the audit asks for. An empty file is what Docker takes it for: no settings. */
export function parseDaemonJson(
  text: string,
  source: string,
): Reading<{ readonly usernsRemap?: string; readonly dataRoot?: string }> {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  let data: unknown = {};
  try {
    if (trimmed !== '') data = JSON.parse(trimmed);
  } catch (error) {
    return unread(source, 'malformed', `no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return unread(source, 'malformed', 'no JSON object');
  const fields = new Map<string, unknown>(Object.entries(data));
  // null leaves a setting as it is (Go, encoding/json).
  const remap = fields.get('userns-remap') ?? undefined;
  if (remap !== undefined && typeof remap !== 'string')
    return unread(source, 'malformed', '"userns-remap" is no string');
  const root = fields.get('data-root') ?? fields.get('graph');
  return read(source, {
    ...(remap === undefined ? {} : { usernsRemap: remap }),
    ...(typeof root === 'string' ? { dataRoot: root } : {}),
  });
}

/** The flags in a shell variable of a service's defaults file; the last assignment counts, comments do not. */
export function parseServiceFlags(text: string, variable: string): readonly string[] {
  const joined = text.replace(/\\\r?\n/g, ' ');
  const assignment = new RegExp(`^[ \\t]*(?:export[ \\t]+)?${variable}=(?:"([^"\\n]*)"|'([^'\\n]*)'|([^\\s#]*))`, 'gm');
  const last = [...joined.matchAll(assignment)].at(-1);
  const value = last?.[1] ?? last?.[2] ?? last?.[3] ?? '';
  return (value.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) => word.replace(/["']/g, ''));
}
