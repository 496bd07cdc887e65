import type { ContainerReference, ContainerRuntime } from '../core/container.ts';

/**
 * What the cgroup of a process says of it:
 * - `container`: the path names a container by a runtime's own pattern;
 * - `candidate`: a leaf no runtime's pattern matches; it is a container if its namespaces say so (a bare OCI runtime, LXC …);
 * - `host`: a service, a session, the root, or a runtime's own process beside its container.
 */
export type CgroupMembership =
  | { readonly kind: 'container'; readonly reference: ContainerReference }
  | { readonly kind: 'candidate'; readonly reference: ContainerReference }
  | { readonly kind: 'host' };

const HOST: CgroupMembership = { kind: 'host' };

/**
 * Parses /proc/PID/cgroup (cgroups(7)): lines `hierarchy:controllers:path`, v1, v2 or both, in any order. Hybrid hosts put the
 * container into some hierarchies only, so every line is asked; the first that names a container answers.
 */
export function parseCgroup(text: string): CgroupMembership {
  const paths = cgroupPaths(text);
  for (const path of paths) {
    const reference = findContainer(path);
    if (reference) return { kind: 'container', reference };
  }
  for (const path of paths) {
    const reference = findCandidate(path);
    if (reference) return { kind: 'candidate', reference };
  }
  return HOST;
}

/** The distinct paths, the hierarchies that systemd and runtimes name first: `name=systemd`, then v2, then the controllers. */
function cgroupPaths(text: string): readonly string[] {
  const byRank: readonly [string[], string[], string[]] = [[], [], []];
  for (const line of text.split('\n')) {
    const controllers = line.indexOf(':') + 1;
    const path = line.indexOf(':/', controllers) + 1;
    if (controllers === 0 || path === 0) continue;
    const rank = path - 1 === controllers ? 1 : line.startsWith('name=systemd', controllers) ? 0 : 2;
    byRank[rank].push(line.slice(path));
  }
  return [...new Set(byRank.flat())];
}

/** Processes a runtime runs beside its container, and units that merely carry the container's id. */
const BESIDE_CONTAINER =
  /(?:^|[-:])(?:crio-conmon|libpod-conmon|conmon)-|^libpod_pod_|\.(?:mount|service|swap|device|automount)$/;

/** A container id as runtimes write it at the end of a component; ECS on Fargate uses 32 hex digits and a number. */
const CONTAINER_ID = /(?:^|[-:_/])([0-9a-f]{64}|[0-9a-f]{32}-\d{8,12})(?:\.scope)?$/;

/** The part of the component before the id. */
const RUNTIME_PREFIXES: readonly (readonly [RegExp, ContainerRuntime])[] = [
  [/(?:^|[-:])cri-containerd[-:]$/, 'containerd'],
  [/(?:^|[-:])crio[-:]$/, 'cri-o'],
  [/(?:^|[-:])docker[-:]$/, 'docker'],
  [/(?:^|[-:])libpod(?:-payload)?[-:]$/, 'podman'],
  [/(?:^|[-:])nerdctl[-:]$/, 'containerd'],
];

/** The last pod uid in a text: with dashes or, below systemd, underscores; 32 hex digits for a static pod. */
const POD_UID = /pod([0-9a-f]{8}([-_])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])/g;

/** A container by a runtime's pattern: the deepest component that carries an id, so that nested nodes (kind) are seen through. */
function findContainer(path: string): ContainerReference | undefined {
  const components = path.split('/');
  const found = components.flatMap((component, index) => {
    const match = BESIDE_CONTAINER.test(component) ? null : CONTAINER_ID.exec(component);
    return match
      ? [{ index, id: match[1] ?? '', prefix: component.slice(0, component.lastIndexOf(match[1] ?? '')) }]
      : [];
  });
  const own = found.at(-1);
  if (!own) return findNamed(components);
  const outer = found.at(-2);
  const cgroup = components.slice(0, own.index + 1).join('/');
  // What runs inside a pod's container belongs to that pod, whatever name it gives its own sub-cgroups; only below a container
  // of no pod (a kind node) does the inner path name the pod.
  const [first] = found;
  const podUid = lastPodUid(components.slice(0, (first?.index ?? own.index) + 1).join('/')) ?? lastPodUid(cgroup);
  return {
    id: own.id,
    cgroup,
    runtime: runtimeOf(own.prefix, components[own.index - 1] ?? ''),
    ...pod(podUid),
    ...(outer ? { nestedIn: outer.id } : {}),
  };
}

function runtimeOf(prefix: string, parent: string): ContainerRuntime {
  const known = RUNTIME_PREFIXES.find(([pattern]) => pattern.test(prefix));
  if (known) return known[1];
  if (parent === 'docker') return 'docker';
  return parent === 'libpod_parent' ? 'podman' : 'unknown';
}

function lastPodUid(text: string): string | undefined {
  return [...text.matchAll(POD_UID)].at(-1)?.[1]?.replaceAll('_', '-');
}

function pod(uid: string | undefined): Pick<ContainerReference, 'podUid' | 'staticPod'> {
  if (uid === undefined) return {};
  return uid.includes('-') ? { podUid: uid } : { podUid: uid, staticPod: true };
}

/** Managers that name their containers: LXC's payload cgroup, systemd-machined's scope (not a virtual machine's). */
const NAMED: readonly (readonly [RegExp, ContainerRuntime])[] = [
  [/^lxc\.payload\.(.+)$/, 'lxc'],
  [/^machine-(?!qemu|libvirt|lxc)(.+)\.scope$/, 'systemd-nspawn'],
];

function findNamed(components: readonly string[]): ContainerReference | undefined {
  const last = components.findLastIndex((component, index) => namedId(component, components[index - 1]) !== undefined);
  if (last === -1) return undefined;
  const named = namedId(components[last] ?? '', components[last - 1]);
  return named && { ...named, cgroup: components.slice(0, last + 1).join('/') };
}

function namedId(
  component: string,
  parent: string | undefined,
): Pick<ContainerReference, 'id' | 'runtime'> | undefined {
  if (parent === 'lxc' && component !== '') return { id: component, runtime: 'lxc' };
  for (const [pattern, runtime] of NAMED) {
    const id = pattern.exec(component)?.[1];
    if (id !== undefined) return { id: unescapeUnit(id), runtime };
  }
  return undefined;
}

/** systemd writes bytes it can not use in unit names as `\x2d` (systemd-escape(1)). */
function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Units of systemd other than the scopes bare runtimes make: their processes may have namespaces of their own and are no containers. */
const UNIT = /\.(?:service|slice|socket|mount|swap|device|automount|timer|path|target)$/;
const RUNTIME_SCOPE = /^(?:runc|crun|youki|runsc)-(.+)\.scope$/;

function findCandidate(path: string): ContainerReference | undefined {
  // A reader in its own cgroup namespace sees everything outside of it below "/..".
  const components = path.split('/').filter((component) => component !== '' && component !== '..');
  const leaf = components.at(-1);
  if (leaf === undefined || BESIDE_CONTAINER.test(leaf)) return undefined;
  const scope = RUNTIME_SCOPE.exec(leaf);
  const podUid = lastPodUid(components.slice(0, -1).join('/'));
  if (!scope && (UNIT.test(leaf) || leaf.endsWith('.scope') || components.some(isService))) return undefined;
  return { id: unescapeUnit(scope?.[1] ?? leaf), cgroup: path, runtime: 'unknown', ...pod(podUid) };
}

function isService(component: string): boolean {
  return component.endsWith('.service');
}
