import { posix } from 'node:path';
import type { ContainerdFacts, Setting } from '../core/facts.ts';
import { andThen, type Read, type Reading } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';
import { type Daemon, flagValue } from './daemons.ts';
import { at, isTable, parseToml } from './config-document.ts';
import { findProgram, type Program, readVersion } from './versions.ts';

const CONTAINERD: Program = {
  name: 'containerd',
  packages: ['containerd.io', 'containerd', 'moby-containerd'],
  module: /^github\.com\/containerd\/containerd(?:\/v2)?$/,
  linkerVariable: /containerd\/(?:v2\/)?version\.Version=([^\s"']+)/,
};

/** containerd and the settings that matter for user namespaces (containerd docs/user-namespaces). */
export function readContainerd(host: HostFs, daemon: Daemon | undefined): ContainerdFacts {
  const path = (daemon && flagValue(daemon.args, '--config', '-c')) ?? '/etc/containerd/config.toml';
  const text = host.readText(path);
  const config = andThen(text, parseToml);
  const installed = findProgram(host, 'containerd') !== undefined || config.ok;
  const documents = config.ok ? [config, ...readImports(host, path, config.value)] : [];
  const disabled = documents.flatMap(({ value }) => at(value, 'disabled_plugins'));
  const slowChown = documents.flatMap(({ value, source }) => findSlowChown(value, source) ?? []).at(-1);
  return {
    presence: daemon ? 'running' : installed ? 'installed' : 'absent',
    version: readVersion(host, CONTAINERD, daemon),
    cri: !isDockersOwn(path) && !disabled.some(isCriPlugin),
    config: asText(config, text),
    ...(slowChown ? { slowChown } : {}),
  };
}

/**
 * The files a config imports: absolute or beside it, `*` in the last part for any (containerd-config.toml(5)). They add to the
 * list of disabled plugins and override the plugins' settings.
 */
function readImports(host: HostFs, path: string, config: unknown): readonly Read<unknown>[] {
  const imports = at(config, 'imports');
  const patterns = (Array.isArray(imports) ? imports : []).filter((pattern) => typeof pattern === 'string');
  return patterns
    .flatMap((pattern) => matches(host, posix.resolve(posix.dirname(path), pattern)))
    .map((file) => andThen(host.readText(file), parseToml))
    .filter((document) => document.ok);
}

function matches(host: HostFs, pattern: string): readonly string[] {
  const [directory, name] = [posix.dirname(pattern), posix.basename(pattern)];
  if (!name.includes('*')) return [pattern];
  const names = host.list(directory);
  const [head = '', tail = ''] = name.split('*');
  return (names.ok ? names.value : [])
    .filter((entry) => entry.startsWith(head) && entry.endsWith(tail) && entry.length >= head.length + tail.length)
    .map((entry) => `${directory}/${entry}`);
}

/** A containerd that dockerd started for itself runs with a config below Docker's exec-root. */
function isDockersOwn(configPath: string): boolean {
  return configPath.endsWith('/docker/containerd/containerd.toml');
}

function isCriPlugin(name: unknown): boolean {
  return (
    name === 'cri' || (typeof name === 'string' && /^io\.containerd\.(?:grpc\.v1\.cri|cri\.v1)(?:\.|$)/.test(name))
  );
}

function findSlowChown(config: unknown, source: string): Setting<boolean> | undefined {
  const plugins = at(config, 'plugins');
  if (!isTable(plugins)) return undefined;
  const overlay = plugins['io.containerd.snapshotter.v1.overlayfs'];
  const value = at(overlay, 'slow_chown');
  return typeof value === 'boolean' ? { value, source } : undefined;
}

/** The text where it parses, so that a broken file is a failed reading. */
export function asText(parsed: Reading<unknown>, text: Reading<string>): Reading<string> {
  return parsed.ok ? text : parsed;
}
