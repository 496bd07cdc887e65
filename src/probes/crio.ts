import { cleanVersion } from '../core/version.ts';
import type { CrioFacts, Setting } from '../core/facts.ts';
import { andThen, type Reading, read } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';
import { asText } from './containerd.ts';
import { type Daemon, flagValue } from './daemons.ts';
import { at, parseToml } from './config-document.ts';
import { findProgram, type Program, readVersion } from './versions.ts';

const CRIO: Program = {
  name: 'crio',
  packages: ['cri-o'],
  module: /^github\.com\/cri-o\/cri-o$/,
  linkerVariable: /internal\/version\.version=([^\s"']+)/,
};

/** Written by CRI-O at start, as a JSON string (its options version_file and version_file_persist). */
const VERSION_FILES = ['/var/run/crio/version', '/run/crio/version', '/var/lib/crio/version'];

/** CRI-O and its host-wide id mappings (crio.conf(5)); drop-ins override the main file in the order of their names. */
export function readCrio(host: HostFs, daemon: Daemon | undefined): CrioFacts {
  const path = (daemon && flagValue(daemon.args, '--config', '-c')) ?? '/etc/crio/crio.conf';
  const directory = (daemon && flagValue(daemon.args, '--config-dir', '-d')) ?? '/etc/crio/crio.conf.d';
  const dropIns = host.list(directory);
  const paths = [path, ...(dropIns.ok ? dropIns.value.map((name) => `${directory}/${name}`) : [])];
  const files = paths
    .map((file) => ({ text: host.readText(file) }))
    .map(({ text }) => ({ text, config: andThen(text, parseToml) }));
  // The last file that sets it counts, also when it sets nothing.
  const uidMappings = files.flatMap(({ config }) => (config.ok ? mappingsOf(config.value, config.source) : [])).at(-1);
  const broken =
    files.find(({ config }) => !config.ok && config.why !== 'absent') ?? files.find(({ config }) => config.ok);
  const [first] = files;
  const installed = findProgram(host, 'crio') !== undefined || files.some(({ config }) => config.ok);
  const chosen = broken ?? first;
  return {
    presence: daemon ? 'running' : installed ? 'installed' : 'absent',
    version: readCrioVersion(host, daemon),
    config: chosen ? asText(chosen.config, chosen.text) : host.readText(path),
    ...(uidMappings?.value ? { uidMappings } : {}),
  };
}

function mappingsOf(config: unknown, source: string): readonly Setting<string>[] {
  const value = at(config, 'crio', 'runtime', 'uid_mappings');
  return typeof value === 'string' ? [{ value, source }] : [];
}

function readCrioVersion(host: HostFs, daemon: Daemon | undefined): Reading<string> {
  for (const path of VERSION_FILES) {
    const text = host.readText(path, 4096);
    const version = text.ok ? cleanVersion(text.value) : undefined;
    if (version) return read(path, version);
  }
  return readVersion(host, CRIO, daemon);
}
