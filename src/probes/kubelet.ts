import { load, YAML11_SCHEMA } from 'js-yaml';
import type { KubeletFacts, KubeletPod, Setting } from '../core/facts.ts';
import { andThen, type Reading, read, unread } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';
import { type Daemon, flagValue } from './daemons.ts';
import { at, isTable } from './config-document.ts';
import { findProgram, hasProgram, type Program, readVersion } from './versions.ts';

const KUBELET: Program = {
  name: 'kubelet',
  packages: ['kubelet'],
  module: /^k8s\.io\/kubernetes$/,
  linkerVariable: /component-base\/version\.gitVersion=([^\s"']+)/,
};

/** Where kubeadm, OpenShift and EKS keep the KubeletConfiguration. */
const CONFIG_FILES = [
  '/var/lib/kubelet/config.yaml',
  '/etc/kubernetes/kubelet.conf',
  '/etc/kubernetes/kubelet/config.json',
];

/** Defaults of KubeletConfiguration (kubelet.config.k8s.io/v1beta1). */
const DEFAULT_MAX_PODS = 110;
const DEFAULT_IDS_PER_POD = 65_536;

/** The gate's name since 1.28, and before. */
const GATES = ['UserNamespacesSupport', 'UserNamespacesStatelessPodsSupport'];

/** Kubelet: version, the settings of user namespaces, and its own record of each pod's ids (KEP-127). */
export function readKubelet(host: HostFs, daemon: Daemon | undefined): KubeletFacts {
  const args = daemon?.args ?? [];
  const { config, settings } = readConfig(host, args);
  const commandLine = daemon ? `/proc/${daemon.pid}/cmdline` : '';
  const rootDir = flagValue(args, '--root-dir') ?? '/var/lib/kubelet';
  const maxPods = integerFlag(flagValue(args, '--max-pods'), commandLine);
  const gate = gateFlag(flagValue(args, '--feature-gates'), commandLine) ?? settings.featureGate;
  const installed = findProgram(host, 'kubelet') !== undefined || config.ok;
  const byDefault = 'default of KubeletConfiguration';
  return {
    presence: daemon ? 'running' : installed ? 'installed' : 'absent',
    version: readVersion(host, KUBELET, daemon),
    config,
    rootDir,
    maxPods: maxPods ?? settings.maxPods ?? { value: DEFAULT_MAX_PODS, source: byDefault },
    idsPerPod: settings.idsPerPod ?? { value: DEFAULT_IDS_PER_POD, source: byDefault },
    ...(gate ? { featureGate: gate } : {}),
    pods: readPods(host, `${rootDir}/pods`),
    hasGetsubids: hasProgram(host, 'getsubids'),
    userExists: andThen(host.readText('/etc/passwd'), (passwd, source) => read(source, /^kubelet:/m.test(passwd))),
  };
}

function findConfig(host: HostFs): string {
  return CONFIG_FILES.find((file) => host.exists(file)) ?? '/var/lib/kubelet/config.yaml';
}

/** The main file and its drop-ins, which override it in the order of their names (`--config-dir`). */
function readConfig(
  host: HostFs,
  args: readonly string[],
): { readonly config: Reading<string>; readonly settings: KubeletSettings } {
  const main = flagValue(args, '--config') ?? findConfig(host);
  const directory = flagValue(args, '--config-dir');
  const names = directory === undefined ? undefined : host.list(directory);
  const dropIns = (names?.ok ? names.value : [])
    .filter((name) => name.endsWith('.conf'))
    .map((name) => host.readText(`${directory}/${name}`));
  const text = host.readText(main);
  const parsed = [text, ...dropIns].map((file) => andThen(file, parseKubeletConfig));
  const broken = [...parsed, ...(names ? [names] : [])].filter((file) => !file.ok).find(({ why }) => why !== 'absent');
  const settings = parsed.reduce<KubeletSettings>((all, file) => (file.ok ? { ...all, ...file.value } : all), {});
  return { config: broken ?? text, settings };
}

function integerFlag(value: string | undefined, source: string): Setting<number> | undefined {
  return value !== undefined && /^\d{1,9}$/.test(value) ? { value: Number(value), source } : undefined;
}

function gateFlag(value: string | undefined, source: string): Setting<boolean> | undefined {
  const pairs = (value ?? '').split(',').map((pair) => pair.split('=').map((part) => part.trim()));
  const found = pairs.findLast(([name]) => GATES.includes(name ?? ''));
  return found ? { value: /^(?:true|t|1)$/i.test(found[1] ?? ''), source } : undefined;
}

interface KubeletSettings {
  readonly maxPods?: Setting<number>;
  readonly idsPerPod?: Setting<number>;
  readonly featureGate?: Setting<boolean>;
}

/** The settings of a KubeletConfiguration document, YAML or JSON, that concern user namespaces. */
export function parseKubeletConfig(text: string, source: string): Reading<KubeletSettings> {
  let data: unknown;
  try {
    data = load(text, { schema: YAML11_SCHEMA });
  } catch (error) {
    return unread(
      source,
      'malformed',
      `no YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
    );
  }
  if (!isTable(data)) return unread(source, 'malformed', 'no KubeletConfiguration');
  if (at(data, 'kind') !== 'KubeletConfiguration')
    return unread(source, 'malformed', `kind is no KubeletConfiguration`);
  // 0 stands for the default (KubeletConfiguration v1beta1, SetDefaults).
  const number = (value: unknown): Setting<number> | undefined =>
    typeof value === 'number' && Number.isSafeInteger(value) && value !== 0 ? { value, source } : undefined;
  const maxPods = number(at(data, 'maxPods'));
  const idsPerPod = number(at(data, 'userNamespaces', 'idsPerPod'));
  const gate = GATES.map((name) => at(data, 'featureGates', name)).find((value) => typeof value === 'boolean');
  return read(source, {
    ...(maxPods ? { maxPods } : {}),
    ...(idsPerPod ? { idsPerPod } : {}),
    ...(typeof gate === 'boolean' ? { featureGate: { value: gate, source } } : {}),
  });
}

function readPods(host: HostFs, directory: string): Reading<readonly KubeletPod[]> {
  const names = host.list(directory);
  if (!names.ok) return names;
  const pods = names.value.map((uid) => ({
    uid,
    userNamespace: andThen(host.readText(`${directory}/${uid}/userns`), parseUserNamespaceRecord),
  }));
  return read(directory, pods);
}

/** Kubelet's record of a pod's allocation (pkg/kubelet/userns): JSON with `uidMappings` and `gidMappings`, which are equal. */
export function parseUserNamespaceRecord(text: string, source: string): KubeletPod['userNamespace'] {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return unread(source, 'malformed', 'no JSON');
  }
  const mappings = at(data, 'uidMappings');
  if (!Array.isArray(mappings)) return unread(source, 'malformed', 'no uidMappings');
  const ranges = mappings.flatMap((mapping: unknown) => {
    const [hostId, containerId, length] = ['hostId', 'containerId', 'length'].map((key) => at(mapping, key));
    const whole = typeof hostId === 'number' && typeof containerId === 'number' && typeof length === 'number';
    return whole ? [{ hostId, containerId, length }] : [];
  });
  if (ranges.length !== mappings.length)
    return unread(source, 'malformed', 'a mapping without hostId, containerId or length');
  return read(source, ranges);
}
