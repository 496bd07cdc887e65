// What a kubeconfig says, as kubectl reads it; the library behind kubeconfig.ts knows a part of it.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, sep } from 'node:path';

type Fields = Readonly<Record<string, unknown>>;

/** A kubeconfig of one file or several; paths in it are absolute. */
export interface KubeconfigDocument {
  readonly 'current-context': string;
  readonly clusters: readonly Fields[];
  readonly users: readonly Fields[];
  readonly contexts: readonly Fields[];
}

/** The fields of the context that is used; empty where it names what is not there. */
export interface ContextInUse {
  readonly clusterName: string;
  readonly cluster: Fields;
  readonly userName: string;
  readonly user: Fields;
}

const LISTS = ['clusters', 'users', 'contexts'] as const;

/** Fields that are paths, relative to the file they stand in (client-go `ResolveLocalPaths`). */
const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

/**
 * The files kubectl reads unless told: those of `KUBECONFIG` that are there, else `~/.kube/config`.
 * @throws Error where `KUBECONFIG` names none that is there
 */
export function defaultFiles(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const there = (named.length > 0 ? named : [join(homedir(), '.kube', 'config')]).filter((file) => existsSync(file));
  if (named.length > 0 && there.length === 0)
    throw new Error(`no kubeconfig: KUBECONFIG names ${named.join(' and ')}, and there is no such file`);
  return there;
}

/**
 * Reads the files and merges them: of one name the first counts.
 * @throws Error naming the file, where it can not be read or parsed
 * @see https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 */
export function readKubeconfigFiles(files: readonly string[], parse: (text: string) => unknown): KubeconfigDocument {
  const documents = files.map((file) => readOne(file, parse));
  const merged = (list: (typeof LISTS)[number]): readonly Fields[] => {
    const byName = new Map<unknown, Fields>();
    for (const entry of documents.flatMap((document) => listOf(document[list])))
      if (!byName.has(entry['name'])) byName.set(entry['name'], entry);
    return [...byName.values()];
  };
  const current = documents.map((document) => textOf(document['current-context'])).find((name) => name !== '');
  return {
    'current-context': current ?? '',
    clusters: merged('clusters'),
    users: merged('users'),
    contexts: merged('contexts'),
  };
}

function readOne(file: string, parse: (text: string) => unknown): Fields {
  const text = readFileSync(file, 'utf8');
  let document: Fields;
  try {
    document = fieldsOf(parse(text));
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const directory = dirname(file);
  const lists = LISTS.map((list) => [list, listOf(document[list]).map((entry) => withPaths(entry, directory))]);
  return { ...document, ...(Object.fromEntries(lists) as Fields) };
}

function withPaths(entry: Fields, directory: string): Fields {
  const absolute = (path: string): string => (path === '' || isAbsolute(path) ? path : join(directory, path));
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => {
      if (key !== 'cluster' && key !== 'user') return [key, value];
      const fields = Object.entries(fieldsOf(value)).map(([field, own]) => {
        if (PATHS.includes(field) && typeof own === 'string') return [field, absolute(own)];
        const command = field === 'exec' ? textOf(fieldsOf(own)['command']) : '';
        // A name without a slash is looked for in PATH.
        return [field, command.includes(sep) ? { ...fieldsOf(own), command: absolute(command) } : own];
      });
      return [key, Object.fromEntries(fields) as Fields];
    }),
  );
}

/** What the context of this name names. */
export function contextInUse(document: KubeconfigDocument, context: string): ContextInUse {
  const entry = (list: readonly Fields[], name: unknown, key: string): Fields =>
    fieldsOf(list.find((one) => one['name'] === name)?.[key]);
  const { cluster, user } = entry(document.contexts, context, 'context');
  return {
    clusterName: textOf(cluster),
    cluster: entry(document.clusters, cluster, 'cluster'),
    userName: textOf(user),
    user: entry(document.users, user, 'user'),
  };
}

/** The document with other fields of a user. */
export function withUser(document: KubeconfigDocument, name: string, user: Fields): KubeconfigDocument {
  return { ...document, users: document.users.map((one) => (one['name'] === name ? { ...one, user } : one)) };
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
