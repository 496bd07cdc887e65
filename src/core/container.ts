import type { IdMap } from './id-map.ts';
import type { NamespaceStates } from './namespace.ts';
import type { Reading } from './reading.ts';
import type { PodSpec } from './workload.ts';

export type ContainerRuntime = 'containerd' | 'cri-o' | 'docker' | 'podman' | 'lxc' | 'systemd-nspawn' | 'unknown';

/** A runtime that puts a kernel of its own between the container and the host, so host namespaces say little. */
export type Sandbox = 'gvisor' | 'kata';

/** How a container is named by its cgroup. */
export interface ContainerReference {
  /** 64 hex digits for Kubernetes and Docker; any name for a bare OCI runtime. */
  readonly id: string;
  /** The cgroup path up to the container's own component, relative to the reader's cgroup namespace. Identifies it on this node. */
  readonly cgroup: string;
  readonly runtime: ContainerRuntime;
  readonly podUid?: string;
  /** A static pod: its uid equals the mirror pod's annotation `kubernetes.io/config.hash`. */
  readonly staticPod?: true;
  /** The container this one runs in (kind, docker-in-docker). */
  readonly nestedIn?: string;
}

/** The process that started a container and waits for it. */
export interface Shim {
  readonly pid: number;
  readonly command: string;
}

/** What Docker was asked for, from its hostconfig.json; modes as in the Engine API (`host`, `private`, `container:<id>`, empty). */
export interface DockerDeclaration {
  readonly name: string;
  readonly pidMode: string;
  readonly ipcMode: string;
  readonly utsMode: string;
  readonly networkMode: string;
  readonly usernsMode: string;
  readonly privileged: boolean;
  /** Name of the OCI runtime it was started with: `runc`, `runsc`, `kata-runtime`. */
  readonly runtime: string;
}

/** One container as the kernel shows it: all facts are those of its init process. */
export interface UnnamedContainer extends ContainerReference {
  readonly state: 'running' | 'exited';
  /** Its name is the process's own choice and proves nothing. */
  readonly init: { readonly pid: number; readonly command: string };
  /** Processes in its cgroup, init included. */
  readonly processes: number;
  readonly shim: Reading<Shim>;
  readonly sandbox?: Sandbox;
  readonly namespaces: NamespaceStates;
  readonly uidMap: Reading<IdMap>;
  readonly gidMap: Reading<IdMap>;
  /** The init's pid in each nested PID namespace, host's first (proc_pid_status(5), NSpid). */
  readonly nspid: Reading<readonly number[]>;
  /** Real uid of the init, as the host counts. */
  readonly hostUid: Reading<number>;
  /** Host uid of uid 0 inside; `absent` where uid 0 is not mapped. */
  readonly rootHostUid: Reading<number>;
}

/** A container with the names people know it by, and what Docker was asked for. */
export interface Container extends UnnamedContainer {
  readonly hostname: Reading<string>;
  /** Name in /var/run/netns of its network namespace. */
  readonly networkNamespaceName?: string;
  readonly docker?: DockerDeclaration;
  /** What its pod declares, where the API server has told. */
  readonly pod?: PodSpec;
}
