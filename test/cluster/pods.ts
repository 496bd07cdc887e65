// Pods of a cluster, and their processes as the kernel shows them.
import { readdirSync, readFileSync } from 'node:fs';
import type { Cluster } from './cluster.ts';

/** What of a pod object the tests look at. */
export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly { readonly name: string; readonly containerID?: string }[];
  };
}

const READY_TIMEOUT = '60s';

/** Creates objects, or changes them. */
export function apply(cluster: Cluster, ...objects: readonly object[]): void {
  succeed(cluster, ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
}

/** A pod that is ready. */
export function readyPod(cluster: Cluster, name: string, namespace = 'default'): PodObject {
  succeed(cluster, ['wait', '-n', namespace, '--for=create', `pod/${name}`, `--timeout=${READY_TIMEOUT}`]);
  succeed(cluster, ['wait', '-n', namespace, '--for=condition=Ready', `pod/${name}`, `--timeout=${READY_TIMEOUT}`]);
  return JSON.parse(succeed(cluster, ['get', 'pod', name, '-n', namespace, '-o', 'json'])) as PodObject;
}

/** How the only container of a pod ended that runs to its end. */
export function finishedPod(cluster: Cluster, name: string): { readonly exitCode: number } {
  const ended = '.status.containerStatuses[0].state.terminated';
  succeed(cluster, ['wait', `--for=jsonpath={${ended}}`, `pod/${name}`, `--timeout=${READY_TIMEOUT}`]);
  return JSON.parse(succeed(cluster, ['get', 'pod', name, '-o', `jsonpath={${ended}}`])) as { exitCode: number };
}

/** What kubectl prints; throws what it complains of, with what the pods' events say. */
export function succeed(cluster: Cluster, args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = cluster.kubectl(args, input);
  if (status === 0) return stdout;
  const events = cluster.kubectl(['get', 'events', '-A']).stdout.split('\n').slice(-12).join('\n');
  throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}\n${events}`);
}

/** The id of a container by its name, as in its cgroup path. */
export function containerIdOf({ metadata, status }: PodObject, container = 'main'): string {
  const found = status.containerStatuses?.find(({ name }) => name === container)?.containerID;
  if (found === undefined) throw new Error(`the pod ${metadata.name} has no running container ${container}`);
  return found.replace(/^[a-z]+:\/\//, '');
}

/** The first process of a container. */
export function initOf(pod: PodObject, container = 'main'): number {
  const id = containerIdOf(pod, container);
  const pids = processesWith('cgroup', id);
  if (pids[0] === undefined) throw new Error(`no process is in the cgroup of container ${id}`);
  return pids[0];
}

/** Processes, by pid, whose file in `/proc/PID` has a text. */
export function processesWith(file: string, text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/${file}`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number)
    .sort((left, right) => left - right);
}
