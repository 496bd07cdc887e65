import type { ContainerReference, ContainerRuntime } from '../core/container.ts';

/**
 * What the cgroup of a process says of it:
 * - `container`: the path names a container by a runtime's own pattern;
 * - `candidate`: a cgroup no runtime's pattern matches; it is a container if its namespaces say so (a bare OCI runtime …);
 * - `host`: a service, a session, the root.
 */
export type CgroupMembership =
  | { readonly kind: 'container'; readonly reference: ContainerReference }
  | { readonly kind: 'candidate'; readonly reference: ContainerReference }
  | { readonly kind: 'host' };

const HOST: CgroupMembership = { kind: 'host' };

/**
 * Parses /proc/PID/cgroup (cgroups(7)): lines `hierarchy:controllers:path`, v1, v2 or both, in any order. Hybrid hosts put the
 * container into some hierarchies only, so every line is asked; the one that names most containers, nested, answers.
 */
export function parseCgroup(text: string): CgroupMembership {
  const paths = cgroupPaths(text).map((path) => path.split('/'));
  const [deepest] = paths
    .map((components) => ({ components, found: findContainers(components) }))
    .toSorted((a, b) => b.found.length - a.found.length);
  const reference = deepest && describe(deepest.components, deepest.found);
  if (reference) return { kind: 'container', reference };
  const candidate = paths.map(findCandidate).find((found) => found !== undefined);
  return candidate ? { kind: 'candidate', reference: candidate } : HOST;
}

/** A zombie outlives its cgroup, whose path then carries this mark (cgroups(7)). */
const DELETED = ' (deleted)';

/** The distinct paths, the hierarchies that systemd and runtimes name first: `name=systemd`, then v2, then the controllers. */
function cgroupPaths(text: string): readonly string[] {
  const byRank: readonly [string[], string[], string[]] = [[], [], []];
  for (const line of text.split('\n')) {
    const controllers = line.indexOf(':') + 1;
    const path = line.indexOf(':/', controllers) + 1;
    if (controllers === 0 || path === 0) continue;
    const rank = path - 1 === controllers ? 1 : line.startsWith('name=systemd', controllers) ? 0 : 2;
    byRank[rank].push(line.endsWith(DELETED) ? line.slice(path, -DELETED.length) : line.slice(path));
  }
  return [...new Set(byRank.flat())];
}

/** A component of a path that is the cgroup of a container. */
interface Found {
  readonly index: number;
  readonly id: string;
  readonly runtime: ContainerRuntime;
}

function findContainers(components: readonly string[]): readonly Found[] {
  return components.flatMap((component, index) => {
    const [parent = '', child = ''] = [components[index - 1], components[index + 1]];
    const named = byId(component, parent, child) ?? byName(component, parent, child);
    return named ? [{ index, ...named }] : [];
  });
}

/** The deepest container, so that nested nodes (kind) are seen through. */
function describe(components: readonly string[], found: readonly Found[]): ContainerReference | undefined {
  const [outer, own] = [found.at(-2), found.at(-1)];
  if (!own) return undefined;
  const cgroup = components.slice(0, own.index + 1).join('/');
  return { id: own.id, cgroup, runtime: own.runtime, ...podOf(cgroup), ...(outer ? { nestedIn: outer.id } : {}) };
}

type Named = Omit<Found, 'index'>;

/** Processes a runtime runs beside its container, and units that merely carry the container's id. */
const BESIDE_CONTAINER = /(?:^|[-:])(?:crio-conmon|libpod-conmon|conmon)-|\.(?:mount|service|swap|device|automount)$/;

/**
 * A container id as runtimes write it at the end of a component: 64 hex digits; ECS on Fargate has 32 and a number, Garden
 * (Cloud Foundry) five groups.
 */
const CONTAINER_ID = /(?:^|[-:_])([0-9a-f]{64}|[0-9a-f]{32}-\d{8,12}|[0-9a-f]{8}(?:-[0-9a-f]{4}){4})(?:\.scope)?$/;

/** The part of the component before the id. */
const RUNTIME_PREFIXES: readonly (readonly [RegExp, ContainerRuntime])[] = [
  [/(?:^|[-:])cri-containerd[-:]$/, 'containerd'],
  [/(?:^|[-:])crio[-:]$/, 'cri-o'],
  [/(?:^|[-:])docker[-:]$/, 'docker'],
  [/(?:^|[-:])libpod(?:-payload)?[-:]$/, 'podman'],
  [/(?:^|[-:])nerdctl[-:]$/, 'containerd'],
];

/** Garden's; most components are shorter, and not looked at twice. */
const SHORTEST_ID = 28;

function byId(component: string, parent: string, child: string): Named | undefined {
  if (component.length < SHORTEST_ID || component.endsWith('.slice')) return undefined;
  const id = BESIDE_CONTAINER.test(component) ? undefined : CONTAINER_ID.exec(component)?.[1];
  if (id === undefined) return undefined;
  // Podman without systemd keeps the containers of a pod in a cgroup that is the pod's bare id.
  if (parent === 'libpod_parent' && child.startsWith('libpod-')) return undefined;
  const prefix = component.slice(0, component.lastIndexOf(id));
  const known = RUNTIME_PREFIXES.find(([pattern]) => pattern.test(prefix))?.[1];
  return { id, runtime: known ?? (parent === 'docker' ? 'docker' : 'unknown') };
}

/** Managers that name their containers: LXC's payload cgroup, systemd-machined's scope (not a virtual machine's). */
const NAMED: readonly (readonly [RegExp, ContainerRuntime])[] = [
  [/^lxc\.payload\.(.+)$/, 'lxc'],
  [/^machine-(?!qemu|libvirt|lxc)(.+)\.scope$/, 'systemd-nspawn'],
];

/** `machinectl start NAME`: the service itself holds nspawn, the container is below it. */
const NSPAWN_SERVICE = /^systemd-nspawn@(.+)\.service$/;

function byName(component: string, parent: string, child: string): Named | undefined {
  if ((parent === 'lxc' || parent === 'lxc.payload') && component !== '') return { id: component, runtime: 'lxc' };
  if (child === 'supervisor') return undefined;
  const service = child === '' ? undefined : NSPAWN_SERVICE.exec(component)?.[1];
  if (service !== undefined) return { id: unescapeUnit(service), runtime: 'systemd-nspawn' };
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

/** A pod uid: with dashes or, below systemd, underscores; 32 hex digits for a static pod. */
const POD_UID =
  /(?<![0-9A-Za-z])pod([0-9a-f]{8}([-_])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])/;

/** The outermost pod: what runs inside its containers belongs to it, whatever names they give their own sub-cgroups. */
function podOf(cgroup: string): Pick<ContainerReference, 'podUid' | 'staticPod'> {
  const uid = POD_UID.exec(cgroup)?.[1]?.replaceAll('_', '-');
  if (uid === undefined) return {};
  return uid.includes('-') ? { podUid: uid } : { podUid: uid, staticPod: true };
}

/** What groups the units of systemd, a user's own manager among them. A reader's own cgroup namespace adds `..`. */
const GROUPING = /^(?:|\.\.|.*\.slice|user@\d+\.service)$/;
const UNIT = /\.(?:scope|service|slice|socket|mount|swap|device|automount|timer|path|target)$/;

/** Scopes of bare runtimes and build tools, by their prefix; Nomad's carry the allocation: `<uuid>.<task>.scope`. */
const RUNTIME_SCOPE =
  /^(?:(?:runc|crun|youki|runsc|docker|buildkit|nerdctl|apptainer|singularity)-|[0-9a-f]{8}-[0-9a-f-]{27}\.)(.+)\.scope$/;

/**
 * A cgroup outside the units of the host's systemd, whose processes may have namespaces of their own and are no containers.
 * It ends where the units of a systemd of its own begin.
 */
function findCandidate(components: readonly string[]): ContainerReference | undefined {
  const start = components.findIndex((component) => !GROUPING.test(component));
  const first = components[start];
  if (first === undefined) return undefined;
  const scope = RUNTIME_SCOPE.exec(first)?.[1];
  if (scope === undefined && UNIT.test(first)) return undefined;
  const inner = components.findIndex((component, index) => index > start && UNIT.test(component));
  const end = scope === undefined ? (inner === -1 ? components.length : inner) : start + 1;
  const cgroup = components.slice(0, end).join('/');
  return {
    id: unescapeUnit(scope ?? components[end - 1] ?? ''),
    cgroup,
    runtime: 'unknown',
    ...podOf(cgroup),
  };
}
