import type { ContainerdFacts, Setting } from '../core/facts.ts';
import { andThen, type Reading } from '../core/reading.ts';
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
  const disabled = config.ok ? at(config.value, 'disabled_plugins') : undefined;
  const slowChown = config.ok ? findSlowChown(config.value, config.source) : undefined;
  return {
    presence: daemon ? 'running' : installed ? 'installed' : 'absent',
    version: readVersion(host, CONTAINERD, daemon),
    cri: !isDockersOwn(path) && !(Array.isArray(disabled) && disabled.some(isCriPlugin)),
    config: asText(config, text),
    ...(slowChown ? { slowChown } : {}),
  };
}

/** A containerd that dockerd started for itself runs with a config below Docker's exec-root. */
function isDockersOwn(configPath: string): boolean {
  return configPath.endsWith('/docker/containerd/containerd.toml');
}

function isCriPlugin(name: unknown): boolean {
  return name === 'cri' || (typeof name === 'string' && name.startsWith('io.containerd.grpc.v1.cri'));
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
