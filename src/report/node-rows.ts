import { OPTION_OF_NAMESPACE } from '../core/kernel-support.ts';
import type { NodeFacts, NamespaceSysctl, Setting, SubordinateIdFile } from '../core/facts.ts';
import { NAMESPACE_TYPES } from '../core/namespace.ts';
import type { Reading } from '../core/reading.ts';
import { printable } from '../core/text.ts';
import type { NodeReport } from './node-report.ts';
import type { Paint } from './paint.ts';

type Row = readonly [name: string, value: string, source: string];

/** What, value, where it was read. */
export function kernelRows({ facts }: Pick<NodeReport, 'facts'>, paint: Paint): readonly Row[] {
  const { kernelConfig, sysctls, moduleSwitches } = facts;
  const userNs = kernelConfig.options.USER_NS;
  const rows: readonly (Row | undefined)[] = [
    row('user namespaces', userNs, (value) => optionText('USER_NS', value), paint),
    namespaceFilesRow(facts, paint),
    optionsRow(facts, paint),
    row('user.max_user_namespaces', sysctls['user.max_user_namespaces'], String, paint),
    moduleSwitches.userNamespaceEnable.ok
      ? row('user_namespace.enable', moduleSwitches.userNamespaceEnable, (on) => (on ? 'Y' : 'N'), paint)
      : undefined,
    bootRow(facts, paint),
    ...UNPRIVILEGED.map((name) => (sysctls[name].ok ? row(name, sysctls[name], String, paint) : undefined)),
    ...kernelConfig.files
      .filter(({ role }) => role === 'contradicts')
      .map(({ path, detail }): Row => ['other config', detail, paint('dim', printable(path))]),
  ];
  return rows.filter((entry) => entry !== undefined);
}

/** Shown where the kernel has them: they bind users without privilege, not the runtime. */
const UNPRIVILEGED: readonly NamespaceSysctl[] = [
  'kernel.unprivileged_userns_clone',
  'kernel.userns_max_level',
  'kernel.apparmor_restrict_unprivileged_userns',
  'kernel.apparmor_restrict_unprivileged_unconfined',
];

function optionText(option: string, value: string): string {
  if (value === 'not-set') return `CONFIG_${option} is not set`;
  return value === 'absent' ? `CONFIG_${option} is absent` : `CONFIG_${option}=${value}`;
}

function row<T>(name: string, reading: Reading<T>, format: (value: T) => string, paint: Paint): Row {
  const source = paint('dim', printable(reading.source));
  if (reading.ok) return [name, printable(format(reading.value)), source];
  return [name, paint('doubt', `${reading.why}: ${printable(reading.detail, 80)}`), source];
}

function namespaceFilesRow({ namespaceFiles }: NodeReport['facts'], paint: Paint): Row {
  return row('running kernel has', namespaceFiles, (types) => types.join(' '), paint);
}

function optionsRow({ kernelConfig }: NodeReport['facts'], paint: Paint): Row | undefined {
  const others = NAMESPACE_TYPES.filter((type) => type !== 'user' && type !== 'mnt').map(
    (type) => OPTION_OF_NAMESPACE[type],
  );
  const readings = others.map((option) => ({ option, reading: kernelConfig.options[option] }));
  const [first] = readings;
  if (!first?.reading.ok) return undefined;
  const text = readings.map(({ option, reading }) => `${option}=${reading.ok ? reading.value : '?'}`).join(' ');
  return ['other options', text, paint('dim', printable(first.reading.source))];
}

function bootRow({ bootParameters }: NodeReport['facts'], paint: Paint): Row | undefined {
  if (!bootParameters.ok) return undefined;
  const given = bootParameters.value
    .filter(({ name }) => /^(?:user_namespace[.]|namespace[.])/.test(name))
    .map(({ name, value }) => (value === undefined ? name : `${name}=${value}`));
  return given.length === 0
    ? undefined
    : ['boot parameters', printable(given.join(' ')), paint('dim', bootParameters.source)];
}

export function runtimeRows({ facts }: Pick<NodeReport, 'facts'>, paint: Paint): readonly Row[] {
  const { docker, containerd, crio, kubelet, subordinateIds, networkNamespaces, ociRuntimes } = facts;
  const engines = [
    engineRow('docker', docker, paint),
    docker.presence === 'absent' ? undefined : remapRow(docker.usernsRemap, paint),
    engineRow('containerd', containerd, paint),
    engineRow('cri-o', crio, paint),
    engineRow('kubelet', kubelet, paint),
    kubelet.presence === 'absent' ? undefined : kubeletRow(kubelet, paint),
  ].filter((entry) => entry !== undefined);
  const oci = ociRuntimes.map(({ name, version }) => engineRow(name, { presence: 'installed', version }, paint));
  const known = [...engines, ...oci].filter((entry) => entry !== undefined);
  const none: readonly Row[] = [['engines', 'no Docker, containerd, CRI-O or kubelet found', '']];
  return [
    ...(known.length > 0 ? known : none),
    row('subordinate uids', subordinateIds.uid, summarizeRanges, paint),
    row('subordinate gids', subordinateIds.gid, summarizeRanges, paint),
    ...(networkNamespaces.ok && networkNamespaces.value.length > 0
      ? [row('named net namespaces', networkNamespaces, (names) => names.map(({ name }) => name).join(' '), paint)]
      : []),
  ];
}

function engineRow(
  name: string,
  { presence, version }: { readonly presence: 'running' | 'installed' | 'absent'; readonly version: Reading<string> },
  paint: Paint,
): Row | undefined {
  if (presence === 'absent') return undefined;
  const text = version.ok
    ? printable(version.value)
    : paint('doubt', `version unknown: ${printable(version.detail, 80)}`);
  return [name, `${presence}, ${text}`, paint('dim', printable(version.source))];
}

function remapRow(settings: readonly Setting<string>[], paint: Paint): Row {
  const [setting] = settings;
  if (!setting) return ['docker userns-remap', paint('doubt', 'not set'), ''];
  return ['docker userns-remap', printable(setting.value), paint('dim', printable(setting.source))];
}

function kubeletRow({ maxPods, idsPerPod, featureGate }: NodeFacts['kubelet'], paint: Paint): Row {
  const gate = featureGate ? `, UserNamespacesSupport=${featureGate.value}` : '';
  return [
    'kubelet ids',
    `${maxPods.value} pods of ${idsPerPod.value} ids${gate}`,
    paint('dim', printable(maxPods.source)),
  ];
}

function summarizeRanges({ ranges, refused }: SubordinateIdFile): string {
  const shown = ranges.slice(0, 3).map(({ owner, start, count }) => `${owner}:${start}:${count}`);
  const more = ranges.length > shown.length ? [`and ${ranges.length - shown.length} more`] : [];
  const bad = refused.length > 0 ? [`${refused.length} refused`] : [];
  return [...shown, ...more, ...bad].join(', ') || 'no lines';
}
